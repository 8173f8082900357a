// A node as text for a person: indented over lines or on one line, cut at a limit.
// In: a document and a node. Out: valid UTF-8. Owner: JSONDocument.prettyText and excerpt.
// Bounds: the limit, in bytes, and no work beyond it; recursion as deep as the reader's depth limit.

struct JSONWriter {
  let document: JSONDocument
  let limit: Int
  let isIndented: Bool
  private(set) var text: [UInt8] = []
  private(set) var isCut = false

  init(document: JSONDocument, limit: Int, isIndented: Bool) {
    (self.document, self.limit, self.isIndented) = (document, min(max(0, limit), 1 << 30), isIndented)
  }

  mutating func write(_ node: JSONNode, depth: Int = 0) {
    if isCut { return }
    let kind = document.kind(of: node)
    switch kind {
    case .string: writeString(node)
    case .array, .object:
      let isObject = kind == .object
      put(isObject ? "{" : "[")
      var isFirst = true
      for child in document.children(of: node) {
        if isCut { return }
        if !isFirst { put(isIndented ? "," : ", ") }
        isFirst = false
        breakLine(depth + 1)
        if let name = child.name {
          writeString(name)
          put(": ")
        }
        write(child.value, depth: depth + 1)
      }
      if !isFirst { breakLine(depth) }
      put(isObject ? "}" : "]")
    default: document.withText(of: node) { put($0) }
    }
  }

  /// The text, whole or cut between characters with an ellipsis after it.
  var result: String {
    guard isCut else { return String(decoding: text, as: UTF8.self) }
    return String(decoding: text.prefix(characterBoundary(in: text, atMost: text.count)), as: UTF8.self) + "…"
  }

  private mutating func breakLine(_ depth: Int) {
    guard isIndented, !isCut else { return }
    put("\n")
    // Indentation is bounded too: a deep document of short lines would be nearly all white space.
    for _ in 0..<min(depth, 64) { put("  ") }
  }

  private mutating func put(_ literal: StaticString) {
    put(UnsafeRawBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
  }

  private mutating func put(_ bytes: some Collection<UInt8>) {
    let room = limit - text.count
    if bytes.count > room { isCut = true }
    text.append(contentsOf: bytes.prefix(max(0, room)))
  }

  /// Quoted; quotes, backslashes, control characters and lone surrogates escaped, all else as it is.
  private mutating func writeString(_ node: JSONNode) {
    put("\"")
    let room = limit - text.count
    let escaped = document.withText(of: node) { decoded in
      escapedText(UnsafeRawBufferPointer(rebasing: decoded.prefix(max(0, room) + 4)))
    }
    put(escaped)
    put("\"")
  }

  private func escapedText(_ decoded: UnsafeRawBufferPointer) -> [UInt8] {
    var escaped: [UInt8] = []
    escaped.reserveCapacity(decoded.count)
    for (index, byte) in decoded.enumerated() {
      switch byte {
      case 0x22, 0x5c: escaped.append(contentsOf: [0x5c, byte])
      case 0x0a: escaped.append(contentsOf: "\\n".utf8)
      case 0x0d: escaped.append(contentsOf: "\\r".utf8)
      case 0x09: escaped.append(contentsOf: "\\t".utf8)
      case ..<0x20, 0x7f:
        escaped.append(contentsOf: "\\u00".utf8)
        escaped.append(contentsOf: [hexDigit(byte >> 4), hexDigit(byte & 15)])
      case 0xed where index + 2 < decoded.count && decoded[index + 1] >= 0xa0:
        let unit = 0xd000 | UInt32(decoded[index + 1] & 0x3f) << 6 | UInt32(decoded[index + 2] & 0x3f)
        escaped.append(contentsOf: "\\u".utf8)
        escaped.append(contentsOf: String(unit, radix: 16).utf8)
      case 0x80..<0xc0 where isInSurrogate(decoded, index): break
      default: escaped.append(byte)
      }
    }
    return escaped
  }

  /// Whether the continuation byte at `index` belongs to a surrogate's three.
  private func isInSurrogate(_ text: UnsafeRawBufferPointer, _ index: Int) -> Bool {
    if index >= 1, text[index - 1] == 0xed { return text[index] >= 0xa0 && index + 1 < text.count }
    return index >= 2 && text[index - 2] == 0xed && text[index - 1] >= 0xa0
  }

  private func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
}

/// The largest count up to `limit` that does not cut a UTF-8 sequence.
func characterBoundary(in text: [UInt8], atMost limit: Int) -> Int {
  var lead = min(limit, text.count)
  guard lead > 0 else { return 0 }
  let end = lead
  lead -= 1
  while lead > 0, text[lead] & 0xc0 == 0x80, end - lead < 4 { lead -= 1 }
  let needed =
    switch text[lead] {
    case 0xf0...: 4
    case 0xe0...: 3
    case 0xc0...: 2
    default: 1
    }
  return end - lead >= needed ? end : lead
}

extension JSONDocument {
  /// A node over lines, two spaces a level, at most `limit` bytes and an ellipsis. Numbers and member order are kept.
  public func prettyText(of node: JSONNode, limit: Int = 64 << 10) -> String { text(of: node, limit, true) }

  /// A node on one line, at most `limit` bytes and an ellipsis.
  public func excerpt(of node: JSONNode, limit: Int = 256) -> String { text(of: node, limit, false) }

  private func text(of node: JSONNode, _ limit: Int, _ isIndented: Bool) -> String {
    var writer = JSONWriter(document: self, limit: limit, isIndented: isIndented)
    writer.write(node)
    return writer.result
  }
}
