// Carries out `umbra report --shrink`: asks both sides again for a report's findings, one request after another.
//
// In: a plan, a report, its runs. Out: the report with the smallest request of each finding, or why there is none. Owner:
// the command's thread; the client's event loop has one of its own. Bounds: findings, examples of a finding, requests and
// time for one, and requests a second.

import ContentTree
import HTTPModel
import ReplayClient
import ResponseDiff

final class ShrinkSession {
  private static let findingLimit = 20
  private static let requestLimit = 100
  private static let exampleLimit = 3
  /// Nanoseconds between two requests.
  private static let interval: Int64 = 50_000_000
  /// Nanoseconds for one finding.
  private static let timeLimit: Int64 = 60_000_000_000

  /// A finding that is asked for.
  private struct Inquiry {
    var cluster: Int
    var witness: FindingWitness
    /// Recorded requests that showed it; the first is asked first.
    var examples: [Exchange]
  }

  /// The search for one finding's smallest request.
  private struct Search {
    var inquiry: Inquiry
    var example = 0
    var shrinking: RequestShrinking
    var sight: FindingWitness.Sight?
    var started: Int64?

    init(_ inquiry: Inquiry, example: Int = 0, _ descriptors: ProtobufDescriptors?) {
      self.inquiry = inquiry
      self.example = example
      // Only requests that are sent are examples.
      shrinking = RequestShrinking(
        inquiry.examples[example].request!, limit: ShrinkSession.requestLimit, descriptors: descriptors)
    }

    var exchange: Exchange { inquiry.examples[example] }
  }

  private var plan: ReplayPlan
  private let descriptorFile: String?
  private var reading: RunFile.Reading
  private var progress = ProgressLine(.auto)
  private var waiting: [Inquiry] = []
  private var search: Search?
  private var isAsking = false
  private var asked: UInt32 = 0
  private var latest: Int64 = 0

  init(_ plan: ShrinkPlan, _ reading: RunFile.Reading) {
    self.plan = plan.replay
    self.plan.options.marker = plan.replay.marker.marker(runID: ReplaySession.newRunID())
    descriptorFile = plan.descriptorFile
    self.reading = reading
  }

  func run(_ report: inout RunReport) throws {
    waiting = try inquiries(&report)
    guard !waiting.isEmpty else { return }
    Interruption.install()
    // Nothing is lost with an answer that is still awaited then.
    plan.options.interruptGrace = 0
    let replayer = Replayer(
      targets: plan.targets, primary: plan.primary, control: plan.control, options: plan.options)
    let watcher = ReplayWatcher(replayer, progress: ProgressMode.none)
    watcher.start()
    defer { watcher.stop() }
    do {
      _ = try replayer.run(
        live: { hasRoom in
          if self.isAsking { return .nothing }
          guard hasRoom, let exchange = self.next(&report) else { return .over }
          self.isAsking = true
          self.latest = max(monotonicNow(), self.latest + ShrinkSession.interval)
          return .send(exchange, arrived: self.latest)
        },
        deliver: { replayed in
          self.isAsking = false
          self.take(replayed)
        })
    } catch { throw CommandFailure("\(error)") }
    progress.clear()
    if Interruption.isRequested { giveUp(&report) }
  }

  /// What was found up to an interrupt stays.
  private func giveUp(_ report: inout RunReport) {
    if var ended = search {
      if ended.shrinking.asked == 0 {
        waiting.append(ended.inquiry)
      } else {
        ended.shrinking.stop()
        finish(ended, &report)
      }
    }
    search = nil
    for inquiry in waiting {
      report.clusters[inquiry.cluster].smallest = SmallestRequest(notAsked: "Not asked again: interrupted.")
    }
  }

  // MARK: Which findings

  /// Those that are asked for; the others of the report are told why not.
  private func inquiries(_ report: inout RunReport) throws -> [Inquiry] {
    var wanted: [(cluster: Int, witness: FindingWitness)] = []
    for (index, cluster) in report.clusters.enumerated() where cluster.isConfirmed {
      guard
        let witness = FindingWitness(
          cluster, options: reading.comparison.options, descriptors: reading.descriptors)
      else {
        report.clusters[index].smallest = SmallestRequest(notAsked: "Not asked again: no single request shows it.")
        continue
      }
      if wanted.count < ShrinkSession.findingLimit {
        wanted.append((index, witness))
      } else {
        report.clusters[index].smallest = SmallestRequest(
          notAsked: "Not asked again: that is done for \(ShrinkSession.findingLimit) findings.")
      }
    }
    let names = Set(wanted.flatMap { report.clusters[$0.cluster].examples.map(\.exchange) })
    let recorded = try reading.runs.exchanges(named: names)
    var inquiries: [Inquiry] = []
    for (index, witness) in wanted {
      var (examples, reason): ([Exchange], String?) = ([], nil)
      for example in report.clusters[index].examples.prefix(ShrinkSession.exampleLimit) {
        for exchange in recorded[example.exchange] ?? [] {
          guard let request = exchange.request, example.isOf(request) else { continue }
          try plan.capturedServers.refuse(exchange)
          let exchange = ShrinkSession.resolved(exchange)
          if let withheld = obstacle(to: exchange) { reason = reason ?? withheld } else { examples.append(exchange) }
        }
      }
      if examples.isEmpty {
        report.clusters[index].smallest = SmallestRequest(
          notAsked: "Not asked again: \(reason ?? "no request of it was kept").")
      } else {
        inquiries.append(Inquiry(cluster: index, witness: witness, examples: examples))
      }
    }
    return inquiries
  }

