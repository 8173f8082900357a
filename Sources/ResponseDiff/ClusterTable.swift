// Differences of a run, gathered by endpoint, place and kind.
// In: the differences of one pair after another. Out: DifferenceCluster values. Owner: RunAnalysis.
// Bounds: a number of clusters, of examples for each, of bytes an example, and of bytes of all examples together.

import HTTPModel

struct ClusterTable {
  /// The endpoint of what was counted together because the table was full.
  static let overflowEndpoint = "…"

  private struct Key: Hashable {
    var endpoint: Int
    var location: DifferenceLocation
    var kind: DifferenceKind
  }

  private struct Entry {
    var severity: DifferenceSeverity
    var count: UInt64 = 0
    var examples: [Example] = []
  }

  private struct Example {
    var exchange: ExchangeID
    var target: UInt16
    var requestLine: String
    var difference: Difference
    var texts: Texts
  }

  /// Shared by the clusters that one pair is an example of.
  private struct Texts {
    var expected: String
    var actual: String
    var curl: CurlCommand
  }

  /// Texts of examples are cut at this when all of them together have come to ``textBudget``.
  private static let smallTextLimit = 2 << 10
  private static let textBudget = 64 << 20

  private let options: AnalysisOptions
  private var entries: [Key: Entry] = [:]
  private var overflow = Entry(severity: .info)
  private var textBytes = 0

  init(options: AnalysisOptions) { self.options = options }

  /// Counts one pair. Several differences of one kind at one place count once.
  mutating func add(
    _ differences: [Difference], endpoint: Int, exchange: Exchange, request: HTTPRequest, expected: HTTPResponse,
    attempt: Attempt
  ) {
    var texts: Texts?
    var seen: Set<Key> = []
    var isOverflowing = false
    for difference in differences {
      let key = Key(endpoint: endpoint, location: difference.location, kind: difference.kind)
      guard seen.insert(key).inserted else { continue }
      if entries[key] == nil, entries.count >= options.clusterLimit {
        overflow.severity = min(overflow.severity, difference.severity)
        if !isOverflowing { overflow.count += 1 }
        isOverflowing = true
        if overflow.examples.count < options.examplesPerCluster {
          overflow.examples.append(example(difference, exchange, request, expected, attempt, &texts))
        }
        continue
      }
      var entry = entries.removeValue(forKey: key) ?? Entry(severity: difference.severity)
      entry.severity = min(entry.severity, difference.severity)
      entry.count += 1
      if entry.examples.count < options.examplesPerCluster {
        entry.examples.append(example(difference, exchange, request, expected, attempt, &texts))
      }
      entries[key] = entry
    }
  }

  private mutating func example(
    _ difference: Difference, _ exchange: Exchange, _ request: HTTPRequest, _ expected: HTTPResponse,
    _ attempt: Attempt, _ texts: inout Texts?
  ) -> Example {
    let made: Texts
    if let texts {
      made = texts
    } else {
      let limit = textBytes < Self.textBudget ? options.exampleTextLimit : Self.smallTextLimit
      let writer = ExampleText(options: options.comparison, limit: min(limit, options.exampleTextLimit))
      let isAnswered = attempt.outcome == .answered
      made = Texts(
        expected: writer.text(expected),
        actual: isAnswered ? attempt.response.map { writer.text($0) } ?? "" : writer.text(attempt),
        curl: CurlCommand(request, isTLS: exchange.isTLS))
      textBytes += made.expected.utf8.count + made.actual.utf8.count
      texts = made
    }
    let target = excerptText(request.target, limit: 512)
    let shadow = attempt.outcome == .answered ? attempt.response.map { String($0.status) } : nil
    return Example(
      exchange: exchange.id, target: attempt.target,
      requestLine: "\(excerptText(request.method, limit: 32)) \(target): \(expected.status) recorded, "
        + "\(shadow ?? attempt.outcome.identifier) from the shadow",
      difference: difference, texts: made)
  }

