public import HTTPModel
import Synchronization

/// What is asked when somebody scrapes: collectors, which look at counts that are kept anyway.
///
/// Nothing is counted here, so that nothing on the way of a packet or a request knows of it.
public final class MetricsRegistry: Sendable {
  public typealias Collector = @Sendable () -> [MetricFamily]

  private struct State {
    var collectors: [Collector] = []
    var isReady = false
    var ending = false
  }

  private let state = Mutex(State())

  public init() {}

  /// Asked at each scrape, on the server's thread: it must return soon and may not scrape itself.
  public func add(_ collector: @escaping Collector) { state.withLock { $0.collectors.append(collector) } }

  /// Whether the command does its work: packets are seen, requests are sent. `/readyz` says so.
  public var isReady: Bool {
    get { state.withLock { $0.isReady && !$0.ending } }
    set { state.withLock { $0.isReady = newValue } }
  }

  /// The work is over; from now on it is not ready.
  public func end() { state.withLock { $0.ending = true } }

  /// All families in the catalogue's order, those that several collectors give joined.
  public func collect() -> [MetricFamily] {
    let collectors = state.withLock { $0.collectors }
    var found: [String: [MetricFamily.Sample]] = [:]
    for collector in collectors {
      for family in collector() { found[family.descriptor.name, default: []] += family.samples }
    }
    return MetricDescriptor.catalogue.compactMap { descriptor in
      found[descriptor.name].map { MetricFamily(descriptor, samples: $0) }
    }
  }
}

extension MetricFamily {
  /// A capture's ledger and what its exchanges were like.
  /// - Parameter anomalies: exchanges with an anomaly, by its raw value.
  public static func capture(_ ledger: Ledger, anomalies: [UInt64]) -> [MetricFamily] {
    [
      MetricFamily(.packets, ledger[.packetsSeen]),
      MetricFamily(
        .packetsDropped,
        by: [("kernel", ledger[.packetsKernelDropped]), ("interface", ledger[.packetsInterfaceDropped])]),
      MetricFamily(.payloadBytes, ledger[.bytesSeen]),
      MetricFamily(.gapBytes, ledger[.bytesGap]),
      MetricFamily(.connections, ledger[.connectionsSeen]),
      MetricFamily(
        .exchanges,
        by: [
          ("complete", ledger[.exchangesComplete]), ("incomplete", ledger[.exchangesIncomplete]),
          ("unanswered", ledger[.requestsWithoutResponse]), ("without-request", ledger[.responsesWithoutRequest]),
        ]),
      MetricFamily(.exchangesShed, ledger[.exchangesShed]),
      MetricFamily(
        .anomalies,
        by: Anomaly.allCases.filter { Int($0.rawValue) < anomalies.count && anomalies[Int($0.rawValue)] > 0 }
          .map { ($0.identifier, anomalies[Int($0.rawValue)]) }),
      MetricFamily(.ledger, by: Ledger.Row.allCases.map { ($0.identifier, ledger[$0]) }),
      MetricFamily(.completeness, ledger.completeness),
    ]
  }
}
