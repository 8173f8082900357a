// Finds which requests of a session bring back what earlier answers gave.
//
// In: a session's exchanges in order of request start. Out: a graph of links. Owner: who reads the session; sans-IO.
// Bounds: CorrelationLimits; work is linear in the messages. No text is searched in another: both sides are cut into
// texts and words by their own syntax, and met by hash.

public import HTTPModel

/// What a finder may hold.
public struct CorrelationLimits: Hashable, Sendable {
  /// Values of answers, and of requests, that are remembered; about 100 bytes each.
  public var values = 200_000
  /// Nanoseconds of recorded time for which a value that nobody brings back is remembered.
  public var window: Int64 = 3_600_000_000_000
  /// Links; about 100 bytes each.
  public var links = 500_000
  /// A value that more answers show without being asked with it belongs to nobody, unless it was plainly made for its
  /// client: by a Set-Cookie, a form's input, the answer to an unsafe request.
  public var answers: UInt16 = 8

  public init() {}
}

/// Finds dependencies between the requests of a session.
public struct CorrelationFinder {
  private let limits: CorrelationLimits
  private var table: CandidateTable
  private var sources = InternTable<ValueSource>()
  private var places = InternTable<RequestPlace>()
  private var links: [CorrelationLink] = []
  /// For each link, under which key its value is counted; nil where its number of answers does not matter.
  private var keys: [ValueKey?] = []
  private var common: Set<ValueKey> = []
  private var isCut = false

  public init(limits: CorrelationLimits = CorrelationLimits()) {
    self.limits = limits
    table = CandidateTable(limit: max(1, limits.values), window: limits.window)
  }

  /// Takes the next exchange of the session.
  public mutating func add(_ exchange: Exchange) {
    table.advance(to: exchange.start.nanoseconds)
    var sent: Set<ValueKey> = []
    if let request = exchange.request {
      RequestTexts.visit(request) { text, place in match(text, place, exchange.id, request, &sent) }
    }
    if let response = exchange.response { offer(response, of: exchange, sent) }
  }

  /// The links that hold, now that it is known how often each value was shown.
  public mutating func finish() -> CorrelationGraph {
    let kept = links.indices.filter { index in keys[index].map { !common.contains($0) } ?? true }
    return CorrelationGraph(
      links: kept.map { links[$0] }, sources: sources.values, places: places.values, isCut: isCut)
  }
}

// MARK: - Requests

extension CorrelationFinder {
  /// A text of a request: all of it, what is encoded in it, or words of it may be known.
  private mutating func match(
    _ text: UnsafeBufferPointer<UInt8>, _ place: RequestText, _ dependant: ExchangeID, _ request: HTTPRequest,
    _ sent: inout Set<ValueKey>
  ) {
    let whole = 0..<text.count
    let start = request.timing.start.nanoseconds
    if ValueEntropy.bits(text) >= ValueEntropy.threshold {
      let key = ValueKey(text)
      sent.insert(key)
      if let entry = usable(key, start) { return link(entry, key, place, whole, dependant, start) }
      if matchBase64(text, place, whole, dependant, start) { return }
      let words = Words.ranges(in: text)
      var isKnown = false
      if words.first != whole {
        for word in words {
          let bytes = UnsafeBufferPointer(rebasing: text[word])
          guard ValueEntropy.bits(bytes) >= ValueEntropy.threshold else { continue }
          let key = ValueKey(bytes)
          sent.insert(key)
          if let entry = usable(key, start) {
            link(entry, key, place, word, dependant, start)
            isKnown = true
          } else {
            remember(key, start)
          }
        }
        // `Basic` and its like stand before what is encoded.
        if !isKnown, case .field = place.origin, let space = text.firstIndex(of: 0x20) {
          let rest = space + 1..<text.count
          if matchBase64(UnsafeBufferPointer(rebasing: text[rest]), place, rest, dependant, start) { return }
        }
      }
      if !isKnown { remember(key, start) }
    } else if let key = shortKey(text, place) {
      sent.insert(key)
      if let entry = usable(key, start) {
        link(entry, key, place, whole, dependant, start)
      } else {
        remember(key, start)
      }
    }
  }

