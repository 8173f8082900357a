// The values that an HTML page gives its forms and scripts: input elements with a value, meta elements with a content.
// In: the bytes of a page. Out: names and values in order. Owner: a pure function. Bounds: linear; 256 of them.
//
// A scanner for start tags, not a parser of documents (WHATWG HTML, 13.2.5): it looks at tags of these two names
// wherever they stand, comments and scripts included.

struct HTMLControl {
  /// Of an input its `name`, of a meta element its `name` or `property`.
  var name: [UInt8]
  var value: [UInt8]

  static let limit = 256

  static func read(_ page: [UInt8]) -> [HTMLControl] {
    page.withUnsafeBufferPointer { page in
      var controls: [HTMLControl] = []
      var index = 0
      while index < page.count, controls.count < limit {
        guard page[index] == UInt8(ascii: "<") else {
          index += 1
          continue
        }
        index += 1
        if begins(page, index, with: "input") {
          index += 5
          let attributes = readAttributes(page, &index)
          if let name = attributes["name"], let value = attributes["value"] {
            controls.append(HTMLControl(name: name, value: value))
          }
        } else if begins(page, index, with: "meta") {
          index += 4
          let attributes = readAttributes(page, &index)
          if let name = attributes["name"] ?? attributes["property"], let value = attributes["content"] {
            controls.append(HTMLControl(name: name, value: value))
          }
        }
      }
      return controls
    }
  }

  /// A tag's name and what ends it.
  private static func begins(_ page: UnsafeBufferPointer<UInt8>, _ start: Int, with name: StaticString) -> Bool {
    let count = name.utf8CodeUnitCount
    guard start + count < page.count else { return false }
    for offset in 0..<count where page[start + offset] | 0x20 != name.utf8Start[offset] { return false }
    return isSpace(page[start + count]) || page[start + count] == UInt8(ascii: "/")
  }

  /// Reads to the tag's end. The first attribute of a name counts.
  private static func readAttributes(_ page: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> [String: [UInt8]] {
    var attributes: [String: [UInt8]] = [:]
    while index < page.count, page[index] != UInt8(ascii: ">") {
      if isSpace(page[index]) || page[index] == UInt8(ascii: "/") {
        index += 1
        continue
      }
      let nameStart = index
      while index < page.count, !isSpace(page[index]), !"=>/".utf8.contains(page[index]) { index += 1 }
      let name = String(decoding: page[nameStart..<index], as: UTF8.self).lowercased()
      while index < page.count, isSpace(page[index]) { index += 1 }
      guard index < page.count, page[index] == UInt8(ascii: "=") else {
        if index == nameStart { index += 1 }
        continue
      }
      index += 1
      while index < page.count, isSpace(page[index]) { index += 1 }
      let value = readValue(page, &index)
      if attributes.count < 32, attributes[name] == nil { attributes[name] = value }
    }
    return attributes
  }

  private static func readValue(_ page: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> [UInt8] {
    guard index < page.count else { return [] }
    let quote = page[index]
    if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
      index += 1
      let start = index
      while index < page.count, page[index] != quote { index += 1 }
      let value = page[start..<index]
      if index < page.count { index += 1 }
      return decoded(Array(value))
    }
    let start = index
    while index < page.count, !isSpace(page[index]), page[index] != UInt8(ascii: ">") { index += 1 }
    return decoded(Array(page[start..<index]))
  }

  /// Undoes the character references that writers of attributes use; others stay.
  private static func decoded(_ text: [UInt8]) -> [UInt8] {
    guard text.contains(UInt8(ascii: "&")) else { return text }
    var bytes: [UInt8] = []
    var index = 0
    while index < text.count {
      if text[index] == UInt8(ascii: "&"),
        let end = text[index...].prefix(12).firstIndex(of: UInt8(ascii: ";")),
        let character = character(named: text[index + 1..<end])
      {
        bytes.append(contentsOf: character)
        index = end + 1
      } else {
        bytes.append(text[index])
        index += 1
      }
    }
    return bytes
  }

  private static func character(named reference: ArraySlice<UInt8>) -> [UInt8]? {
    let text = String(decoding: reference, as: UTF8.self)
    switch text {
    case "amp": return [UInt8(ascii: "&")]
    case "quot": return [UInt8(ascii: "\"")]
    case "apos": return [UInt8(ascii: "'")]
    case "lt": return [UInt8(ascii: "<")]
    case "gt": return [UInt8(ascii: ">")]
    default:
      guard text.hasPrefix("#") else { return nil }
      let digits = text.dropFirst()
      let code =
        digits.first == "x" || digits.first == "X" ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
      guard let scalar = code.flatMap(Unicode.Scalar.init) else { return nil }
      return Array(String(scalar).utf8)
    }
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || 0x09...0x0d ~= byte }
}
