// `umbra report --shrink`: the flags, and what they come to. In: flags, what a run says of itself. Out: a plan.

import ArgumentParser
import HTTPModel
import ReplayClient
import ResponseDiff
import TrafficRules

struct ShrinkOptions: ParsableArguments {
  @Flag(
    help: ArgumentHelp(
      """
      Ask the shadow and the primary again for each confirmed finding, up to 20, and find the smallest request that \
      still shows it: query parameters, header fields, cookies and members of the body are left out as long as it \
      does. Safe methods only, one request at a time, at most 100 for a finding and 20 a second.
      """))
  var shrink = false

  @Option(
    help: ArgumentHelp("The shadow that is asked again. Default: the run's.", valueName: "url"),
    transform: RoleTarget.init)
  var target: RoleTarget?

  @Option(
    help: ArgumentHelp("The primary that is asked again. Default: the run's, if it had a live one.", valueName: "url"),
    transform: RoleTarget.init)
  var primary: RoleTarget?

  @Flag(
    help: ArgumentHelp(
      """
      Ask again also what may change something and what the 'routes' of --rules allow (allow_unsafe), such as gRPC calls \
      that only read. It will happen at the primary, too, up to 200 times.
      """))
  var allowUnsafePrimary = false

  @Flag(help: "Allow the captured server itself as the shadow.")
  var force = false

  @OptionGroup var injecting: InjectOptions
  @OptionGroup var reaching: ReachingOptions

  func validate() throws {
    guard !shrink else { return }
    let given = [
      "--target": target != nil, "--primary": primary != nil, "--allow-unsafe-primary": allowUnsafePrimary,
      "--force": force, "--inject": injecting.inject != nil,
    ].filter(\.value).keys.sorted()
    if let first = given.first { throw ValidationError("\(first) is about asking again: add --shrink") }
  }

  /// - Parameters:
  ///   - rules: files; what they rewrite, route and hide holds for what is asked again, too.
  ///   - descriptors: the file of gRPC's types.
  /// - Throws: `CommandFailure` where it is not known whom to ask.
  func plan(_ run: RunDescription, rules: [String], descriptors: String?) throws -> ShrinkPlan {
    let shadow = try target?.value ?? ShrinkOptions.only(run.targets, "shadow", "--target")
    let primary = try primary?.value ?? ShrinkOptions.only(run.primary.map { [$0] } ?? [], "primary", "--primary")
    var options = ReplayOptions()
    reaching.apply(to: &options)
    options.connections = .pool(1)
    options.concurrency = 1
    // What is asked for is what fails.
    options.breaker = nil
    options.sendsUnsafeToPrimary = allowUnsafePrimary
    let injection = try injecting.rules()
    let live = try LiveRules(paths: rules.filter { $0 != "none" })
    options.apply(ReplayRules(live, selects: false, injection: injection), areLive: false)
    var plan = ReplayPlan(
      session: run.session, targets: [WeightedTarget(shadow)], options: options, marker: .standard)
    plan.primary = primary
    // The same instance once more: what differs between its two answers is noise.
    plan.control = primary
    plan.force = force
    plan.injection = injection
    return ShrinkPlan(replay: plan, descriptorFile: descriptors)
  }

  private static func only(_ urls: [String], _ role: String, _ flag: String) throws -> ReplayTarget {
    let names = Set(urls.flatMap { $0.split(separator: ", ").map(String.init) })
    guard names.count == 1, let name = names.first, let target = try? ReplayTarget(url: name) else {
      let reason = names.isEmpty ? "had none" : names.count > 1 ? "had several" : "does not say how it was reached"
      throw CommandFailure(
        "--shrink asks the \(role) again, and the run \(reason): name it with \(flag)", status: .usage)
    }
    return target
  }
}

/// Whom to ask again, and how.
struct ShrinkPlan {
  var replay: ReplayPlan
  var descriptorFile: String?
}