  /// The clusters, the worst first: by severity, then by count.
  /// - Parameters:
  ///   - endpoints: names by the number that ``add(_:endpoint:exchange:request:expected:attempt:)`` was given.
  ///   - compared: pairs compared of each of them.
  func clusters(
    endpoints: [String], compared: [UInt64], targets: [String]
  ) -> [DifferenceCluster] {
    var clusters = entries.map { key, entry in
      cluster(
        entry, endpoint: endpoints[key.endpoint], location: key.location, kind: key.kind,
        compared: compared[key.endpoint], targets: targets,
        explanation: ClusterSentence(
          endpoint: endpoints[key.endpoint], location: key.location, kind: key.kind, severity: entry.severity,
          count: entry.count, compared: compared[key.endpoint], example: entry.examples.first?.difference
        ).text)
    }
    if overflow.count > 0 {
      clusters.append(
        cluster(
          overflow, endpoint: Self.overflowEndpoint, location: .body, kind: .changed, compared: compared.reduce(0, +),
          targets: targets,
          explanation: "\(Figures.count(overflow.count)) answers differ at places beyond the limit of "
            + "\(options.clusterLimit) clusters; they are counted here together, whatever their endpoint, place and kind."
        ))
    }
    return clusters.sorted { ($0.severity, $1.count, $0.id) < ($1.severity, $0.count, $1.id) }
  }

  private func cluster(
    _ entry: Entry, endpoint: String, location: DifferenceLocation, kind: DifferenceKind, compared: UInt64,
    targets: [String], explanation: String
  ) -> DifferenceCluster {
    var hash = BodyHash()
    hash.update(Array("\(endpoint)\n\(location)\n\(kind.rawValue)".utf8))
    return DifferenceCluster(
      id: hexText(hash.value), endpoint: endpoint, location: location, kind: kind, severity: entry.severity,
      count: entry.count, compared: compared, noise: nil, pValue: nil, isConfirmed: entry.severity != .info,
      explanation: explanation,
      examples: entry.examples.map { example in
        let base = targets.indices.contains(Int(example.target)) ? targets[Int(example.target)] : nil
        return DifferenceExample(
          exchange: example.exchange, requestLine: example.requestLine, difference: example.difference,
          expectedText: example.texts.expected, actualText: example.texts.actual,
          curl: example.texts.curl.text(base: base))
      })
  }
}

/// A cluster in a plain sentence.
struct ClusterSentence {
  var endpoint: String
  var location: DifferenceLocation
  var kind: DifferenceKind
  var severity: DifferenceSeverity
  var count: UInt64
  var compared: UInt64
  var example: Difference?

  var text: String {
    let extent = "\(Figures.count(count)) of \(Figures.count(compared)) answers of \(endpoint)"
    return "\(place) \(event) in \(extent)\(values). \(standing)"
  }

  private var place: String {
    switch location {
    case .answer: "The answer"
    case .status: "The status"
    case .header(let name): "The header field \(name)"
    case .trailer(let name): "The trailer field \(name)"
    case .body: "The body"
    case .bodyPath(let pointer): pointer
    }
  }

  private var event: String {
    switch kind {
    case .changed: "changed"
    case .added: "was added"
    case .removed: "is missing"
    case .type: "has another type"
    case .order: severity == .info ? "has its members in another order" : "has its elements in another order"
    case .length: "has another length"
    case .error: location == .answer ? "did not come" : "cannot be read"
    }
  }

  private var values: String {
    guard let example else { return "" }
    let (expected, actual) = (example.expected.map(short), example.actual.map(short))
    switch (expected, actual) {
    case (let expected?, let actual?): return ", as from \(expected) to \(actual)"
    case (let expected?, nil): return ", as \(expected)"
    case (nil, let actual?): return ", as \(actual)"
    case (nil, nil): return ""
    }
  }

  private func short(_ text: String) -> String { excerptText(Array(text.utf8), limit: 60) }

  private var standing: String {
    severity == .info
      ? "True and harmless: it counts in no gate."
      : "No control was asked, so noise cannot be told from a regression: weaker evidence."
  }
}
