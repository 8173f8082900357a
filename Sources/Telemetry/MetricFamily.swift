/// A metric's values at one moment.
public struct MetricFamily: Sendable {
  public enum Value: Sendable {
    case count(UInt64)
    case number(Double)
    case histogram(DurationHistogram)
  }

  public struct Sample: Sendable {
    /// One value for each of the descriptor's labels, in their order.
    public var labels: [String]
    public var value: Value

    public init(labels: [String], value: Value) {
      self.labels = labels
      self.value = value
    }
  }

  public let descriptor: MetricDescriptor
  public private(set) var samples: [Sample] = []

  /// Samples of one family at most; those beyond it are left out.
  public static let sampleLimit = 2000

  public init(_ descriptor: MetricDescriptor, samples: [Sample] = []) {
    self.descriptor = descriptor
    self.samples = Array(samples.prefix(MetricFamily.sampleLimit))
  }

  /// One without labels.
  public init(_ descriptor: MetricDescriptor, _ value: UInt64) {
    self.init(descriptor, samples: [Sample(labels: [], value: .count(value))])
  }

  /// One without labels.
  public init(_ descriptor: MetricDescriptor, _ value: Double) {
    self.init(descriptor, samples: [Sample(labels: [], value: .number(value))])
  }

  /// One with a single label.
  public init(_ descriptor: MetricDescriptor, by counts: [(String, UInt64)]) {
    self.init(descriptor, samples: counts.map { Sample(labels: [$0.0], value: .count($0.1)) })
  }
}
