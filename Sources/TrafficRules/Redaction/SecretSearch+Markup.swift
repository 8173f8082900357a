// Secrets in XML, HTML and multipart bodies by the names around them. Bounds: one pass; damage ends a search, never more.

extension SecretSearch {
  mutating func searchMarkup(_ bytes: UnsafeMutableBufferPointer<UInt8>, nesting: Int) {
    var index = 0
    while index < bytes.count {
      guard bytes[index] == UInt8(ascii: "<"), index + 1 < bytes.count else {
        index += 1
        continue
      }
      let nameStart = index + 1
      guard bytes[nameStart] | 0x20 >= 0x61 && bytes[nameStart] | 0x20 <= 0x7a || bytes[nameStart] == 0x5f else {
        index += 1
        continue
      }
      var nameEnd = nameStart
      while nameEnd < bytes.count, !Self.endsName(bytes[nameEnd]) { nameEnd += 1 }
      let close = attributes(bytes, nameEnd)
      // Behind the prefix of a namespace.
      let local = (nameStart..<nameEnd).last { bytes[$0] == UInt8(ascii: ":") }.map { $0 + 1 } ?? nameStart
      index = content(bytes, local..<nameEnd, close, nesting)
    }
  }

  private static func endsName(_ byte: UInt8) -> Bool {
    byte <= 0x20 || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "/")
  }

  /// - Returns: the index behind the `>`.
  private mutating func attributes(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ start: Int) -> Int {
    var index = start
    var (namesSecret, value): (Bool, Range<Int>?) = (false, nil)
    while index < bytes.count, bytes[index] != UInt8(ascii: ">") {
      let nameStart = index
      while index < bytes.count, !Self.endsName(bytes[index]), bytes[index] != UInt8(ascii: "=") { index += 1 }
      let name = nameStart..<index
      guard !name.isEmpty, index + 1 < bytes.count, bytes[index] == UInt8(ascii: "=") else {
        if index < bytes.count, bytes[index] != UInt8(ascii: ">") { index += 1 }
        continue
      }
      index += 1
      let quote = bytes[index]
      let isQuoted = quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'")
      if isQuoted { index += 1 }
      let contentStart = index
      while index < bytes.count, isQuoted ? bytes[index] != quote : bytes[index] > 0x20 && bytes[index] != 0x3e {
        index += 1
      }
      let content = contentStart..<index
      if isQuoted, index < bytes.count { index += 1 }
      if catalog.fields.contains(bytes.slice(name)) { writer.hide(bytes, content, .plain, name: bytes.text(name)) }
      switch bytes.text(name).lowercased() {
      // <input name="csrf_token" value="…">, <meta name="csrf-token" content="…">
      case "name", "id": namesSecret = namesSecret || catalog.fields.contains(bytes.slice(content))
      case "value", "content": value = content
      case "href", "src", "action": searchPairs(bytes, content, in: .text)
      default: break
      }
    }
    if namesSecret, let value { writer.hide(bytes, value, .plain, name: "value") }
    return min(index + 1, bytes.count)
  }

  /// What follows a tag. - Returns: where to go on.
  private mutating func content(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ name: Range<Int>, _ start: Int, _ nesting: Int
  ) -> Int {
    guard start < bytes.count, start >= 2, bytes[start - 2] != UInt8(ascii: "/") else { return start }
    if bytes.text(name).lowercased() == "script" {
      let end = bytes.firstIndex(of: Array("</".utf8), from: start) ?? bytes.count
      searchJSON(bytes, start..<end, nesting: nesting)
      return end
    }
    guard catalog.fields.contains(bytes.slice(name)) else { return start }
    let opening = Array("<![CDATA[".utf8)
    var index = start
    while index < bytes.count, bytes[index] <= 0x20 { index += 1 }
    if bytes.firstIndex(of: opening, from: index) == index {
      let end = bytes.firstIndex(of: Array("]]>".utf8), from: index) ?? bytes.count
      writer.hide(bytes, index + opening.count..<max(end, index + opening.count), .plain, name: bytes.text(name))
      return end
    }
    var end = start
    while end < bytes.count, bytes[end] != UInt8(ascii: "<") { end += 1 }
    writer.hide(bytes, start..<end, .plain, name: bytes.text(name))
    return end
  }

  // MARK: Parts (RFC 2046, 5.1; RFC 7578)

  mutating func searchParts(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ boundary: [UInt8], nesting: Int) {
    var start = bytes.firstIndex(of: boundary, from: 0)
    while let delimiter = start {
      let head = delimiter + boundary.count
      let next = bytes.firstIndex(of: boundary, from: head)
      defer { start = next }
      let blank = bytes.firstIndex(of: [0x0d, 0x0a, 0x0d, 0x0a], from: head)
      guard let blank, blank < next ?? bytes.count else { continue }
      var end = next ?? bytes.count
      if next != nil, end >= blank + 6, bytes[end - 1] == 0x0a { end -= bytes[end - 2] == 0x0d ? 2 : 1 }
      let content = blank + 4..<max(end, blank + 4)
      let fieldText = String(decoding: bytes.slice(head..<blank).prefix(4096), as: UTF8.self)
      let name = Self.parameter("name", fieldText)
      if let name, Array(name.utf8).withUnsafeBufferPointer({ catalog.form.contains($0) }) {
        writer.hide(bytes, content, .plain, name: name)
      } else if nesting < Self.nesting {
        let type = fieldText.lowercased().split(whereSeparator: \.isNewline).first { $0.hasPrefix("content-type:") }
        let slice = UnsafeMutableBufferPointer(rebasing: bytes[content])
        let contentType = type.map { Array($0.dropFirst(13).drop { $0 == " " }.utf8) } ?? []
        let form = contentType.withUnsafeBufferPointer { TextForm(contentType: $0, UnsafeBufferPointer(slice)) }
        if catalog.mayHoldSecret(UnsafeBufferPointer(slice), form) { search(slice, form, nesting: nesting + 1) }
      }
    }
  }

  private static func parameter(_ name: String, _ text: String) -> String? {
    guard let place = text.firstRange(of: "; \(name)=\"")?.upperBound else { return nil }
    return String(text[place...].prefix { $0 != "\"" })
  }
}
