// Differences of a run, counted by endpoint, place and kind, against those that the control shows.
// In: the differences of one pair after another. Out: PlaceRecord values. Owner: RunAnalysis.
// Bounds: a number of places, of examples for each, of bytes an example, and of bytes of all examples together.

import HTTPModel

/// What is counted as one: a kind of difference at a place of an endpoint.
struct DifferencePlace: Hashable {
  var endpoint: Int
  var location: DifferenceLocation
  var kind: DifferenceKind
  /// Of a status, from which to which; of a value's form, ``PlaceTable/formDetail``; else empty.
  var detail = ""
}

/// A request whose answers were compared.
struct ComparedPair {
  var endpoint: Int
  /// Counted through the run.
  var number: UInt64
  var exchange: Exchange
  var request: HTTPRequest
  /// The primary's answer, live or recorded.
  var expected: HTTPResponse
  var isLive: Bool
  var attempt: Attempt
}

/// What was counted of one place.
struct PlaceRecord {
  var severity: DifferenceSeverity
  /// Pairs in which the shadow differs.
  var count: UInt64 = 0
  /// Of those, and of the others, the pairs with a control that could show the same: only the shadow did, only the
  /// control did, both did.
  var shadowOnly: UInt64 = 0
  var controlOnly: UInt64 = 0
  var both: UInt64 = 0
  /// The pairs that only the shadow, as far as is known, makes differ.
  var pairs = PairSketch()
  var features = FeatureCounts()
  var examples: [PlaceExample] = []
  var smallest: (size: Int, curl: CurlCommand, target: UInt16)?
  /// Pairs whose two values are both of one class that is made anew for each answer.
  var volatile: UInt64 = 0
  /// Pairs whose expected value was among the last few expected values before.
  var repeated: UInt64 = 0
  private var recentValues: [Int] = []

  init(severity: DifferenceSeverity) { self.severity = severity }

  /// The control shows it at all.
  var isInControl: Bool { both > 0 || controlOnly > 0 }

  mutating func look(at difference: Difference) {
    guard difference.kind == .changed, let expected = difference.expected else { return }
    let shape = ValueShape(ofQuoted: expected)
    if shape.isVolatile, shape.accepts(ValueShape(ofQuoted: difference.actual)) { volatile += 1 }
    let hash = expected.hashValue
    if recentValues.contains(hash) { repeated += 1 }
    if recentValues.count < 8 {
      recentValues.append(hash)
    } else {
      recentValues[Int(count % 8)] = hash
    }
  }

  /// Both sides' values look as if they were made anew for each answer, in the recording too.
  var looksVolatile: Bool { count > 0 && Double(volatile) >= 0.9 * Double(count) && repeated * 4 <= count }
}

struct PlaceExample {
  var exchange: ExchangeID
  var target: UInt16
  var requestLine: String
  var difference: Difference
  var texts: ExampleTexts
}

/// Shared by the places that one pair is an example of.
struct ExampleTexts {
  var expected: String
  var actual: String
  var curl: CurlCommand
}

struct PlaceTable {
  /// Marks the place at which a value's form is looked at, not the value.
  static let formDetail = "form"
  /// Texts of examples are cut at this when all of them together have come to ``textBudget``.
  private static let smallTextLimit = 2 << 10
  private static let textBudget = 64 << 20

  private static let unsteadyLimit = 1000

  /// Two statuses, whichever came from whom.
  static func unordered(_ difference: Difference?) -> String {
    [difference?.expected ?? "", difference?.actual ?? ""].sorted().joined(separator: " ")
  }

  private let options: AnalysisOptions
  private var numbers: [DifferencePlace: Int] = [:]
  private(set) var places: [DifferencePlace] = []
  private(set) var records: [PlaceRecord] = []
  /// What differed beyond the limit of places.
  private(set) var overflow = PlaceRecord(severity: .info)
  /// Statuses of which the control gave one where the primary gave the other, at any endpoint: chance gives them.
  private(set) var unsteadyStatuses: Set<String> = []
  private var shown = 0
  private var textBytes = 0
  private var shadowPlaces: [(number: Int, difference: Difference)] = []
  private var controlPlaces: [Int] = []

  init(options: AnalysisOptions) { self.options = options }

  /// Counts one pair. Several differences of one kind at one place count once.
  /// - Parameters:
  ///   - control: differences of the control's answer to the same request; nil where there is none to hold it against.
  ///   - features: of the request, as ``FeatureTable`` numbers them.
  mutating func add(_ pair: ComparedPair, shadow: [Difference], control: [Difference]?, features: [Int]) {
    shadowPlaces.removeAll(keepingCapacity: true)
    controlPlaces.removeAll(keepingCapacity: true)
    var texts: ExampleTexts?
    note(shadow, pair, hasControl: control != nil, &texts)
    let shadowIsOther = shadow.contains(where: \.isOtherAnswer)
    let controlIsOther = control?.contains(where: \.isOtherAnswer) ?? false
    if let control {
      if controlIsOther, unsteadyStatuses.count < Self.unsteadyLimit {
        unsteadyStatuses.insert(Self.unordered(control.first(where: \.isOtherAnswer)))
      }
      noteControl(control, pair.endpoint)
    }
    for (number, difference) in shadowPlaces {
      records[number].look(at: difference)
      records[number].count += 1
      let isPaired = control != nil && (!controlIsOther || places[number].isOfWholeAnswer)
      if isPaired, controlPlaces.contains(number) {
        records[number].both += 1
        continue
      }
      if isPaired { records[number].shadowOnly += 1 }
      records[number].pairs.insert(pair.number)
      records[number].features.count(features)
    }
    for number in controlPlaces
    where (!shadowIsOther || places[number].isOfWholeAnswer) && !shadowPlaces.contains(where: { $0.number == number }) {
      records[number].controlOnly += 1
    }
  }