  private mutating func matchBase64(
    _ text: UnsafeBufferPointer<UInt8>, _ place: RequestText, _ range: Range<Int>, _ dependant: ExchangeID,
    _ start: Int64
  ) -> Bool {
    guard text.count >= 12, let (bytes, _) = Base64.decode(text), bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
    else { return false }
    return bytes.withUnsafeBufferPointer { decoded in
      for part in [0..<decoded.count] + Words.ranges(in: decoded) {
        let value = UnsafeBufferPointer(rebasing: decoded[part])
        guard ValueEntropy.bits(value) >= ValueEntropy.threshold else { continue }
        let key = ValueKey(value)
        if let entry = usable(key, start) {
          link(entry, key, place, range, dependant, start, inner: part)
          return true
        }
      }
      return false
    }
  }

  /// The key of a short id: with the segment before it, or the name of what holds it.
  private func shortKey(_ text: UnsafeBufferPointer<UInt8>, _ place: RequestText) -> ValueKey? {
    guard CorrelationFinder.isShortID(text) else { return nil }
    if case .path(_, let before) = place.origin { return before.isEmpty ? nil : ValueKey(.pathID, before, text) }
    guard let name = place.name, FieldNames.isID(name) else { return nil }
    return ValueKey(.namedID, FieldNames.normalized(name).utf8, text)
  }

  static func isShortID(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    (1...20).contains(text.count) && text.allSatisfy(Words.isWordByte) && text.contains { (0x30...0x39).contains($0) }
  }

  private func usable(_ key: ValueKey, _ start: Int64) -> CandidateTable.Entry? {
    guard let entry = table[key], !entry.isClients, entry.time <= start else { return nil }
    return entry
  }

  /// A client sent a value that no answer had shown to it.
  private mutating func remember(_ key: ValueKey, _ time: Int64) {
    if table[key] != nil {
      table.update(key) { $0.isClients = true }
    } else {
      var entry = CandidateTable.Entry(
        producer: ExchangeID(connection: 0, ordinal: 0), source: 0, time: time, touched: time, isMade: false)
      entry.isClients = true
      table.insert(entry, under: key)
    }
  }

  private mutating func link(
    _ entry: CandidateTable.Entry, _ key: ValueKey, _ text: RequestText, _ part: Range<Int>, _ dependant: ExchangeID,
    _ start: Int64, inner: Range<Int>? = nil
  ) {
    guard links.count < limits.links, let place = places.index(of: text.requestPlace) else {
      isCut = true
      return
    }
    table.update(key) { entry in
      entry.wasUsed = true
      entry.touched = max(entry.touched, start)
    }
    let range = text.place(of: part)
    var link = CorrelationLink(
      producer: entry.producer, dependant: dependant, source: entry.source, place: place, encoding: text.encoding,
      section: text.section, lower: UInt32(range.lowerBound), upper: UInt32(range.upperBound))
    if let inner {
      link.encoding = .base64
      link.innerLower = UInt32(inner.lowerBound)
      link.innerUpper = UInt32(inner.upperBound)
    }
    links.append(link)
    keys.append(entry.isMade ? nil : key)
  }
}

// MARK: - Answers

extension CorrelationFinder {
  private mutating func offer(_ response: HTTPResponse, of exchange: Exchange, _ sent: Set<ValueKey>) {
    var offered = Offer(
      exchange: exchange.id, isMade: exchange.request.map { !$0.isSafe } ?? false,
      collection: exchange.request.flatMap(CorrelationFinder.collection(of:)), sent: sent)
    ResponseText.visit(response) { text, occurrence in
      switch occurrence {
      case .cookie: offered.time = response.timing.headEnd.nanoseconds
      // What an error says about itself is asked about nowhere.
      case _ where response.status >= 400: return
      case .field: offered.time = response.timing.headEnd.nanoseconds
      case .json, .control, .text: offered.time = response.timing.end.nanoseconds
      }
      offer(text, occurrence, isDecoded: false, &offered)
      PercentEncoding.decode(text, isForm: false)?.bytes.withUnsafeBufferPointer {
        if $0.count < text.count { offer($0, occurrence, isDecoded: true, &offered) }
      }
    }
  }

  /// What is the same for all values of an answer.
  private struct Offer {
    var exchange: ExchangeID
    var isMade: Bool
    /// The last segment of the request's path that is no id.
    var collection: String?
    /// What the request itself brought.
    var sent: Set<ValueKey>
    var time: Int64 = 0
    var shown: Set<ValueKey> = []
  }

