// Header or trailer fields of two responses to differences.
// In: two field sections. Out: differences appended. Owner: ResponseComparator. Bounds: near linear.
//
// Sections with the same names in the same order are done in one walk that allocates nothing where values agree; what
// differs there, and every name where the order differs, is compared by meaning.

import HTTPModel

struct FieldComparison {
  let options: ComparisonOptions
  let isTrailer: Bool
  /// Whether Content-Length is compared: where there is no body that could be.
  let comparesLength: Bool
  /// Whether gRPC's status was compared by itself.
  var isGRPC = false

  func differences(_ expected: HeaderFields, _ actual: HeaderFields, into differences: inout [Difference]) {
    guard let suspects = suspectFields(expected, actual) else {
      let names = Set((0..<expected.count).map { lowercased(expected.name(at: $0)) })
        .union((0..<actual.count).map { lowercased(actual.name(at: $0)) })
      return compare(names.sorted { $0.lexicographicallyPrecedes($1) }, expected, actual, &differences)
    }
    if suspects.isEmpty { return }
    let names = Set(suspects.map { lowercased(expected.name(at: $0)) })
    compare(names.sorted { $0.lexicographicallyPrecedes($1) }, expected, actual, &differences)
  }

  private func compare(
    _ names: [[UInt8]], _ expected: HeaderFields, _ actual: HeaderFields, _ differences: inout [Difference]
  ) {
    let ignored = ignoredNames
    if ignored.contains("*") { return }
    let listed = connectionOptions(expected).union(connectionOptions(actual))
    // Few names are looked up by walking the fields; for many, the fields are sorted by name first.
    let groups = names.count > 16 ? (grouped(expected), grouped(actual)) : nil
    for name in names {
      if differences.count > options.differenceLimit { return }
      if isGRPC, name.elementsEqual("grpc-status".utf8) || name.elementsEqual("grpc-message".utf8) { continue }
      if listed.contains(name) || ignored.contains(String(decoding: name, as: UTF8.self)) { continue }
      let meaning = FieldMeaning(name: name[...])
      switch meaning {
      case .transient: continue
      case .contentLength where !comparesLength: continue
      default:
        let e = groups.map { $0.0[name] ?? [] } ?? values(of: name, in: expected)
        let a = groups.map { $0.1[name] ?? [] } ?? values(of: name, in: actual)
        compare(name, meaning, e, a, expected, actual, &differences)
      }
    }
  }

  private var ignoredNames: Set<String> {
    var names: Set<String> = []
    for location in options.ignore {
      switch location {
      case .header(let name) where !isTrailer: names.insert(name.lowercased())
      case .trailer(let name) where isTrailer: names.insert(name.lowercased())
      default: break
      }
    }
    return names
  }

  /// Where the sections have the same names in the same order: the indices of values that differ and may count.
  /// nil where they have not.
  private func suspectFields(_ expected: HeaderFields, _ actual: HeaderFields) -> [Int]? {
    guard expected.count == actual.count else { return nil }
    return expected.storage.withUnsafeBufferPointer { e in
      actual.storage.withUnsafeBufferPointer { a in
        var suspects: [Int] = []
        for index in expected.ranges.indices {
          let (x, y) = (expected.ranges[index], actual.ranges[index])
          guard equalNames(e, x, a, y) else { return nil }
          if equalValues(e, x, a, y) || expected.matches(index, "date") { continue }
          if !comparesLength, expected.matches(index, "content-length") { continue }
          suspects.append(index)
        }
        return suspects
      }
    }
  }

  @inline(__always)
  private func equalNames(
    _ e: UnsafeBufferPointer<UInt8>, _ x: FieldRange, _ a: UnsafeBufferPointer<UInt8>, _ y: FieldRange
  ) -> Bool {
    let count = x.nameEnd &- x.nameStart
    guard count == y.nameEnd &- y.nameStart else { return false }
    for offset in 0..<Int(count) {
      let (p, q) = (e[Int(x.nameStart) &+ offset], a[Int(y.nameStart) &+ offset])
      if p != q, p | 0x20 != q | 0x20 || p | 0x20 < 0x61 || p | 0x20 > 0x7a { return false }
    }
    return true
  }