  /// Without fields of which a part was never seen, which the client would leave out by their places.
  private static func resolved(_ exchange: Exchange) -> Exchange {
    guard exchange.hasDetails else { return exchange }
    var resolved = exchange
    let unknown = Set(
      exchange.details.unresolved.filter { $0.section == .request && !$0.isAssumed }.map { Int($0.field) })
    if let ranges = exchange.request?.fields.ranges {
      resolved.request?.fields.ranges = ranges.indices.filter { !unknown.contains($0) }.map { ranges[$0] }
    }
    resolved.details.unresolved = []
    return resolved
  }

  /// Why a request is not sent to both sides; nil where it is.
  private func obstacle(to exchange: Exchange) -> String? {
    var walk = SessionWalk(options: plan.options)
    switch walk.step(exchange) {
    case .send: break
    case .withheld(let reason): return "\(reason.rawValue), " + reason.shrinkAdvice
    case .elsewhere, .over: return "it is not sent"
    }
    return !plan.options.sendsUnsafeToPrimary && SessionWalk.isForShadowOnly(exchange)
      ? "it may change something at the primary" : nil
  }

  // MARK: Asking

  /// The next request; nil when all findings are done.
  private func next(_ report: inout RunReport) -> Exchange? {
    while true {
      if search == nil {
        guard !waiting.isEmpty else { return nil }
        search = Search(waiting.removeFirst(), reading.descriptors)
      }
      let now = monotonicNow()
      let started = search!.started ?? now
      search!.started = started
      if now - started > ShrinkSession.timeLimit { search!.shrinking.stop() }
      if let request = search!.shrinking.next() {
        let count = search!.shrinking.asked
        progress.show("asking again: \(waiting.count + 1) findings left, \(count) requests for this one", now: now)
        var exchange = search!.exchange
        exchange.request = request
        asked &+= 1
        exchange.id = ExchangeID(connection: 1, ordinal: asked)
        if obstacle(to: exchange) == nil { return exchange }
        // What would not be sent shows nothing.
        search!.shrinking.record(false)
        continue
      }
      finish(search!, &report)
    }
  }

  private func take(_ replayed: ReplayedExchange) {
    // What an interrupt ended shows nothing.
    guard search != nil, !Interruption.isRequested else { return }
    let sight = search!.inquiry.witness.look(
      at: reading.blanking.applied(to: replayed) ?? replayed,
      inapplicable: reading.comparison.inapplicable(to: replayed.exchange))
    search!.sight = sight
    search!.shrinking.record(sight.showsIt)
  }

  /// Goes on with another example where this one does not show the finding any more.
  private func finish(_ ended: Search, _ report: inout RunReport) {
    let cluster = ended.inquiry.cluster
    if report.clusters[cluster].smallest == nil || ended.shrinking.outcome != .notReproduced {
      let sides = SmallestRequest.Sides(
        shadow: "\(plan.targets[0].target)", primary: "\(plan.primary ?? plan.targets[0].target)",
        types: reading.descriptors.flatMap { types in descriptorFile.map { (types, $0) } })
      var exchange = ended.exchange
      exchange.request = ended.shrinking.smallest
      report.clusters[cluster].smallest = SmallestRequest(
        ended.shrinking, of: exchange, sight: ended.sight, sides: sides,
        hidden: reading.blanking.hiddenPlaces(in: exchange), injected: plan.injection != nil)
    }
    search = nil
    if ended.shrinking.outcome == .notReproduced, ended.example + 1 < ended.inquiry.examples.count {
      search = Search(ended.inquiry, example: ended.example + 1, reading.descriptors)
    }
  }
}

extension WithheldReason {
  /// Half a sentence.
  fileprivate var shrinkAdvice: String {
    switch self {
    case .unsafeMethod, .grpcCall, .graphQLMutation: "which may change something (--allow-unsafe-primary)"
    default: "so that it can't be sent"
    }
  }
}
