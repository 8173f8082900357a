// What a running command shows to others: metrics.
//
// In: counts that the command keeps anyway. Out: answers to scrapers. Owner: the command; collectors are asked on the
// server's thread. Bounds: those of Telemetry.

import HTTPModel
import ReplayClient
import Synchronization
import Telemetry

final class Observation: Sendable {
  private let registry = MetricsRegistry()
  private let address: ListenAddress?
  private let server = Mutex<MetricsServer?>(nil)

  init(command: String, metrics: ListenAddress?) {
    address = metrics
    registry.add { MetricFamily.process(version: umbraVersion, command: command) }
  }

  /// Serves from now on, in a thread that has the rights of the calling one.
  /// - Returns: what to tell a person.
  /// - Throws: `CommandFailure` where the address can't be had.
  func start() throws -> String? {
    guard let address, server.withLock({ $0 == nil }) else { return nil }
    do {
      let started = try MetricsServer(address, registry: registry)
      server.withLock { $0 = started }
      return "serving http://\(started.address)/metrics"
    } catch { throw CommandFailure("\(error)") }
  }

  func stop() {
    registry.end()
    server.withLock { $0.take() }?.stop()
  }

  // MARK: Capture

  /// Shows a capture whose lanes and sink are made.
  func watch(lanes: [CaptureLane], sink: SessionSink?) {
    registry.add {
      let states = lanes.map { $0.state.withLock { $0 } }
      var ledger = sink?.shed ?? .init()
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

  // MARK: Replay

  /// Shows a replay that is about to begin.
  /// - Returns: what is told of each attempt.
  func watch(_ replayer: Replayer) -> AttemptMetrics {
    let metrics = AttemptMetrics(targets: replayer.targets.map { "\($0.target)" })
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
    return metrics
  }

  /// Adds what only one command has.
  func add(_ collector: @escaping MetricsRegistry.Collector) { registry.add(collector) }
}
