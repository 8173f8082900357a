// The text of a gate to a gate. In: what a user typed. Out: a Gate, or what is wrong, where, and what would be right.

extension Gate {
  /// Reads a gate as a user writes it: `error.rate < 1%`, `latency.p99{endpoint="GET /a/{id}"} <= 250ms`.
  ///
  /// Values: counts for `regressions`, shares (`0.01`, `1%`) for rates and `completeness`, durations (`250us`, `250ms`,
  /// `1.5s`, `1m`) for latencies, plain numbers or percentages for ratios.
  public init(parsing text: String) throws(GateSyntaxError) {
    var reader = GateReader(text)
    self = try reader.read()
  }
}

private struct GateReader {
  private let text: String
  private let characters: [Character]
  private var position = 0

  init(_ text: String) {
    self.text = text
    characters = Array(text)
  }

  mutating func read() throws(GateSyntaxError) -> Gate {
    skipSpace()
    let start = position
    let name = take { !$0.isWhitespace && !"{<>=!".contains($0) }
    guard let metric = Gate.Metric(name: name) else { throw unknownMetric(name, at: start) }
    var endpoint: String?
    skipSpace()
    if peek == "{" { endpoint = try readEndpoint(metric, name) }
    skipSpace()
    let comparison = try readOperator()
    skipSpace()
    let value = try readValue(metric, name)
    skipSpace()
    if position < characters.count { throw fail("nothing may follow the value") }
    let trimmed = text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()
    return Gate(
      metric: metric, endpoint: endpoint, comparison: comparison, value: value, text: String(trimmed))
  }

  private mutating func readEndpoint(_ metric: Gate.Metric, _ name: String) throws(GateSyntaxError) -> String {
    if metric == .completeness { throw fail("\(name) is of the whole capture and has no endpoint") }
    position += 1
    skipSpace()
    let start = position
    let label = take { $0.isLetter }
    guard label == "endpoint" else { throw fail("expected endpoint=\"METHOD /path\"", at: start) }
    skipSpace()
    guard peek == "=" else { throw fail("expected = after endpoint") }
    position += 1
    skipSpace()
    guard peek == "\"" else { throw fail("an endpoint is written in double quotes, as the report prints it") }
    position += 1
    var value = ""
    while let character = peek, character != "\"" {
      position += 1
      if character == "\\", let escaped = peek {
        position += 1
        value.append(escaped)
      } else {
        value.append(character)
      }
    }
    guard peek == "\"" else { throw fail("the quoted endpoint does not end") }
    position += 1
    skipSpace()
    guard peek == "}" else { throw fail("expected }") }
    position += 1
    if value.isEmpty { throw fail("the endpoint is empty", at: start) }
    return value
  }

  private mutating func readOperator() throws(GateSyntaxError) -> Gate.Comparison {
    let start = position
    let symbol = take { "<>=!".contains($0) }
    guard let comparison = Gate.Comparison(rawValue: symbol) else {
      let operators = Gate.Comparison.allCases.map(\.rawValue).joined(separator: " ")
      throw fail(symbol.isEmpty ? "expected one of \(operators)" : "'\(symbol)' is none of \(operators)", at: start)
    }
    return comparison
  }

