// What requests have in common: query parameters, header fields, fields of a body; and which of it separates the
// requests that are affected by a difference from those that are not.
// In: one request after another. Out: for the request at hand the numbers of its features; later, the best separators.
// Owner: RunAnalysis, one table an endpoint. Bounds: features an endpoint, values a name, bytes and members of a body.

import ContentTree
import HTTPModel

/// A property of a request, and how well it separates the affected from the others.
public struct SeparatingFeature: Hashable, Sendable {
  /// `currency=JPY`, `header accept-language: ja`, `body /currency = "JPY"`; of a name alone, that it is there at all.
  public var text: String
  /// True where it is its absence that goes with the difference.
  public var isAbsent: Bool
  /// Share of the affected requests that have it (lack it, where ``isAbsent``), and of the others.
  public var affected: Double
  /// See ``affected``.
  public var others: Double

  public init(text: String, isAbsent: Bool, affected: Double, others: Double) {
    self.text = text
    self.isAbsent = isAbsent
    self.affected = affected
    self.others = others
  }
}

struct FeatureTable {
  private static let featureLimit = 192
  /// A name with more values than this tells requests apart by itself, such as an id: only its presence is kept.
  private static let valueLimit = 24
  private static let bodyLimit = 16 << 10
  private static let memberLimit = 32
  /// Names and values above this are looked at as far as this.
  private static let textLimit = 80

  private struct Feature {
    var text: String
    /// The feature that stands for its name alone; itself for one.
    var name: Int
    var values = 0
    var isDropped = false
    var count: UInt32 = 0
    var lastRequest: UInt64 = 0
  }

  private var numbers = FeatureNumbers(capacity: featureLimit)
  private var features: [Feature] = []
  private(set) var requests: UInt64 = 0

  /// Counts a request and appends the numbers of its features.
  mutating func count(_ request: HTTPRequest, into present: inout [Int]) {
    requests += 1
    let target = request.target
    if let mark = target.firstIndex(of: UInt8(ascii: "?")) {
      let query = target[(mark + 1)...].prefix { $0 != UInt8(ascii: "#") }
      for pair in query.split(separator: UInt8(ascii: "&"), maxSplits: Self.memberLimit).prefix(Self.memberLimit) {
        let end = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
        count(.query, pair[..<end], pair[end...].dropFirst(), into: &present)
      }
    }
    for index in 0..<min(request.fields.count, 64) where !request.fields.isPseudoField(index) {
      if Self.silentFields.contains(where: { request.fields.matches(index, $0) }) { continue }
      let isSecret = Self.secretFields.contains { request.fields.matches(index, $0) }
      count(.header, request.fields.name(at: index), isSecret ? [] : request.fields.value(at: index), into: &present)
    }
    let body = request.body
    guard !body.bytes.isEmpty, body.isComplete, body.bytes.count <= Self.bodyLimit else { return }
    countBody(body.bytes, MediaTypeName(request.fields.first("content-type")), into: &present)
  }

  private mutating func countBody(_ bytes: [UInt8], _ type: MediaTypeName, into present: inout [Int]) {
    if type.isForm, let fields = FormField.read(bytes) {
      for field in fields.prefix(Self.memberLimit) { count(.body, field.name[...], field.value[...], into: &present) }
    } else if type.isJSON || bytes[0] == UInt8(ascii: "{"), let document = try? JSONDocument(bytes) {
      guard document.kind(of: document.root) == .object else { return }
      var rest = Self.memberLimit
      for child in document.children(of: document.root) where rest > 0 {
        rest -= 1
        let isScalar = ![.object, .array].contains(document.kind(of: child.value))
        let value = isScalar ? Array(document.excerpt(of: child.value, limit: Self.textLimit).utf8) : []
        count(.body, Array(document.text(of: child.name!).utf8)[...], value[...], into: &present)
      }
    }
  }

  private enum Source: UInt64 {
    case query = 1
    case header, body
  }

  private mutating func count(
    _ source: Source, _ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>, into present: inout [Int]
  ) {
    let name = name.prefix(Self.textLimit)
    let value = value.prefix(Self.textLimit)
    let nameHash = hash(name, seed: source.rawValue, foldsCase: source == .header)
    let number: Int
    if let known = numbers[nameHash] {
      number = known
    } else {
      guard features.count < Self.featureLimit, !name.isEmpty else { return }
      number = features.count
      features.append(Feature(text: text(source, name, nil), name: number))
      numbers.add(nameHash, number)
    }
    note(number, into: &present)
    guard !value.isEmpty, !features[number].isDropped else { return }
    let valueHash = hash(value, seed: nameHash, foldsCase: false)
    if let known = numbers[valueHash] {
      note(known, into: &present)
    } else if features[number].values >= Self.valueLimit || features.count >= Self.featureLimit {
      features[number].isDropped = true
    } else {
      features[number].values += 1
      numbers.add(valueHash, features.count)
      features.append(Feature(text: text(source, name, value), name: number))
      note(features.count - 1, into: &present)
    }
  }

