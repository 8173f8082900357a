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
    value = Array(trimmed(mark.map { pair[($0 + 1)...] } ?? pair))
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
