// Families to text: Prometheus' format 0.0.4 and OpenMetrics 1.0.0.
//
// In: families. Out: bytes that a scraper reads. Pure; what a label's value holds is escaped.

public enum ExpositionFormat: Sendable {
  case prometheus
  case openMetrics

  /// What a scraper's Accept field asks for: OpenMetrics where it is named with a weight that is not below that of
  /// plain text, else Prometheus' own format.
  public init(accept: String) {
    var (open, plain): (Double, Double) = (0, 0)
    for part in accept.split(separator: ",") {
      let pieces = part.split(separator: ";").map { $0.filter { !$0.isWhitespace }.lowercased() }
      guard let type = pieces.first else { continue }
      let weight = pieces.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
      switch type {
      case "application/openmetrics-text": open = max(open, weight)
      case "text/plain": plain = max(plain, weight)
      default: continue
      }
    }
    self = open > 0 && open >= plain ? .openMetrics : .prometheus
  }

  public var contentType: String {
    switch self {
    case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
    case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
    }
  }
}

public struct Exposition {
  public private(set) var bytes: [UInt8] = []
  private let format: ExpositionFormat

  /// The text of these families; a family without samples still says what it is.
  public static func text(_ families: [MetricFamily], _ format: ExpositionFormat) -> [UInt8] {
    var exposition = Exposition(format: format)
    for family in families { exposition.write(family) }
    if format == .openMetrics { exposition.add("# EOF\n") }
    return exposition.bytes
  }

  private init(format: ExpositionFormat) {
    self.format = format
    bytes.reserveCapacity(16 << 10)
  }

  private mutating func write(_ family: MetricFamily) {
    let descriptor = family.descriptor
    // OpenMetrics names a counter's family without the suffix of its samples.
    let name =
      format == .openMetrics && descriptor.kind == .counter && descriptor.name.hasSuffix("_total")
      ? String(descriptor.name.dropLast("_total".count)) : descriptor.name
    add("# HELP \(name) \(escaped(descriptor.help, quotes: format == .openMetrics))\n")
    add("# TYPE \(name) \(descriptor.kind.rawValue)\n")
    for sample in family.samples {
      let labels = zip(descriptor.labels, sample.labels).map { "\($0)=\"\(escaped($1, quotes: true))\"" }
      switch sample.value {
      case .count(let count): line(descriptor.name, labels, String(count))
      case .number(let number): line(descriptor.name, labels, text(number))
      case .histogram(let histogram): write(histogram, descriptor.name, labels)
      }
    }
  }

  private mutating func write(_ histogram: DurationHistogram, _ name: String, _ labels: [String]) {
    var cumulative: UInt64 = 0
    for (index, count) in histogram.counts.enumerated() {
      cumulative &+= count
      let isLast = index == DurationHistogram.bounds.count
      let bound = isLast ? "+Inf" : text(Double(DurationHistogram.bounds[index]) / 1e9)
      line(name + "_bucket", labels + ["le=\"\(bound)\""], String(cumulative))
    }
    line(name + "_sum", labels, text(Double(histogram.sum) / 1e9))
    line(name + "_count", labels, String(cumulative))
  }

  private mutating func line(_ name: String, _ labels: [String], _ value: String) {
    add(name)
    if !labels.isEmpty { add("{" + labels.joined(separator: ",") + "}") }
    add(" \(value)\n")
  }

  private mutating func add(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private func text(_ number: Double) -> String {
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number > 0 ? "+Inf" : "-Inf" }
    return number.description
  }

  private func escaped(_ text: String, quotes: Bool) -> String {
    guard text.utf8.contains(where: { $0 == 0x5c || $0 == 0x0a || $0 == 0x22 }) else { return text }
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }
}