  @inline(__always)
  private func equalValues(
    _ e: UnsafeBufferPointer<UInt8>, _ x: FieldRange, _ a: UnsafeBufferPointer<UInt8>, _ y: FieldRange
  ) -> Bool {
    let count = Int(x.valueEnd &- x.valueStart)
    guard count == Int(y.valueEnd &- y.valueStart) else { return false }
    return equalBytes(
      UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(e)[Int(x.valueStart)..<Int(x.valueStart) + count]),
      UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(a)[Int(y.valueStart)..<Int(y.valueStart) + count]))
  }

  /// The values under a name in lower case, in order.
  private func values(of name: [UInt8], in fields: HeaderFields) -> [ArraySlice<UInt8>] {
    fields.ranges.indices.filter { asciiCaseInsensitiveEqual(fields.name(at: $0), name) }.map { fields.value(at: $0) }
  }

  private func grouped(_ fields: HeaderFields) -> [[UInt8]: [ArraySlice<UInt8>]] {
    Dictionary(grouping: fields.ranges.indices) { lowercased(fields.name(at: $0)) }
      .mapValues { $0.map { fields.value(at: $0) } }
  }

  /// The field names that Connection lists: they concern one connection only (RFC 9110, 7.6.1).
  private func connectionOptions(_ fields: HeaderFields) -> Set<[UInt8]> {
    guard fields.first("connection") != nil else { return [] }
    return Set(fields.indices(of: "connection").flatMap { listElements(fields.value(at: $0)).map { lowercased($0) } })
  }

  private func compare(
    _ name: [UInt8], _ meaning: FieldMeaning, _ e: [ArraySlice<UInt8>], _ a: [ArraySlice<UInt8>],
    _ expected: HeaderFields, _ actual: HeaderFields, _ differences: inout [Difference]
  ) {
    let text = boundedName(String(decoding: name, as: UTF8.self))
    let location: DifferenceLocation = isTrailer ? .trailer(text) : .header(text)
    if case .cookie = meaning { return compareCookies(location, e, a, &differences) }
    let isSame =
      switch meaning {
      case .set(let ignoresCase):
        !e.isEmpty && !a.isEmpty && elements(e, ignoresCase) == elements(a, ignoresCase)
      case .directives: !e.isEmpty && !a.isEmpty && directives(e) == directives(a)
      case .date: e.isEmpty == a.isEmpty && (joined(e) == joined(a) || areEqualTimes(e, a))
      case .mediaType: e.map { MediaType($0) } == a.map { MediaType($0) }
      case .expiry: joined(e) == joined(a) && e.isEmpty == a.isEmpty || haveEqualLifetimes(e, a, expected, actual)
      default: joined(e) == joined(a) && e.isEmpty == a.isEmpty
      }
    if isSame { return }
    let kind: DifferenceKind = e.isEmpty ? .added : a.isEmpty ? .removed : .changed
    var severity = kind.fieldSeverity
    if case .contentCoding = meaning { severity = .info }
    differences.append(
      Difference(
        location: location, kind: kind, severity: severity, expected: e.isEmpty ? nil : excerpt(joined(e)),
        actual: a.isEmpty ? nil : excerpt(joined(a))))
  }

  private func elements(_ values: [ArraySlice<UInt8>], _ ignoresCase: Bool) -> Set<[UInt8]> {
    Set(values.flatMap { listElements($0).map { ignoresCase ? lowercased($0) : Array($0) } })
  }

  private func directives(_ values: [ArraySlice<UInt8>]) -> Set<[UInt8]> {
    Set(values.flatMap { listElements($0, separator: UInt8(ascii: ";")).map { lowercased($0) } })
  }

  private func areEqualTimes(_ e: [ArraySlice<UInt8>], _ a: [ArraySlice<UInt8>]) -> Bool {
    guard e.count == 1, a.count == 1, let x = httpDateSeconds(e[0]), let y = httpDateSeconds(a[0]) else { return false }
    return x == y
  }

  /// Several fields with one name mean the same as one with their values after one another (RFC 9110, 5.2).
  private func joined(_ values: [ArraySlice<UInt8>]) -> [UInt8] { Array(values.joined(separator: ", ".utf8)) }

  private func excerpt(_ value: [UInt8]) -> String { excerptText(value, limit: options.excerptLimit) }

  /// Whether Expires lies as long after Date on both sides, give or take the second that senders round.
  private func haveEqualLifetimes(
    _ e: [ArraySlice<UInt8>], _ a: [ArraySlice<UInt8>], _ expected: HeaderFields, _ actual: HeaderFields
  ) -> Bool {
    guard e.count == 1, a.count == 1, let x = lifetime(e[0], expected), let y = lifetime(a[0], actual) else {
      return false
    }
    return abs(x - y) <= 1
  }

  private func lifetime(_ expires: ArraySlice<UInt8>, _ fields: HeaderFields) -> Int64? {
    guard let end = httpDateSeconds(expires), let start = fields.first("date").flatMap({ httpDateSeconds($0) }) else {
      return nil
    }
    return end - start
  }

  /// Cookies by name, each by value and attributes at places of their own: `set-cookie/NAME` and
  /// `set-cookie/NAME/ATTRIBUTE`. Of several with one name the last counts (RFC 6265, 5.3).
  private func compareCookies(
    _ location: DifferenceLocation, _ e: [ArraySlice<UInt8>], _ a: [ArraySlice<UInt8>],
    _ differences: inout [Difference]
  ) {
    let expected = Dictionary(e.map { SetCookie($0) }.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    let actual = Dictionary(a.map { SetCookie($0) }.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    let names = Set(expected.keys).union(actual.keys).sorted { $0.lexicographicallyPrecedes($1) }
    for name in names where expected[name] != actual[name] {
      if differences.count > options.differenceLimit { return }
      let place = "set-cookie/" + String(decoding: name, as: UTF8.self)
      guard let x = expected[name], let y = actual[name] else {
        let kind: DifferenceKind = expected[name] == nil ? .added : .removed
        append(place, kind, expected[name]?.text, actual[name]?.text, &differences)
        continue
      }
      if x.value != y.value { append(place, .changed, x.value, y.value, &differences) }
      for attribute in Set(x.attributes.map(\.name) + y.attributes.map(\.name)).sorted(by: {
        $0.lexicographicallyPrecedes($1)
      }) {
        let (p, q) = (x.value(of: attribute), y.value(of: attribute))
        if p == q { continue }
        let kind: DifferenceKind = p == nil ? .added : q == nil ? .removed : .changed
        append(place + "/" + String(decoding: attribute, as: UTF8.self), kind, p, q, &differences)
      }
    }
  }

  private func append(
    _ place: String, _ kind: DifferenceKind, _ expected: [UInt8]?, _ actual: [UInt8]?,
    _ differences: inout [Difference]
  ) {
    let name = boundedName(place)
    differences.append(
      Difference(
        location: isTrailer ? .trailer(name) : .header(name), kind: kind, severity: kind.fieldSeverity,
        expected: expected.map { excerpt($0) }, actual: actual.map { excerpt($0) }))
  }
}

extension DifferenceKind {
  /// How much it weighs that a field, of a header section or of a body, shows this.
  var fieldSeverity: DifferenceSeverity {
    switch self {
    case .removed, .type, .error: .high
    case .changed, .length: .medium
    case .added, .order: .low
    }
  }
}
