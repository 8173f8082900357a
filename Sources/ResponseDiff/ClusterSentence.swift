// A finding in plain sentences: what, how often, whom it concerns, how sure that is.
// In: a cluster without its explanation. Out: text. Owner: CauseClustering.

struct ClusterSentence {
  let cluster: DifferenceCluster
  /// Of its place: a status' change, or that the value's form is meant.
  let detail: String
  /// Pairs of the endpoint that a control answered too.
  let controlled: UInt64

  var text: String {
    let extent = "\(Figures.count(cluster.count)) of \(Figures.count(cluster.compared)) answers of \(cluster.endpoint)"
    let sentence = "\(place) \(event) in \(extent)\(values)\(concerned)."
    return [sentence, company, standing].filter { !$0.isEmpty }.joined(separator: " ")
  }

  private var place: String { ClusterSentence.name(of: cluster.location) }

  private static func name(of location: DifferenceLocation) -> String {
    switch location {
    case .answer: "The answer"
    case .status: "The status"
    case .header(let name): "The header field \(name)"
    case .trailer(let name): "The trailer field \(name)"
    case .body: "The body"
    case .bodyPath(let pointer): pointer
    case .latency: "The latency"
    }
  }

  private var example: Difference? { cluster.examples.first?.difference }

  private var event: String {
    let (from, to) = (ValueShape(ofQuoted: example?.expected), ValueShape(ofQuoted: example?.actual))
    switch cluster.kind {
    case .type where detail == PlaceTable.formDetail: return "became \(to.phrase) where it was \(from.phrase)"
    case .type where from != to && to != .absent && cluster.location != .body:
      // A number in quotes: that it is text now is the news.
      return "became \(from.isNumber && to.isString ? "text" : to.phrase)"
    case .changed: return "changed"
    case .added: return "was added"
    case .removed: return "is missing"
    case .type: return "has another type"
    case .order:
      return cluster.severity == .info ? "has its members in another order" : "has its elements in another order"
    case .length: return "has another length"
    case .error: return cluster.location == .answer ? "did not come" : "cannot be read"
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

  /// `; all had currency=JPY, and none of the others`.
  private var concerned: String {
    guard let best = cluster.features.first else { return "" }
    let names = cluster.features.map(\.text).joined(separator: " and ")
    let verb = best.isAbsent ? "lacked" : "had"
    let affected =
      best.affected == 1 ? (cluster.count == 1 ? "it" : "all") : "\(Figures.share(best.affected)) of them"
    let others =
      best.others == 0
      ? "none of the others" : best.others == 1 ? "all others" : "\(Figures.share(best.others)) of the others"
    return "; \(affected) \(verb) \(names), and \(others)"
  }

  private var company: String {
    guard !cluster.related.isEmpty else { return "" }
    let shown = cluster.related.prefix(4).map { "\(ClusterSentence.lower($0.location)) (\($0.kind.rawValue))" }
    let rest = cluster.related.count - shown.count
    return "With it came \(shown.joined(separator: ", "))\(rest > 0 ? " and \(rest) more places" : "")."
  }

  private static func lower(_ location: DifferenceLocation) -> String {
    let name = name(of: location)
    return name.hasPrefix("The ") ? "the " + name.dropFirst(4) : name
  }

  private var standing: String {
    let control = Figures.count(controlled)
    let p = cluster.pValue.map { " (p = \(Figures.probability($0)))" } ?? ""
    switch cluster.evidence {
    case .harmless: return "True and harmless: it counts in no gate."
    case .noControl where controlled > 0:
      return "The control answered too badly to tell noise from a regression: weaker evidence."
    case .noControl: return "No control was asked, so noise cannot be told from a regression: weaker evidence."
    case .volatile:
      return
        "Both sides' values look made anew for each answer, so it counts as noise. No control was asked: weaker evidence."
    case .untestable:
      return "The primary's own answers differ here each time: untestable by value; presence and form were looked at."
    case .unseenInControl: return "The control shows nothing of the kind in \(control) pairs\(p)."
    case .significant:
      let noise = cluster.noise ?? 0
      return noise == 0
        ? "The control never shows it in \(control) pairs\(p)."
        : "The control shows it in \(Figures.count(noise)) of \(control) pairs\(p)."
    case .noise:
      return "The control shows it in \(Figures.count(cluster.noise ?? 0)) of \(control) pairs: not beyond noise\(p)."
    }
  }
}
