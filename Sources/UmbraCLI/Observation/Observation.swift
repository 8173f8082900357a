// What a running command shows to others: metrics, spans, an access log, an audit log.
//
// In: counts that the command keeps anyway, exchanges and attempts where they are logged. Out: answers to scrapers, spans,
// lines. Owner: the command; collectors of metrics are asked on the server's thread. Bounds: those of Telemetry.

import Glibc
import HTTPModel
import ReplayClient
import Synchronization
import Telemetry

final class Observation: Sendable {
  struct Plan: Sendable {
    var command: String
    var metrics: ListenAddress?
    var collector: CollectorEndpoint?
    var propagation = AttemptTracing.Propagation.keep
    var accessLog: String?
    var auditLog: String?

    var isEmpty: Bool {
      metrics == nil && collector == nil && propagation == .keep && accessLog == nil && auditLog == nil
    }
  }

  private struct State {
    var isStarted = false
    var server: MetricsServer?
    var exporter: SpanExporter?
    var access: LineLog?
    var audit: LineLog?
  }

  private let plan: Plan
  private let registry = MetricsRegistry()
  private let state = Mutex(State())
  /// Of the spans' identifiers: another one for each run.
  private let seed = UInt64.random(in: 0 ... .max)
  private let hangUps = Atomic<Int>(0)

  init(_ plan: Plan) {
    self.plan = plan
    registry.add { MetricFamily.process(version: umbraVersion, command: plan.command) }
    registry.add { [weak self] in self?.ownFamilies ?? [] }
  }

  /// Begins, in threads that have the rights of the calling one; once.
  /// - Returns: what to tell a person.
  /// - Throws: `CommandFailure` where an address or a file can't be had.
  func start() throws -> String? {
    try state.withLock { state throws(CommandFailure) -> String? in
      guard !state.isStarted else { return nil }
      state.isStarted = true
      do {
        if let path = plan.accessLog { state.access = try LineLog(path) }
        if let path = plan.auditLog { state.audit = try LineLog(path) }
        if state.access != nil || state.audit != nil { Interruption.installHangUp() }
        if let collector = plan.collector { state.exporter = SpanExporter(collector, version: umbraVersion) }
        guard let address = plan.metrics else { return nil }
        state.server = try MetricsServer(address, registry: registry)
      } catch { throw CommandFailure("\(error)") }
      return state.server.map { "serving http://\($0.address)/metrics" }
    }
  }

  /// What was seen is sent and written; more than once does nothing more.
  func stop() {
    registry.end()
    audit("end")
    let last = state.withLock { state in
      defer { state = State(isStarted: true) }
      return state
    }
    last.server?.stop()
    last.exporter?.stop()
    last.access?.stop()
    last.audit?.stop()
  }

  // MARK: Capture

  /// Shows a capture whose lanes and sink are made.
  func watch(lanes: [CaptureLane], sink: SessionSink?) {
    registry.add {
      let states = lanes.map { $0.state.withLock { $0 } }
      var ledger = sink?.shed ?? Ledger()
      var anomalies = [UInt64](repeating: 0, count: 128)
      for state in states {
        ledger.add(state.ledger)
        for (index, count) in state.anomalies.enumerated() { anomalies[index] &+= count }
      }
      var families = MetricFamily.capture(ledger, anomalies: anomalies)
      families.append(MetricFamily(.heldBytes, UInt64(clamping: states.reduce(0) { $0 + $1.heldBytes })))
      if let sink { families.append(MetricFamily(.writtenBytes, sink.bytes)) }
      if let last = states.compactMap(\.lastPacket).max() {
        families.append(MetricFamily(.lastPacket, Double(last.nanoseconds) / 1e9))
      }
      return families
    }
    registry.isReady = true
  }

  /// Shows how often rules were read again.
  func watch(_ rules: LiveRules) {
    registry.add {
      [
        MetricFamily(
          .rulesReloads,
          by: [("applied", UInt64(max(0, rules.generation - 1))), ("refused", UInt64(max(0, rules.failedReloads)))])
      ]
    }
  }

  // MARK: Replay

  /// Fields that replayed requests carry in place of their own; nil where that is none.
  var replacedFields: ReplayOptions.ReplacedFields? {
    guard plan.propagation == .child else { return nil }
    let tracing = AttemptTracing(.child, seed: seed, targets: [])
    return { tracing.fields(for: $0, $1, round: $2, role: $3) }
  }

  /// Shows a replay that is about to begin.
  /// - Returns: what is told of each attempt.
  func watch(_ replayer: Replayer) -> AttemptObserver {
    let names = replayer.targets.map { "\($0.target)" }
    let besides = [AttemptRole.primary: replayer.primary, .control: replayer.control].compactMapValues {
      $0.map { "\($0)" }
    }
    let metrics = AttemptMetrics(targets: names, besides: besides)
    registry.add { [weak replayer] in
      guard let progress = replayer?.progress else { return metrics.families() }
      return metrics.families() + [
        MetricFamily(.requestsPlanned, progress.planned), MetricFamily(.requestsSent, progress.sent),
        MetricFamily(.requestsWithheld, progress.withheld), MetricFamily(.requestsInFlight, progress.inFlight),
        MetricFamily(.requestsWaiting, progress.waiting), MetricFamily(.openConnections, progress.openConnections),
        MetricFamily(.breakersOpen, progress.breakersOpen),
      ]
    }
    registry.isReady = true
    return AttemptObserver(
      metrics: metrics, tracing: AttemptTracing(plan.propagation, seed: seed, targets: names, besides: besides),
      targets: names, besides: besides, exporter: state.withLock { $0.exporter },
      logs: plan.accessLog == nil ? nil : self)
  }

  /// Adds what only one command has.
  func add(_ collector: @escaping MetricsRegistry.Collector) { registry.add(collector) }

  // MARK: Logs

  /// Whether exchanges and attempts are logged.
  var logsAccess: Bool { plan.accessLog != nil }

  /// Adds a line to the access log.
  func access(_ line: [UInt8]) {
    reopenIfAsked()
    state.withLock { $0.access }?.add(line)
  }

  /// Adds an event to the audit log.
  func audit(_ event: String, _ facts: [(String, String)] = []) {
    reopenIfAsked()
    guard let log = state.withLock({ $0.audit }) else { return }
    log.add(AuditLine(event, command: plan.command, facts).bytes)
  }

  private func reopenIfAsked() {
    let asked = Interruption.hangUps
    guard asked != hangUps.load(ordering: .relaxed), hangUps.exchange(asked, ordering: .relaxed) != asked else {
      return
    }
    let (access, audit) = state.withLock { ($0.access, $0.audit) }
    access?.reopen()
    audit?.reopen()
  }

  private var ownFamilies: [MetricFamily] {
    let (exporter, access, audit) = state.withLock { ($0.exporter, $0.access, $0.audit) }
    var families: [MetricFamily] = []
    if let counts = exporter?.counts {
      families.append(
        MetricFamily(
          .spans, by: [("exported", counts.exported), ("dropped", counts.dropped), ("failed", counts.failed)]))
    }
    let logs = [("access", access), ("audit", audit)].compactMap { name, log in log.map { (name, $0.counts) } }
    families.append(
      MetricFamily(
        .logLines,
        samples: logs.flatMap { name, counts in
          [("written", counts.written), ("dropped", counts.dropped)].map {
            MetricFamily.Sample(labels: [name, $0.0], value: .count($0.1))
          }
        }))
    return families
  }
}
