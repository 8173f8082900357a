// `umbra replay --dry-run`: the plan of a replay, printed. In: a plan. Out: text of 80 columns. Nothing is sent, no name
// is looked up. Bounds: a count for each endpoint up to a limit, and 512 numbers for the curve.

import HTTPModel
import ReplayClient
import ReplaySchedule
import ResponseDiff
import SessionFile

/// Walks a session as a replay would and counts.
final class DryRun {
  private var plan: ReplayPlan
  private var curve = ArrivalHistogram()
  private var sent: UInt64 = 0
  private var elsewhere: UInt64 = 0
  private var withheld: [WithheldReason: UInt64] = [:]
  private var endpoints: [String: (sent: UInt64, withheld: UInt64)] = [:]
  /// Sent to the shadow and not to the primary and the control.
  private var shadowOnly: UInt64 = 0
  private var correlated = CorrelatedCounts()
  private var rounds: UInt32 = 0
  private var pausesCut: Int64 = 0

  private static let endpointLimit = 500
  private static let endpointsShown = 20
  private static let width = 80

  init(_ plan: ReplayPlan) { self.plan = plan }

  func text() throws -> String {
    let source = try ExchangeSource(path: plan.session, expecting: .session, key: plan.sessionKey)
    guard source.total > 0 else {
      source.reportDamage()
      throw CommandFailure("\(plan.session) holds no exchanges: there is nothing to replay", status: .inconclusive)
    }
    try plan.correlate(source)
    try walk(source, try EndpointNames(source, patterns: plan.rules?.rules.endpointPatterns ?? []))
    source.reportDamage()
    return heading() + curveText() + endpointText() + "\nNothing was sent.\n"
  }

  private func walk(_ source: ExchangeSource, _ names: EndpointNames) throws {
    var walk = SessionWalk(options: plan.options)
    let end = plan.options.duration ?? .max
    while !Interruption.isRequested {
      guard let exchange = try source.next() else {
        correlated.beginRound()
        // Without due times there is no telling how often it goes round.
        guard plan.options.pacing != .maximum || plan.options.duration == nil, walk.beginRound() else { break }
        source.rewind()
        continue
      }
      try plan.capturedServers.refuse(exchange)
      switch walk.step(exchange) {
      case .over: return
      case .elsewhere: elsewhere += 1
      case .withheld(let reason):
        withheld[reason, default: 0] += 1
        count(names.name(of: exchange), isSent: false)
      case .send(let arrival):
        if case .due(let due) = arrival {
          if due >= end { return }
          curve.add(due)
        }
        sent += 1
        let isUnsafe = !plan.options.sendsUnsafeToPrimary && SessionWalk.isForShadowOnly(exchange)
        if isUnsafe { shadowOnly += 1 }
        if let dependencies = plan.options.dependencies { correlated.count(exchange.id, dependencies) }
        rounds = max(rounds, walk.round + 1)
        pausesCut = walk.pausesCut
        count(names.name(of: exchange), isSent: true)
      }
    }
  }

  private func count(_ endpoint: String?, isSent: Bool) {
    var name = endpoint ?? "(no request)"
    if endpoints[name] == nil, endpoints.count >= DryRun.endpointLimit { name = "(others)" }
    endpoints[name, default: (0, 0)].sent += isSent ? 1 : 0
    endpoints[name, default: (0, 0)].withheld += isSent ? 0 : 1
  }

  // MARK: Text

  private func heading() -> String {
    var rows: [(String, String)] = [("session", plan.session)]
    for target in plan.targets {
      let weight = plan.targets.count > 1 ? "  weight \(target.weight)" : ""
      rows.append((rows.count == 1 ? "target" : "", "\(target.target)\(weight)"))
    }
    rows += plan.besides.map { ($0.role.identifier, "\($0.target)") }
    rows.append(("pacing", plan.options.pacing == .maximum ? "as fast as answers come" : "\(plan.options.pacing)"))
    if pausesCut > 0 { rows.append(("pauses", "\(shortDuration(pausesCut)) left out by --max-pause")) }
    rows.append(("sends", amount()))
    if !plan.besides.isEmpty, shadowOnly > 0 {
      rows.append(
        ("", "\(grouped(shadowOnly)) of them to the shadow alone: may change something (--allow-unsafe-primary)"))
    }
    if plan.correlation != .off { rows.append(("correlates", correlated.text(plan.correlation))) }
    let reasons = withheld.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
    for (index, reason) in reasons.enumerated() {
      let text = "\(grouped(reason.value))  \(reason.key.rawValue): \(reason.key.explanation)"
      rows.append((index == 0 ? "withholds" : "", text))
    }
    let (index, count) = (plan.options.shard.index, plan.options.shard.count)
    if count > 1 { rows.append(("shard", "\(index) of \(count); \(grouped(elsewhere)) are the other shards'")) }
    for (index, fault) in plan.options.faults.enumerated() { rows.append((index == 0 ? "faults" : "", fault.summary)) }
    return "PLAN\n" + rows.map { "  " + $0.padded(to: 11) + $1 + "\n" }.joined()
  }

  private func amount() -> String {
    var text = counted(sent, "request")
    if let last = curve.last { text += " in \(shortDuration(last))" }
    if rounds > 1 { text += ", going round the session \(grouped(rounds)) times" }
    if plan.options.pacing == .maximum, let duration = plan.options.duration {
      text += " a round, for \(TimeSpan(nanoseconds: duration))"
    }
    return text
  }

  private func curveText() -> String {
    guard curve.count > 1 else { return "" }
    return "\nARRIVALS\n" + ArrivalPlot(curve, width: DryRun.width).text
  }

  private func endpointText() -> String {
    let sorted = endpoints.sorted {
      ($1.value.sent, $1.value.withheld, $0.key) < ($0.value.sent, $0.value.withheld, $1.key)
    }
    var text = "\nENDPOINTS" + "sent".leftPadded(to: 56) + "withheld".leftPadded(to: 15) + "\n"
    for (name, counts) in sorted.prefix(DryRun.endpointsShown) {
      let printable = String(
        name.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : Character($0) })
      text +=
        "  " + String(printable.prefix(52)).padded(to: 52) + grouped(counts.sent).leftPadded(to: 11)
        + grouped(counts.withheld).leftPadded(to: 15) + "\n"
    }
    if sorted.count > DryRun.endpointsShown { text += "  and \(grouped(sorted.count - DryRun.endpointsShown)) more\n" }
    return text
  }
}

extension WithheldReason {
  /// For a person.
  fileprivate var explanation: String {
    switch self {
    case .unsafeMethod: "may change something (--methods, --allow-unsafe)"
    case .grpcCall: "may change something (--allow-unsafe)"
    case .graphQLMutation: "changes something (--allow-unsafe)"
    case .incompleteRequest: "a part was not captured"
    case .noRequest: "only the answer was captured"
    case .unresolvedRequest: "method, path or authority stand in a table that was never seen"
    case .pushed: "the server made it up"
    case .excludedByRules: "the rules do not select it"
    case .sampledOut: "outside the sample"
    case .fellBehind, .breakerOpen, .interrupted, .durationOver: "not sent"
    }
  }
}