  private mutating func readValue(_ metric: Gate.Metric, _ name: String) throws(GateSyntaxError) -> Double {
    let start = position
    let figures = take { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let number = Double(figures), figures.first != ".", figures.last != ".", number < 1e15 else {
      throw fail("expected a value: \(metric.exampleValue)", at: start)
    }
    let unitStart = position
    let unit = take { $0.isLetter || $0 == "%" }
    switch (metric.unit, unit) {
    case (.count, ""): return number
    case (.share, ""), (.share, "%"):
      let share = unit == "%" ? number / 100 : number
      if share > 1 {
        throw fail("\(name) is a share from 0 to 1\(unit == "" ? "; did you mean \(figures)%?" : "")", at: start)
      }
      return share
    case (.ratio, ""): return number
    case (.ratio, "%"): return number / 100
    case (.duration, "us"), (.duration, "µs"): return number
    case (.duration, "ms"): return number * 1e3
    case (.duration, "s"): return number * 1e6
    case (.duration, "m"): return number * 6e7
    case (.duration, ""): throw fail("a latency needs a unit (us, ms, s, m): \(metric.exampleValue)", at: unitStart)
    default: throw fail("'\(unit)' is no unit of \(name): write \(metric.exampleValue)", at: unitStart)
    }
  }

  private func unknownMetric(_ name: String, at start: Int) -> GateSyntaxError {
    let known = Gate.Metric.names.joined(separator: ", ")
    if name.isEmpty { return fail("expected a metric: \(known)", at: start) }
    let nearest = Gate.Metric.names.map { ($0, editDistance(name, $0)) }.min { $0.1 < $1.1 }!
    let hint = nearest.1 <= max(2, name.count / 3) ? "did you mean \(nearest.0)? " : ""
    return fail("'\(name)' is no metric; \(hint)known: \(known)", at: start)
  }

  private var peek: Character? { position < characters.count ? characters[position] : nil }

  private mutating func skipSpace() { while peek?.isWhitespace == true { position += 1 } }

  private mutating func take(while isWanted: (Character) -> Bool) -> String {
    let start = position
    while let character = peek, isWanted(character) { position += 1 }
    return String(characters[start..<position])
  }

  private func fail(_ message: String, at place: Int? = nil) -> GateSyntaxError {
    GateSyntaxError(text: text, column: (place ?? position) + 1, message: message)
  }
}

extension Gate.Metric {
  enum Unit { case count, share, ratio, duration }

  var unit: Unit {
    switch self {
    case .regressions: .count
    case .differenceRate, .errorRate, .statusRate, .completeness, .lateRate: .share
    case .latency: .duration
    case .latencyRatio: .ratio
    }
  }

  fileprivate var exampleValue: String {
    switch unit {
    case .count: "0"
    case .share: "1% or 0.01"
    case .ratio: "1.2"
    case .duration: "250ms"
    }
  }

  fileprivate static let names = [
    "regressions", "diff.rate", "error.rate", "status.rate", "completeness", "schedule.late.rate", "latency.p99",
    "latency.p99.ratio",
  ]

  /// `latency.p50`, `latency.p99.9`, `latency.p95.ratio`: a percentile over 0 and under 100.
  init?(name: String) {
    switch name {
    case "regressions": self = .regressions
    case "diff.rate": self = .differenceRate
    case "error.rate": self = .errorRate
    case "status.rate": self = .statusRate
    case "completeness": self = .completeness
    case "schedule.late.rate": self = .lateRate
    default:
      guard name.hasPrefix("latency.p") else { return nil }
      let isRatio = name.hasSuffix(".ratio")
      let figures = name.dropFirst(9).dropLast(isRatio ? 6 : 0)
      guard figures.first?.isNumber == true, figures.last?.isNumber == true,
        figures.utf8.allSatisfy({ $0 &- 0x30 < 10 || $0 == 0x2e }), let percentile = Double(figures),
        percentile > 0, percentile < 100
      else { return nil }
      self = isRatio ? .latencyRatio(percentile: percentile) : .latency(percentile: percentile)
    }
  }
}

/// Insertions, deletions and replacements from one word to another.
private func editDistance(_ a: String, _ b: String) -> Int {
  let (x, y) = (Array(a.prefix(64)), Array(b))
  var row = Array(0...y.count)
  for i in x.indices {
    var diagonal = row[0]
    row[0] = i + 1
    for j in y.indices {
      let above = row[j + 1]
      row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x[i] == y[j] ? 0 : 1))
      diagonal = above
    }
  }
  return row[y.count]
}
