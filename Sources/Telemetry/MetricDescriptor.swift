/// What a metric is, whatever its values: the part that dashboards and alerts name.
public struct MetricDescriptor: Hashable, Sendable {
  public enum Kind: String, Sendable {
    /// Only grows; its name ends in `_total`.
    case counter
    case gauge
    case histogram
  }

  /// As in Prometheus' text format: a counter's ends in `_total`, the unit stands before that.
  public let name: String
  public let kind: Kind
  /// One sentence without a line break.
  public let help: String
  /// Labels that its samples carry.
  public let labels: [String]

  init(_ name: String, _ kind: Kind, labels: [String] = [], _ help: String) {
    self.name = name
    self.kind = kind
    self.labels = labels
    self.help = help
  }
}
