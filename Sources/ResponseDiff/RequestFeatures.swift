// What requests have in common: query parameters, header fields, fields of a body; and which of it separates the
// requests that are affected by a difference from those that are not.
// In: one request after another. Out: for the request at hand the numbers of its features; later, the best separators.
// Owner: RunAnalysis, one table an endpoint. Bounds: features an endpoint, values a name, bytes and members of a body.

import ContentTree
import Glibc
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
  /// Field lines that are remembered.
  private static let lineLimit = 24
  /// Bytes of one.
  private static let lineLength = 192

  private struct Feature {
    var text: String
    /// The feature that stands for its name alone; itself for one.
    var name: Int
    var values = 0
  }

  /// What is counted of a feature: apart from its text, so that counting touches nothing that is counted itself.
  private struct Tally {
    var count: UInt32 = 0
    /// Its values are not looked at: they are too many, or secrets.
    var isDropped = false
    var lastRequest: UInt64 = 0

    /// - Returns: false where it was counted of this request before: a name that comes twice is one feature of it.
    @inline(__always)
    mutating func isNoted(in request: UInt64) -> Bool {
      guard lastRequest != request else { return false }
      lastRequest = request
      count &+= 1
      return true
    }
  }

  /// A field line that stood at its place in a request before. Most requests repeat most of them.
  private struct Line {
    /// From the name's first octet: where the name ends, and where the value begins and ends.
    var ends: (name: Int, separator: Int, value: Int) = (0, 0, 0)
    var nameHash: UInt64 = 0
    var name = FeatureTable.silent
    /// Below 0 where its value is no feature.
    var value = -1
  }

  /// By hash of source and name, and of these and value; ``silent`` where a name is not looked at.
  private var numbers = HashIndex(capacity: featureLimit)
  private var features: [Feature] = []
  private var tallies: [Tally] = []
  private var lines: [Line] = []
  private var lineBytes: [UInt8] = []
  private(set) var requests: UInt64 = 0

  private static let silent = Int.max

  /// Counts a request and appends the numbers of its features.
  mutating func count(_ request: HTTPRequest, into present: inout [Int]) {
    requests += 1
    let (fields, target) = (request.fields, request.targetRange)
    fields.storage.withUnsafeBufferPointer { storage in
      let line = UnsafeBufferPointer(rebasing: storage[Int(target.lowerBound)..<Int(target.upperBound)])
      countQuery(line, into: &present)
      fields.ranges.withUnsafeBufferPointer { countHeader($0, storage, into: &present) }
    }
    let body = request.body
    guard !body.bytes.isEmpty, body.isComplete, body.bytes.count <= Self.bodyLimit else { return }
    countBody(body.bytes, MediaTypeName(fields.first("content-type")), into: &present)
  }

  /// Counts lines that are the same as before at one glance, the others one by one.
  private mutating func countHeader(
    _ ranges: UnsafeBufferPointer<FieldRange>, _ storage: UnsafeBufferPointer<UInt8>, into present: inout [Int]
  ) {
    let count = min(ranges.count, UInt64.bitWidth)
    let all = count == UInt64.bitWidth ? UInt64.max : 1 &<< UInt64(count) &- 1
    // By the bits of their places: lines whose name is the one remembered, and those of them that have another value.
    var (known, others): (UInt64, UInt64) = (0, 0)
    let requests = requests
    lineBytes.withUnsafeBufferPointer { bytes in
      tallies.withUnsafeMutableBufferPointer { tallies in
        guard let octets = storage.baseAddress, let bytes = bytes.baseAddress else { return }
        for index in 0..<min(count, lines.count) {
          let (range, line) = (ranges[index], lines[index])
          let ends = range.ends
          let (octets, bytes) = (octets + Int(range.nameStart), bytes + index &* Self.lineLength)
          guard ends.name == line.ends.name, ends.name > 0, memcmp(octets, bytes, ends.name) == 0 else { continue }
          known |= 1 &<< UInt64(index)
          if line.name == Self.silent { continue }
          if tallies[line.name].isNoted(in: requests) { present.append(line.name) }
          if tallies[line.name].isDropped { continue }
          guard line.value >= 0, ends == line.ends,
            memcmp(octets + ends.separator, bytes + ends.separator, ends.value &- ends.separator) == 0
          else {
            others |= 1 &<< UInt64(index)
            continue
          }
          if tallies[line.value].isNoted(in: requests) { present.append(line.value) }
        }
      }
    }
    while others != 0 {
      let index = others.trailingZeroBitCount
      others &= others &- 1
      let (name, value) = ranges[index].parts(in: storage)
      _ = countValue(value, of: lines[index].name, .header, name, lines[index].nameHash, into: &present)
    }
    var new = all & ~known
    while new != 0 {
      let index = new.trailingZeroBitCount
      new &= new &- 1
      countHeader(ranges[index], at: index, storage, into: &present)
    }
  }

  /// Counts a line, and remembers it at its place.
  private mutating func countHeader(
    _ range: FieldRange, at index: Int, _ storage: UnsafeBufferPointer<UInt8>, into present: inout [Int]
  ) {
    let (name, value) = range.parts(in: storage)
    // A pseudo-header field says what the target does.
    if name.first == UInt8(ascii: ":") { return }
    let ends = range.ends
    guard let counted = count(.header, name, value, into: &present), index < Self.lineLimit, Self.isLine(range) else {
      return
    }
    while lines.count <= index {
      lines.append(Line())
      lineBytes.append(contentsOf: repeatElement(0, count: Self.lineLength))
    }
    lines[index] = Line(ends: ends, nameHash: counted.nameHash, name: counted.name, value: counted.value)
    lineBytes.withUnsafeMutableBufferPointer { bytes in
      (bytes.baseAddress! + index * Self.lineLength)
        .update(from: storage.baseAddress! + Int(range.nameStart), count: ends.value)
    }
  }

  /// Whether a field is one line that can be remembered: a name, what separates, and a value, in this order. A session's
  /// table may say anything else.
  static func isLine(_ range: FieldRange) -> Bool {
    let ends = range.ends
    return 0 < ends.name && ends.name <= ends.separator && ends.separator <= ends.value && ends.value <= lineLength
  }

  private mutating func countQuery(_ target: UnsafeBufferPointer<UInt8>, into present: inout [Int]) {
    guard let mark = target.firstIndex(of: UInt8(ascii: "?")) else { return }
    var (start, members) = (mark + 1, 0)
    let end = target[start...].firstIndex(of: UInt8(ascii: "#")) ?? target.count
    while start < end, members < Self.memberLimit {
      var (next, equals) = (start, -1)
      while next < end, target[next] != UInt8(ascii: "&") {
        if equals < 0, target[next] == UInt8(ascii: "=") { equals = next }
        next &+= 1
      }
      if next > start {
        members += 1
        let nameEnd = equals < 0 ? next : equals
        count(
          .query, UnsafeBufferPointer(rebasing: target[start..<nameEnd]),
          UnsafeBufferPointer(rebasing: target[min(nameEnd + 1, next)..<next]), into: &present)
      }
      start = next + 1
    }
  }

  private mutating func countBody(_ bytes: [UInt8], _ type: MediaTypeName, into present: inout [Int]) {
    if type.isForm, let fields = FormField.read(bytes) {
      for field in fields.prefix(Self.memberLimit) { countMember(field.name, field.value, into: &present) }
    } else if type.isJSON || bytes[0] == UInt8(ascii: "{"), let document = try? JSONDocument(bytes) {
      guard document.kind(of: document.root) == .object else { return }
      var rest = Self.memberLimit
      for child in document.children(of: document.root) where rest > 0 {
        rest -= 1
        let isScalar = ![.object, .array].contains(document.kind(of: child.value))
        let value = isScalar ? Array(document.excerpt(of: child.value, limit: Self.textLimit).utf8) : []
        countMember(Array(document.text(of: child.name!).utf8), value, into: &present)
      }
    }
  }

  private mutating func countMember(_ name: [UInt8], _ value: [UInt8], into present: inout [Int]) {
    name.withUnsafeBufferPointer { name in
      value.withUnsafeBufferPointer { value in _ = count(.body, name, value, into: &present) }
    }
  }

  private enum Source: UInt64 {
    case query = 1
    case header, body
  }

  /// - Returns: the features of the name and of the value, as of ``Line``; nil where there is no room for the name.
  @discardableResult
  private mutating func count(
    _ source: Source, _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>,
    into present: inout [Int]
  ) -> (name: Int, nameHash: UInt64, value: Int)? {
    let name = UnsafeBufferPointer(rebasing: name.prefix(Self.textLimit))
    let hash = octetHash(name, seed: source.rawValue, foldsCase: source == .header)
    guard let number = numbers.number(of: hash) ?? enter(source, name, hash) else { return nil }
    if number == Self.silent { return (number, hash, -1) }
    note(number, into: &present)
    return (number, hash, countValue(value, of: number, source, name, hash, into: &present))
  }

  /// - Returns: the feature of the value; below 0 where it is none.
  private mutating func countValue(
    _ value: UnsafeBufferPointer<UInt8>, of number: Int, _ source: Source, _ name: UnsafeBufferPointer<UInt8>,
    _ nameHash: UInt64, into present: inout [Int]
  ) -> Int {
    guard !value.isEmpty, !tallies[number].isDropped else { return -1 }
    let value = UnsafeBufferPointer(rebasing: value.prefix(Self.textLimit))
    let hash = octetHash(value, seed: nameHash)
    if let known = numbers.number(of: hash, where: { $0 != Self.silent }) {
      note(known, into: &present)
      return known
    }
    guard features[number].values < Self.valueLimit, features.count < Self.featureLimit else {
      tallies[number].isDropped = true
      return -1
    }
    features[number].values += 1
    let added = add(Feature(text: text(source, Array(name)[...], Array(value)[...]), name: number), hash)
    note(added, into: &present)
    return added
  }

  /// Takes a name up that was not seen before; nil where there is no room for it.
  private mutating func enter(
    _ source: Source, _ name: UnsafeBufferPointer<UInt8>, _ hash: UInt64
  ) -> Int? {
    if source == .header, Self.silentFields.contains(where: { name.isEqual(toLowercase: $0) }) {
      numbers.add(hash, Self.silent)
      return Self.silent
    }
    guard features.count < Self.featureLimit, !name.isEmpty else { return nil }
    let added = add(Feature(text: text(source, Array(name)[...], nil), name: features.count), hash)
    tallies[added].isDropped = source == .header && Self.secretFields.contains { name.isEqual(toLowercase: $0) }
    return added
  }

  private mutating func add(_ feature: Feature, _ hash: UInt64) -> Int {
    numbers.add(hash, features.count)
    features.append(feature)
    tallies.append(Tally())
    return features.count - 1
  }

  @inline(__always)
  private mutating func note(_ number: Int, into present: inout [Int]) {
    if tallies[number].isNoted(in: requests) { present.append(number) }
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
    for (number, feature) in features.enumerated() where number == feature.name || !tallies[feature.name].isDropped {
      let with = UInt64(number < affected.counts.count ? affected.counts[number] : 0)
      let count = UInt64(tallies[number].count)
      let rest = count - min(count, with)
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

extension UnsafeBufferPointer<UInt8> {
  /// - Parameter name: in lower case.
  fileprivate func isEqual(toLowercase name: StaticString) -> Bool {
    guard count == name.utf8CodeUnitCount else { return false }
    return indices.allSatisfy { index in
      let byte = self[index]
      return (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) == name.utf8Start[index]
    }
  }
}

extension FieldRange {
  /// Where its parts end, from its name's first octet.
  fileprivate var ends: (name: Int, separator: Int, value: Int) {
    let start = Int(nameStart)
    return (Int(nameEnd) &- start, Int(valueStart) &- start, Int(valueEnd) &- start)
  }

  fileprivate func parts(
    in storage: UnsafeBufferPointer<UInt8>
  ) -> (name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
    (
      UnsafeBufferPointer(rebasing: storage[Int(nameStart)..<Int(nameEnd)]),
      UnsafeBufferPointer(rebasing: storage[Int(valueStart)..<Int(valueEnd)])
    )
  }
}
