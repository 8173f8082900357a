// Counted places to findings: which differences are more than noise, and which of them are one finding.
// In: a PlaceTable and what was counted of endpoints. Out: DifferenceCluster values. Owner: RunAnalysis.finish.
// Bounds: quadratic in the findings of one endpoint, which the limit of places bounds.
//
// Noise. With a control, each place is a hypothesis: the shadow differs there no more often than one more instance of the
// primary. It is tested on the pairs in which only one of the two differs (McNemar, one-sided, exact) and confirmed
// where Benjamini and Hochberg reject it over all places at 5 % and the effect is not too small to matter: at least one in a
// thousand answers, and twice as many as differ in the control alone; a fifth more where the test leaves no doubt.
//
// Causes. Two confirmed places of an endpoint are one finding where nine in ten of the pairs that show either show both.
// Of what concerns nearly all answers that says nothing, since everything coincides with it: then they must also stand
// next to each other in the body.

struct CauseClustering {
  /// Share of an endpoint's pairs above which coincidence says nothing.
  private static let nearlyAll = 0.95
  private static let alike = 0.9
  /// The control differs in this share of pairs: a value that is never the same.
  private static let always = 0.95

  let options: AnalysisOptions
  let table: PlaceTable
  let names: [String]
  let endpoints: [EndpointRecord]
  let features: [FeatureTable]
  let targets: [String]
  let hasLivePrimary: Bool
  let baseline: BaselineFindings?

  struct Result {
    var clusters: [DifferenceCluster]
    var tested: UInt64
  }

  private struct Finding {
    var number: Int
    var evidence: ClusterEvidence
    var pValue: Double?
  }

  func run() -> Result {
    let (findings, slow, tested) = judged()
    var clusters: [DifferenceCluster] = []
    for (endpoint, group) in Dictionary(grouping: findings, by: { table.places[$0.number].endpoint }) {
      clusters += merged(group).map { cluster($0[0], with: Array($0.dropFirst()), endpoint) }
    }
    clusters += slow
    if table.overflow.count > 0 { clusters.append(overflow) }
    if let baseline {
      for index in clusters.indices { clusters[index].isKnown = baseline.knows(clusters[index]) }
    }
    clusters.sort { a, b in
      (a.isRegression ? 0 : a.isConfirmed ? 1 : 2, a.severity, b.count, a.id)
        < (b.isRegression ? 0 : b.isConfirmed ? 1 : 2, b.severity, a.count, b.id)
    }
    return Result(clusters: clusters, tested: tested)
  }

  // MARK: Noise

  private func judged() -> (findings: [Finding], slow: [DifferenceCluster], tested: UInt64) {
    var hypotheses: [Double] = []
    var testedPlaces: [Int: Int] = [:]
    for (number, record) in table.records.enumerated()
    where record.severity != .info && record.shadowOnly + record.controlOnly > 0 {
      testedPlaces[number] = hypotheses.count
      hypotheses.append(
        DifferenceStatistics.pairedTest(shadowOnly: record.shadowOnly, controlOnly: record.controlOnly))
    }
    var testedLatencies: [Int: Int] = [:]
    if hasLivePrimary {
      for (endpoint, record) in endpoints.enumerated() where record.pairs.isTelling {
        testedLatencies[endpoint] = hypotheses.count
        hypotheses.append(record.pairs.pValue)
      }
    }
    let rejected = DifferenceStatistics.confirmed(hypotheses)
    var findings: [Finding] = []
    for number in table.places.indices where table.records[number].count > 0 {
      let test = testedPlaces[number]
      let evidence = evidence(
        number, isRejected: test.map { rejected[$0] } ?? false,
        isSure: test.map { DifferenceStatistics.isSure(hypotheses[$0], of: hypotheses.count) } ?? false)
      // The form is looked at where the value cannot be; elsewhere it would say the same again.
      if table.places[number].detail == PlaceTable.formDetail, !isFormTelling(number, evidence) { continue }
      findings.append(Finding(number: number, evidence: evidence, pValue: test.map { hypotheses[$0] }))
    }
    let slow = testedLatencies.compactMap { endpoint, test in
      rejected[test] ? slowness(endpoint, pValue: hypotheses[test]) : nil
    }
    return (findings, slow, UInt64(testedPlaces.count))
  }