  private mutating func offer(
    _ text: UnsafeBufferPointer<UInt8>, _ occurrence: ResponseText, isDecoded: Bool, _ offered: inout Offer
  ) {
    let isWorthy = ValueEntropy.bits(text) >= ValueEntropy.threshold
    if isWorthy { insert(ValueKey(text), .whole, occurrence, isDecoded, &offered) }
    if !isWorthy { offerShort(text, .whole, occurrence, isDecoded, &offered) }
    // A text of many words is nothing that comes back in pieces.
    guard isWorthy || isLocation(occurrence), text.count <= 2048 else { return }
    let words = Words.ranges(in: text)
    guard words.first != 0..<text.count else { return }
    for (index, word) in words.enumerated() {
      let bytes = UnsafeBufferPointer(rebasing: text[word])
      let part = ValuePart.word(index: UInt16(index), count: UInt16(words.count))
      if ValueEntropy.bits(bytes) >= ValueEntropy.threshold {
        insert(ValueKey(bytes), part, occurrence, isDecoded, &offered)
      } else if index > 0, text[word.lowerBound - 1] == UInt8(ascii: "/"), CorrelationFinder.isShortID(bytes),
        words[index - 1].upperBound == word.lowerBound - 1
      {
        insert(ValueKey(.pathID, text[words[index - 1]], bytes), part, occurrence, isDecoded, &offered)
      }
    }
  }

  private func isLocation(_ occurrence: ResponseText) -> Bool {
    if case .field(let name) = occurrence { return asciiCaseInsensitiveEqual(name, "location".utf8) }
    return false
  }

  /// A short id counts together with what it is the id of.
  private mutating func offerShort(
    _ text: UnsafeBufferPointer<UInt8>, _ part: ValuePart, _ occurrence: ResponseText, _ isDecoded: Bool,
    _ offered: inout Offer
  ) {
    guard CorrelationFinder.isShortID(text), case .json(let walk) = occurrence else { return }
    var names = walk.names.makeIterator()
    guard let name = names.next(), FieldNames.isID(name) else { return }
    var collections: [String] = []
    let stem = FieldNames.normalized(name).dropLast(2)
    if stem.isEmpty || stem == "u" {
      if let parent = names.next() { collections += [parent, parent + "s"] }
      if walk.path.count <= 2, let collection = offered.collection { collections.append(collection) }
    } else {
      collections = [String(stem), stem + "s"]
      insert(ValueKey(.namedID, FieldNames.normalized(name).utf8, text), part, occurrence, isDecoded, &offered)
    }
    for collection in collections {
      insert(ValueKey(.pathID, collection.utf8, text), part, occurrence, isDecoded, &offered)
      let holder = FieldNames.singular(FieldNames.normalized(collection)) + "id"
      insert(ValueKey(.namedID, holder.utf8, text), part, occurrence, isDecoded, &offered)
    }
  }

  private static func collection(of request: HTTPRequest) -> String? {
    let path = request.target.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
    let segments = path.split(separator: UInt8(ascii: "/")).suffix(2)
    return segments.last { segment in !segment.contains { (0x30...0x39).contains($0) } }
      .map { String(decoding: $0, as: UTF8.self) }
  }

  private mutating func insert(
    _ key: ValueKey, _ part: ValuePart, _ occurrence: ResponseText, _ isDecoded: Bool, _ offered: inout Offer
  ) {
    guard !offered.sent.contains(key), offered.shown.insert(key).inserted else { return }
    var isMade = offered.isMade
    switch occurrence {
    case .cookie, .control: isMade = true
    case .field, .json, .text: break
    }
    if let known = table[key] {
      if known.isClients { return }
      table.update(key) { $0.answers = min($0.answers, .max - 1) + 1 }
      if !known.isMade, known.answers >= limits.answers { common.insert(key) }
      // Of what was shown before it was plainly made for a client, nothing hangs on the first sight.
      guard isMade, !known.isMade, !known.wasUsed else { return }
    }
    guard
      let source = sources.index(of: ValueSource(occurrence.place, part: part, isPercentEncoded: isDecoded))
    else { return }
    table.insert(
      CandidateTable.Entry(
        producer: offered.exchange, source: source, time: offered.time, touched: offered.time, isMade: isMade),
      under: key)
  }
}

/// Equal values once, by number. Bounds: 100,000 values.
struct InternTable<Value: Hashable> {
  private(set) var values: [Value] = []
  private var indices: [Value: UInt32] = [:]
  private static var limit: Int { 100_000 }

  /// The number of a value; nil where it is new and there is no room.
  mutating func index(of value: Value) -> UInt32? {
    if let index = indices[value] { return index }
    guard values.count < Self.limit else { return nil }
    let index = UInt32(values.count)
    indices[value] = index
    values.append(value)
    return index
  }
}