  private mutating func note(_ number: Int, into present: inout [Int]) {
    // A name that comes twice is one feature of the request.
    guard features[number].lastRequest != requests else { return }
    features[number].lastRequest = requests
    features[number].count &+= 1
    present.append(number)
  }

  private func hash(_ bytes: ArraySlice<UInt8>, seed: UInt64, foldsCase: Bool) -> UInt64 {
    var hash = seed &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count)
    bytes.withUnsafeBufferPointer { bytes in
      for byte in bytes {
        let byte = foldsCase && byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
        hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
      }
    }
    return SplitMix64.mixed(hash)
  }

  private func text(_ source: Source, _ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>?) -> String {
    let name = excerptText(name, limit: Self.textLimit)
    let value = value.map { excerptText($0, limit: Self.textLimit) }
    return switch source {
    case .query: value.map { "\(name)=\($0)" } ?? "parameter \(name)"
    case .header: value.map { "header \(name.lowercased()): \($0)" } ?? "header \(name.lowercased())"
    case .body: value.map { "body \(name)=\($0)" } ?? "body field \(name)"
    }
  }

  /// Differ from request to request by nature, or follow from the endpoint.
  private static let silentFields: [StaticString] = [
    "content-length", "date", "x-request-id", "x-correlation-id", "traceparent", "tracestate", "idempotency-key",
    "connection",
  ]
  /// Only their presence is looked at.
  private static let secretFields: [StaticString] = ["authorization", "cookie", "proxy-authorization", "x-api-key"]

  /// The least of Youden's J that is worth telling.
  private static let separationFloor = 0.6

  /// What best separates the affected requests from the others; the best first, at most two. Empty where nothing does, or
  /// where that may be chance: Fisher's exact test, at 1 % over all features of the endpoint.
  func separators(_ affected: FeatureCounts) -> [SeparatingFeature] {
    let (drawn, others) = (affected.requests, requests &- min(requests, affected.requests))
    guard drawn >= 3, others >= 3 else { return [] }
    var found: [(feature: SeparatingFeature, strength: Double, number: Int)] = []
    for (number, feature) in features.enumerated() where number == feature.name || !features[feature.name].isDropped {
      let with = UInt64(number < affected.counts.count ? affected.counts[number] : 0)
      let rest = UInt64(feature.count) - min(UInt64(feature.count), with)
      for isAbsent in [false, true] where !isAbsent || number == feature.name {
        let (a, o) = isAbsent ? (drawn - min(drawn, with), others - min(others, rest)) : (with, rest)
        let strength = DifferenceStatistics.separation(affectedWith: a, of: drawn, othersWith: o, of: others)
        guard strength >= Self.separationFloor else { continue }
        let p = DifferenceStatistics.associationTest(affectedWith: a, of: drawn, othersWith: o, of: others)
        guard p * Double(2 * features.count) <= 0.01 else { continue }
        let shares = (Double(a) / Double(drawn), Double(o) / Double(others))
        found.append(
          (
            SeparatingFeature(text: feature.text, isAbsent: isAbsent, affected: shares.0, others: shares.1), strength,
            feature.name
          ))
      }
    }
    // Of a name and its value that separate as well, the value says more.
    found.sort {
      ($1.strength, $1.feature.text.contains("=") ? 1 : 0) < ($0.strength, $0.feature.text.contains("=") ? 1 : 0)
    }
    guard let best = found.first else { return [] }
    let second = found.dropFirst().first { $0.number != best.number && $0.strength >= best.strength - 0.02 }
    return [best.feature] + (second.map { [$0.feature] } ?? [])
  }
}

/// How many affected requests had each feature, by its number in the endpoint's table.
struct FeatureCounts {
  private(set) var counts: [UInt32] = []
  private(set) var requests: UInt64 = 0

  mutating func count(_ present: [Int]) {
    requests += 1
    for number in present {
      if number >= counts.count { counts += Array(repeating: 0, count: number + 1 - counts.count) }
      counts[number] &+= 1
    }
  }
}

/// Numbers by hashes that are mixed well already; there is always a free place, so that a search ends.
private struct FeatureNumbers {
  private var hashes: [UInt64]
  private var numbers: [Int32]

  /// - Parameter capacity: the most that are ever put in.
  init(capacity: Int) {
    var places = 4
    while places < capacity * 2 { places *= 2 }
    hashes = Array(repeating: 0, count: places)
    numbers = Array(repeating: -1, count: places)
  }

  subscript(hash: UInt64) -> Int? {
    let place = place(of: hash)
    return numbers[place] < 0 ? nil : Int(numbers[place])
  }

  mutating func add(_ hash: UInt64, _ number: Int) {
    let place = place(of: hash)
    (hashes[place], numbers[place]) = (hash, Int32(number))
  }

  /// Where it is, or where it would be.
  private func place(of hash: UInt64) -> Int {
    let mask = hashes.count &- 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while numbers[place] >= 0, hashes[place] != hash { place = (place &+ 1) & mask }
    return place
  }
}
