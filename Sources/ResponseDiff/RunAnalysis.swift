// Replayed exchanges one by one in, a RunReport out. Owner: the reader of a run, serially.
// Bounds: AnalysisOptions; memory does not grow with the run's length.

public import HTTPModel

/// Limits of a ``RunAnalysis``.
public struct AnalysisOptions: Hashable, Sendable {
  public var comparison: ComparisonOptions
  /// Endpoints kept apart; later ones are counted together as `METHOD /…other`.
  public var endpointLimit: Int
  /// Clusters kept apart; differences of later ones are counted together, and the cluster says so.
  public var clusterLimit: Int
  /// Pairs kept as examples of one cluster.
  public var examplesPerCluster: Int
  /// Bytes of an example's text, for each side.
  public var exampleTextLimit: Int

  public init(
    comparison: ComparisonOptions = ComparisonOptions(), endpointLimit: Int = 500, clusterLimit: Int = 1000,
    examplesPerCluster: Int = 3, exampleTextLimit: Int = 64 << 10
  ) {
    self.comparison = comparison
    self.endpointLimit = max(1, endpointLimit)
    self.clusterLimit = max(1, clusterLimit)
    self.examplesPerCluster = max(0, examplesPerCluster)
    self.exampleTextLimit = max(256, exampleTextLimit)
  }
}

/// Compares a run's pairs as they come and keeps what a report needs of them.
public struct RunAnalysis: Sendable {
  public init(options: AnalysisOptions = AnalysisOptions()) {
    fatalError()
  }

  /// Takes one exchange with all its attempts. Each attempt that was answered is compared with the recorded response.
  public mutating func add(_ replayed: ReplayedExchange) {
    fatalError()
  }

  /// Closes the books.
  ///
  /// - Parameters:
  ///   - pacing: as printed: `1x`, `500/s`, `max`.
  ///   - planned: requests the schedule held.
  ///   - skipped: requests that were due and not sent, by reason; `interrupted` makes the verdict inconclusive.
  ///   - ledger: of the capture behind the session; nil where there is none.
  ///   - gates: what must hold; where there are none, ``Gate/standard``.
  public func finish(
    description: RunDescription, pacing: String, planned: UInt64, skipped: [String: UInt64], ledger: Ledger?,
    gates: [Gate] = []
  ) -> RunReport {
    fatalError()
  }
}
