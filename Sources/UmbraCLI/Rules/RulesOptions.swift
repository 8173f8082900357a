// Flags by which commands take rules.

import ArgumentParser
import ContentTree
import TrafficRules

struct RulesOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Rules in YAML, repeatable: what is taken, sampled, hidden, changed, sent and compared. Read again when the file \
      changes. See umbra-rules(5).
      """, valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var rules: [String] = []

  @Option(help: ArgumentHelp("Keep this share, evenly and repeatably: 10%.", valueName: "share"))
  var sample: SampleShare?

  @Option(
    help: ArgumentHelp(
      "What is in or out of the sample as a whole: connection, request, header:NAME or cookie:NAME.", valueName: "unit")
  )
  var sampleBy: SampleUnit?

  @Option(
    help: ArgumentHelp(
      "The key of the tokens, any file: sessions with one key have equal tokens for equal secrets. Default: a new one.",
      valueName: "file"),
    completion: .file())
  var redactKey: String?

  /// Whether any of them says what to take or how to hide.
  var isGiven: Bool { !rules.isEmpty || sample != nil || redactKey != nil }

  func validate() throws {
    if sampleBy != nil, sample == nil, rules.isEmpty {
      throw ValidationError("--sample-by says what is sampled as a whole; how much says --sample P%, which is missing")
    }
  }

  /// - Throws: `CommandFailure` with everything that is wrong with the files.
  func live(descriptors: ProtobufDescriptors? = nil) throws -> LiveRules {
    let files = sample == nil && sampleBy != nil ? try RulesFiles(reading: rules).rules.sample : nil
    var chosen = sample.map { SampleRule(share: $0.share) } ?? files
    if let unit = sampleBy?.unit { chosen?.unit = unit }
    return try LiveRules(
      paths: rules, sample: sample == nil && sampleBy == nil ? nil : chosen, key: key(), descriptors: descriptors)
  }

  /// The content of the key's file.
  func key() throws -> [UInt8]? {
    guard let redactKey else { return nil }
    let key = try RulesFiles.bytes(of: redactKey, limit: 1 << 20)
    guard key.count >= 16 else {
      throw CommandFailure(
        "the key in \(redactKey) has \(key.count) octets: 16 or more are needed, such as 'openssl rand -out FILE 32'")
    }
    return key
  }
}

/// Where no answers are compared, types of messages say what is hidden.
struct MessageTypesOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Know the fields of gRPC messages by name, from this FileDescriptorSet (protoc --include_imports \
      --descriptor_set_out): well-known names, and those in rules, are hidden in them too.
      """, valueName: "file"), completion: .file())
  var protoDescriptors: String?

  func descriptors() throws -> ProtobufDescriptors? {
    try protoDescriptors.map { try MessageTypes(path: $0).descriptors }
  }
}

struct SampleShare: ExpressibleByArgument {
  var share: Double

  init?(argument: String) {
    guard argument.hasSuffix("%"), let percent = Double(argument.dropLast()), percent >= 0, percent <= 100 else {
      return nil
    }
    share = percent / 100
  }
}

struct SampleUnit: ExpressibleByArgument {
  var unit: SampleRule.Unit

  init?(argument: String) {
    guard let unit = SampleRule.Unit(argument) else { return nil }
    self.unit = unit
  }
}