  private func evidence(_ number: Int, isRejected: Bool, isSure: Bool) -> ClusterEvidence {
    let (place, record) = (table.places[number], table.records[number])
    if record.severity == .info { return .harmless }
    let controlled = endpoints[place.endpoint].controlled
    // A control that is down measures nothing.
    guard controlled > 0, endpoints[place.endpoint].controlStrayed <= controlled / 2 else {
      return record.looksVolatile ? .volatile : .noControl
    }
    if doesNotWait(place, record) { return .unseenInControl }
    let (b, c) = (Double(record.shadowOnly), Double(record.controlOnly))
    let isLarge = (b - c) / Double(controlled) >= options.minimumEffect && b >= (isSure ? 1.2 : 2) * c
    if isRejected, isLarge { return .significant }
    let seen = Double(record.both + record.controlOnly)
    return place.kind != .removed && !place.isOfWholeAnswer && seen >= Self.always * Double(controlled)
      ? .untestable : .noise
  }

  /// Another class of status or a removed field, of which the control shows nothing of the kind.
  private func doesNotWait(_ place: DifferencePlace, _ record: PlaceRecord) -> Bool {
    guard !record.isInControl, record.shadowOnly > 0 else { return false }
    switch place.kind {
    case .removed:
      // What is there by chance is as often there in the control alone.
      var opposite = place
      opposite.kind = .added
      return table.record(of: opposite).map { !$0.isInControl && $0.count == 0 } ?? true
    case .changed where place.location == .status && record.severity == .high:
      return !table.unsteadyStatuses.contains(PlaceTable.unordered(record.examples.first?.difference))
    default: return false
    }
  }

  private func isFormTelling(_ number: Int, _ evidence: ClusterEvidence) -> Bool {
    guard evidence == .significant else { return false }
    var value = table.places[number]
    value.detail = ""
    guard let record = table.record(of: value) else { return true }
    let seen = Double(record.both + record.controlOnly)
    return seen >= 0.5 * Double(endpoints[value.endpoint].controlled)
  }

  // MARK: Causes

  /// Findings that belong together, each group's worst first.
  private func merged(_ findings: [Finding]) -> [[Finding]] {
    let ordered = findings.sorted { weight($0) < weight($1) }
    var groups: [[Finding]] = []
    for finding in ordered {
      if finding.evidence.confirms,
        let group = groups.firstIndex(where: { $0[0].evidence.confirms && belong($0[0].number, finding.number) })
      {
        groups[group].append(finding)
      } else {
        groups.append([finding])
      }
    }
    return groups
  }

  private func weight(_ finding: Finding) -> (Int, DifferenceSeverity, Int, UInt64, String) {
    let (place, record) = (table.places[finding.number], table.records[finding.number])
    // Of equals, the place nearest to the root stands for what follows from it.
    let depth = "\(place.location)".utf8.count { $0 == UInt8(ascii: "/") }
    return (
      place.isOfWholeAnswer ? 0 : 1, record.severity, depth, UInt64.max - record.count,
      "\(place.location)\(place.kind.rawValue)\(place.detail)"
    )
  }

  private func belong(_ a: Int, _ b: Int) -> Bool {
    let (x, y) = (table.records[a], table.records[b])
    guard x.pairs.likeness(to: y.pairs) >= Self.alike else { return false }
    let compared = Double(endpoints[table.places[a].endpoint].compared)
    return Double(max(x.count, y.count)) < Self.nearlyAll * compared
      || table.places[a].location.isNext(to: table.places[b].location)
  }

  // MARK: Clusters

  private func cluster(_ lead: Finding, with others: [Finding], _ endpoint: Int) -> DifferenceCluster {
    let (place, record) = (table.places[lead.number], table.records[lead.number])
    let name = names[endpoint]
    let hasControl = endpoints[endpoint].controlled > 0 && record.shadowOnly + record.both > 0
    var cluster = DifferenceCluster(
      id: place.identifier(endpoint: name), endpoint: name, location: place.location,
      // A form that changed under a value that cannot be tested is a change of type.
      kind: place.detail == PlaceTable.formDetail ? .type : place.kind, severity: record.severity, count: record.count,
      compared: endpoints[endpoint].compared, noise: hasControl ? record.both + record.controlOnly : nil,
      pValue: lead.pValue, isConfirmed: lead.evidence.confirms, evidence: lead.evidence,
      related: others.map { other in
        let (place, record) = (table.places[other.number], table.records[other.number])
        return RelatedPlace(
          id: place.identifier(endpoint: name), location: place.location, kind: place.kind,
          severity: record.severity, count: record.count)
      },
      features: lead.evidence.confirms ? features[endpoint].separators(record.features) : [],
      explanation: "", examples: examples(record))
    if let smallest = record.smallest { cluster.curl = smallest.curl.text(base: base(smallest.target)) }
    cluster.explanation =
      ClusterSentence(cluster: cluster, detail: place.detail, controlled: endpoints[endpoint].controlled).text
    return cluster
  }

  private func examples(_ record: PlaceRecord) -> [DifferenceExample] {
    record.examples.map { example in
      DifferenceExample(
        exchange: example.exchange, requestLine: example.requestLine, difference: example.difference,
        expectedText: example.texts.expected, actualText: example.texts.actual,
        curl: example.texts.curl.text(base: base(example.target)))
    }
  }

