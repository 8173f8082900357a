// `--inject`: the flag, and the file behind it. In: a path. Out: live credentials, or why they are not taken.

import ArgumentParser
import TrafficRules

struct InjectOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Put live credentials from this file in the places of recorded ones. No one but its owner and group may read it; \
      what it holds is sent and nowhere written. See umbra-inject(5).
      """, valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var inject: String?

  /// nil where there are none.
  /// - Throws: `CommandFailure` where the file is not good, or others could read it.
  func rules() throws -> InjectionRules? {
    guard let inject else { return nil }
    try KeyFile.refuseIfPublic(inject, "the credentials")
    let (rules, problems) = InjectionRules.read(try RulesFiles.bytes(of: inject), file: inject)
    guard problems.isEmpty else { throw CommandFailure(problems.map(\.description).joined(separator: "\numbra: ")) }
    return rules
  }
}