  private mutating func note(
    _ differences: [Difference], _ pair: ComparedPair, hasControl: Bool, _ texts: inout ExampleTexts?
  ) {
    var isOverflowing = false
    for difference in differences {
      for place in difference.places(endpoint: pair.endpoint, withForm: hasControl) {
        guard let number = number(of: place, difference.severity, isShown: true) else {
          overflow.severity = min(overflow.severity, difference.severity)
          if !isOverflowing { overflow.count += 1 }
          isOverflowing = true
          if overflow.examples.count < options.examplesPerCluster {
            overflow.examples.append(example(difference, pair, &texts))
          }
          continue
        }
        if shadowPlaces.contains(where: { $0.number == number }) { continue }
        shadowPlaces.append((number, difference))
        records[number].severity = min(records[number].severity, difference.severity)
        if records[number].examples.count < options.examplesPerCluster {
          records[number].examples.append(example(difference, pair, &texts))
        }
        let size = pair.request.fields.storage.count + pair.request.body.bytes.count
        if size < records[number].smallest?.size ?? .max {
          let curl = texts?.curl ?? CurlCommand(pair.request, isTLS: pair.exchange.isTLS)
          records[number].smallest = (size, curl, pair.attempt.target)
        }
      }
    }
  }

  private mutating func noteControl(_ differences: [Difference], _ endpoint: Int) {
    for difference in differences {
      for place in difference.places(endpoint: endpoint, withForm: true) {
        guard let number = number(of: place, difference.severity, isShown: false) else { continue }
        if !controlPlaces.contains(number) { controlPlaces.append(number) }
      }
    }
  }

  /// The place's number; nil where there are too many.
  private mutating func number(
    of place: DifferencePlace, _ severity: DifferenceSeverity, isShown: Bool
  ) -> Int? {
    if let number = numbers[place] {
      if isShown, records[number].count == 0 {
        guard shown < options.clusterLimit else { return nil }
        shown += 1
      }
      return number
    }
    guard isShown ? shown < options.clusterLimit : places.count < 4 * options.clusterLimit else { return nil }
    if isShown { shown += 1 }
    numbers[place] = places.count
    places.append(place)
    records.append(PlaceRecord(severity: severity))
    return places.count - 1
  }

  /// What was counted at a place; nil where nothing was.
  func record(of place: DifferencePlace) -> PlaceRecord? { numbers[place].map { records[$0] } }

  private mutating func example(
    _ difference: Difference, _ pair: ComparedPair, _ texts: inout ExampleTexts?
  ) -> PlaceExample {
    let attempt = pair.attempt
    let made: ExampleTexts
    if let texts {
      made = texts
    } else {
      let limit = textBytes < Self.textBudget ? options.exampleTextLimit : Self.smallTextLimit
      let writer = ExampleText(options: options.comparison, limit: min(limit, options.exampleTextLimit))
      let isAnswered = attempt.outcome == .answered
      made = ExampleTexts(
        expected: writer.text(pair.expected),
        actual: isAnswered ? attempt.response.map { writer.text($0) } ?? "" : writer.text(attempt),
        curl: CurlCommand(pair.request, isTLS: pair.exchange.isTLS))
      textBytes += made.expected.utf8.count + made.actual.utf8.count
      texts = made
    }
    let shadow = attempt.outcome == .answered ? attempt.response.map { String($0.status) } : nil
    return PlaceExample(
      exchange: pair.exchange.id, target: attempt.target,
      requestLine:
        "\(DifferenceExample.line(of: pair.request)): \(pair.expected.status) \(pair.isLive ? "from the primary" : "recorded"), "
        + "\(shadow ?? attempt.outcome.identifier) from the shadow",
      difference: difference, texts: made)
  }
}

extension Difference {
  /// After which nothing else was compared: no answer, or a status of another class.
  var isOtherAnswer: Bool {
    location == .answer || location == .status && severity == .high
  }

  /// The places that it counts at: its own, and where the value's form changed with the value, that of the form.
  fileprivate func places(endpoint: Int, withForm: Bool) -> [DifferencePlace] {
    var place = DifferencePlace(endpoint: endpoint, location: location, kind: kind)
    if location == .status { place.detail = "\(expected ?? "") → \(actual ?? "")" }
    guard withForm, kind == .changed, location != .status, location != .body,
      !ValueShape(ofQuoted: expected).accepts(ValueShape(ofQuoted: actual))
    else { return [place] }
    return [
      place, DifferencePlace(endpoint: endpoint, location: location, kind: kind, detail: PlaceTable.formDetail),
    ]
  }
}

extension DifferencePlace {
  /// Of the answer itself, not of what it holds.
  var isOfWholeAnswer: Bool { location == .answer || location == .status }

  /// Stable between runs.
  func identifier(endpoint: String) -> String {
    var hash = BodyHash()
    hash.update(Array("\(endpoint)\n\(location)\n\(kind.rawValue)\(detail.isEmpty ? "" : "\n" + detail)".utf8))
    return hexText(hash.value)
  }
}
