// Set-Cookie fields taken apart (RFC 6265, 5.2). In: a field's value. Out: a name, a value and attributes.

/// One cookie as a response sets it.
struct SetCookie: Hashable {
  var name: [UInt8]
  var value: [UInt8]
  /// Names in lower case, sorted by name; the value of Expires is left out, it follows the clock.
  var attributes: [Attribute]

  struct Attribute: Hashable {
    var name: [UInt8]
    var value: [UInt8]
  }

  init(_ field: ArraySlice<UInt8>) {
    let parts = field.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map { trimmed($0) }
    let pair = parts.first ?? []
    let mark = pair.firstIndex(of: UInt8(ascii: "="))
    name = Array(trimmed(pair[..<(mark ?? pair.startIndex)]))
    let value = trimmed(mark.map { pair[($0 + 1)...] } ?? pair)
    self.value = Self.isToken(value) ? Array("redacted".utf8) : Array(value)
    attributes = parts.dropFirst().filter { !$0.isEmpty }.map { part in
      let mark = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
      let name = lowercased(trimmed(part[..<mark]))
      let value = trimmed(part[mark...].dropFirst())
      if name.elementsEqual("expires".utf8) { return Attribute(name: name, value: []) }
      // SameSite's values and host names are spelt in any case.
      let folds = name.elementsEqual("samesite".utf8) || name.elementsEqual("domain".utf8)
      return Attribute(name: name, value: folds ? lowercased(value) : Array(value))
    }.sorted { $0.name.lexicographicallyPrecedes($1.name) }
  }

  /// Whether the value was redacted: `redacted.` and 16 hex digits. A capture and a replay have keys of their own, so
  /// their tokens differ where the values do not; what stands behind them can't be compared.
  private static func isToken(_ value: ArraySlice<UInt8>) -> Bool {
    value.count == 25 && value.starts(with: "redacted.".utf8)
      && value.dropFirst(9).allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// The value of the last attribute with this name, empty where it has none; nil where there is no such attribute.
  func value(of name: [UInt8]) -> [UInt8]? { attributes.last { $0.name == name }?.value }

  /// `name=value; attribute; attribute=value`.
  var text: [UInt8] {
    var text = name + [UInt8(ascii: "=")] + value
    for attribute in attributes {
      text += Array("; ".utf8) + attribute.name
      if !attribute.value.isEmpty { text += [UInt8(ascii: "=")] + attribute.value }
    }
    return text
  }
}