  private func base(_ target: UInt16) -> String? {
    targets.indices.contains(Int(target)) ? targets[Int(target)] : nil
  }

  private var overflow: DifferenceCluster {
    let compared = endpoints.reduce(0) { $0 + $1.compared }
    return DifferenceCluster(
      id: DifferencePlace(endpoint: 0, location: .body, kind: .changed)
        .identifier(endpoint: RunAnalysis.overflowEndpoint),
      endpoint: RunAnalysis.overflowEndpoint, location: .body, kind: .changed, severity: table.overflow.severity,
      count: table.overflow.count, compared: compared, noise: nil, pValue: nil,
      isConfirmed: table.overflow.severity != .info,
      explanation: "\(Figures.count(table.overflow.count)) answers differ at places beyond the limit of "
        + "\(options.clusterLimit); they are counted here together, whatever their endpoint, place and kind.",
      examples: examples(table.overflow))
  }

  // MARK: Latency

  /// Confirmed where the test rejects and a quantile's whole interval lies beyond the floors.
  private func slowness(_ endpoint: Int, pValue: Double) -> DifferenceCluster? {
    let (record, name) = (endpoints[endpoint], names[endpoint])
    let ratios = record.pairs.ratios()
    guard
      let (quantile, ratio) = zip(["median", "95th percentile"], ratios).first(where: { _, ratio in
        guard let ratio else { return false }
        return ratio.low >= 1 + LatencyPairs.floorShare && ratio.differenceLow >= LatencyPairs.floorMicroseconds
      }), let ratio
    else { return nil }
    let place = DifferencePlace(endpoint: endpoint, location: .latency, kind: .changed)
    let more = Figures.duration(microseconds: ratio.difference)
    let other = record.pairs.controlled * 2 > record.pairs.count ? "control" : "primary"
    return DifferenceCluster(
      id: place.identifier(endpoint: name), endpoint: name, location: .latency, kind: .changed, severity: .medium,
      count: record.pairs.shadowSlower, compared: record.pairs.count, noise: record.pairs.otherSlower, pValue: pValue,
      isConfirmed: true, evidence: .significant,
      explanation: "Answers of \(name) are slower: their \(quantile) is \(more) longer than the primary's, "
        + "\(Figures.number(ratio.ratio)) times as long (95 %: \(Figures.number(ratio.low)) to "
        + "\(Figures.number(ratio.high))). The shadow was clearly slower in \(Figures.count(record.pairs.shadowSlower)) "
        + "of \(Figures.count(record.pairs.count)) pairs, the \(other) in \(Figures.count(record.pairs.otherSlower)) "
        + "(p = \(Figures.probability(pValue))).",
      examples: [])
  }
}

extension ClusterEvidence {
  /// Counts as a difference that the release made.
  var confirms: Bool { self == .significant || self == .unseenInControl || self == .noControl }
}

extension DifferenceLocation {
  /// Siblings in a body, or one above the other.
  fileprivate func isNext(to other: DifferenceLocation) -> Bool {
    switch (self, other) {
    case (.body, .bodyPath), (.bodyPath, .body): return true
    case (.bodyPath(let a), .bodyPath(let b)):
      let (x, y) = (a.split(separator: "/"), b.split(separator: "/"))
      return x.dropLast() == y.dropLast() || x.starts(with: y) || y.starts(with: x)
    default: return self == other
    }
  }
}

/// What a run before this one found.
public struct BaselineFindings: Sendable {
  private let run: String
  private var rates: [String: (count: UInt64, compared: UInt64)] = [:]

  /// - Parameter report: of the baseline, compared under the same rules.
  public init(_ report: RunReport) {
    run = report.run.id
    for cluster in report.clusters {
      rates[cluster.id] = (cluster.count, cluster.compared)
      for place in cluster.related { rates[place.id] = (place.count, cluster.compared) }
    }
  }

  var name: String { run }

  /// All places of the finding are the baseline's too, none of them clearly more often than there: half as often
  /// again, beyond chance at 1 %.
  func knows(_ cluster: DifferenceCluster) -> Bool {
    ([(cluster.id, cluster.count)] + cluster.related.map { ($0.id, $0.count) }).allSatisfy { id, count in
      guard let before = rates[id], cluster.compared > 0, before.compared > 0 else { return false }
      let (now, then) = (Double(count) / Double(cluster.compared), Double(before.count) / Double(before.compared))
      let p = DifferenceStatistics.associationTest(
        affectedWith: count, of: cluster.compared, othersWith: before.count, of: before.compared)
      return now < 1.5 * then || p > 0.01
    }
  }
}
