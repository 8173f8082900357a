// XML and HTML as the tree that JSON has. In: a document's bytes. Out: JSON text, or nil where XML is not well-formed.
// Owner: a pure function. Bounds: linear; elements nest 256 deep, what lies deeper stands beside.
//
// A tokenizer of our own instead of a library: nothing is fetched, no entity is expanded but XML's five and numbers, nothing
// is validated, and hostile bytes meet no C. Both sides of a comparison are read by the same rules, so that how HTML is
// mended where its author left tags out need not be any browser's way, only always the same.

/// The two families of markup.
public enum Markup: Hashable, Sendable {
  case xml
  case html

  static let greatestDepth = 256

  /// An array of the nodes at the top. An element is an object with one member, its name, for an object that has its
  /// attributes as `@name` and, under the empty name, an array of what it contains: elements, and text as strings.
  ///
  /// White space at the ends of a text does not count, nor do comments, the document type and processing instructions. In
  /// HTML, names of elements and attributes are in lower case and runs of white space are one space.
  /// - Returns: nil where the bytes are XML that is not well-formed, or hold no element.
  public func jsonText(of bytes: [UInt8]) -> [UInt8]? {
    bytes.withUnsafeBytes { source in
      var reader = MarkupReader(source: source, isHTML: self == .html)
      return reader.read() ? reader.json.bytes : nil
    }
  }

  /// ``jsonText(of:)`` as a tree.
  public func document(of bytes: [UInt8], limits: JSONLimits = JSONLimits()) -> JSONDocument? {
    guard bytes.count <= limits.size, let text = jsonText(of: bytes) else { return nil }
    let limits = JSONLimits(depth: JSONLimits.greatestDepth, size: limits.size, nodes: limits.nodes)
    return try? JSONDocument(text, limits: limits)
  }
}

private struct MarkupReader {
  let source: UnsafeRawBufferPointer
  let isHTML: Bool
  var json = JSONText()
  private var position = 0
  /// Names of the open elements.
  private var open: [[UInt8]] = []
  /// Elements inside one another beyond the limit, which are written beside their parents.
  private var tooDeep = 0
  private var text: [UInt8] = []
  private var elements = 0

  init(source: UnsafeRawBufferPointer, isHTML: Bool) { (self.source, self.isHTML) = (source, isHTML) }

  mutating func read() -> Bool {
    json.open("[")
    while position < source.count {
      let mark = source[position...].firstIndex(of: UInt8(ascii: "<")) ?? source.count
      appendText(position..<mark)
      position = mark
      if mark == source.count { break }
      guard readTag() else { return false }
    }
    if !open.isEmpty || tooDeep > 0, !isHTML { return false }
    flushText()
    while !open.isEmpty { close() }
    json.close("]")
    return elements > 0
  }

  /// At a `<`. False where XML ends here.
  private mutating func readTag() -> Bool {
    if starts(with: "<!--") { return skip(past: "-->") }
    if starts(with: "<![CDATA[") {
      let start = position + 9
      guard let end = find("]]>", from: start) else { return skip(past: "]]>") }
      text.append(contentsOf: source[start..<end])
      position = end + 3
      return true
    }
    if starts(with: "<?") { return skip(past: isHTML ? ">" : "?>") }
    if starts(with: "<!") { return skipDeclaration() }
    let isEnd = starts(with: "</")
    var cursor = position + (isEnd ? 2 : 1)
    guard cursor < source.count, Self.isNameStart(source[cursor]) else {
      text.append(UInt8(ascii: "<"))
      position += 1
      return isHTML
    }
    let name = self.name(at: &cursor)
    if isEnd {
      cursor = source[cursor...].firstIndex(of: UInt8(ascii: ">")) ?? source.count
      position = min(source.count, cursor + 1)
      return end(name)
    }
    return start(name, cursor)
  }

  // MARK: Elements

  private mutating func start(_ name: [UInt8], _ first: Int) -> Bool {
    var cursor = first
    var attributes: [(name: [UInt8], value: [UInt8])] = []
    var isEmpty = false
    while true {
      cursor = endOfSpace(cursor)
      guard cursor < source.count else {
        position = cursor
        if !isHTML { return false }
        break
      }
      if source[cursor] == UInt8(ascii: ">") {
        position = cursor + 1
        break
      }
      if source[cursor] == UInt8(ascii: "/") {
        isEmpty = cursor + 1 < source.count && source[cursor + 1] == UInt8(ascii: ">")
        cursor += 1
        continue
      }
      let before = cursor
      let attribute = self.name(at: &cursor)
      if cursor == before {
        // A byte that can begin nothing.
        if !isHTML { return false }
        cursor += 1
        continue
      }
      guard let value = attributeValue(at: &cursor) else { return false }
      if attributes.count < 1000 { attributes.append((attribute, value)) }
    }
    flushText()
    if isHTML { closeImplied(by: name) }
    elements += 1
    let isVoid = isHTML ? Self.voidElements.contains(name) : isEmpty
    json.open("{")
    json.name(String(decoding: name, as: UTF8.self))
    json.open("{")
    for (name, value) in attributes {
      json.name("@" + String(decoding: name, as: UTF8.self))
      write(value)
    }
    json.name("")
    json.open("[")
    open.append(name)
    if isVoid {
      close()
    } else if open.count > Markup.greatestDepth {
      close()
      tooDeep += 1
    } else if isHTML, Self.rawElements.contains(name) {
      readRaw(name)
    }
    return true
  }

  private mutating func end(_ name: [UInt8]) -> Bool {
    flushText()
    if tooDeep > 0, open.count == Markup.greatestDepth, !isHTML || open.last != name {
      tooDeep -= 1
      return true
    }
    if open.last == name {
      close()
      return true
    }
    guard isHTML else { return false }
    // An end tag closes what was left open inside its element; one without an element is nothing. How far to look is bounded
    // by the depth.
    if let place = open.lastIndex(of: name) { while open.count > place { close() } }
    return true
  }

  private mutating func close() {
    json.close("]")
    json.close("}")
    json.close("}")
    open.removeLast()
  }

  /// Elements whose end tags HTML lets out (HTML, 13.1.2.4).
  private mutating func closeImplied(by name: [UInt8]) {
    guard let last = open.last else { return }
    let closed: [[UInt8]]
    switch String(decoding: name, as: UTF8.self) {
    case "li": closed = Self.names(["li"])
    case "dt", "dd": closed = Self.names(["dt", "dd"])
    case "option", "optgroup": closed = Self.names(["option"])
    case "td", "th": closed = Self.names(["td", "th"])
    case "tr": closed = Self.names(["td", "th", "tr"])
    case "tbody", "tfoot", "thead": closed = Self.names(["td", "th", "tr", "tbody", "thead", "tfoot"])
    case "p", "div", "ul", "ol", "table", "section", "article", "form", "h1", "h2", "h3", "h4", "pre":
      closed = Self.names(["p"])
    default: return
    }
    guard closed.contains(last) else { return }
    while let last = open.last, closed.contains(last) { close() }
  }

  /// Text up to the element's end tag, in which nothing is markup.
  private mutating func readRaw(_ name: [UInt8]) {
    var cursor = position
    while cursor < source.count {
      guard let mark = source[cursor...].firstIndex(of: UInt8(ascii: "<")) else {
        cursor = source.count
        break
      }
      cursor = mark
      if cursor + 2 + name.count <= source.count, source[cursor + 1] == UInt8(ascii: "/"),
        source[cursor + 2..<cursor + 2 + name.count].elementsEqual(name, by: { Self.folded($0) == $1 })
      {
        break
      }
      cursor += 1
    }
    text.append(contentsOf: source[position..<cursor])
    position = cursor
  }

  private static func names(_ list: [String]) -> [[UInt8]] { list.map { Array($0.utf8) } }
  private static let voidElements = Set(
    names([
      "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    ]))
  private static let rawElements = Set(names(["script", "style", "textarea", "title", "xmp"]))

  // MARK: Pieces

  private static func folded(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte >= 0x09 && byte <= 0x0d && byte != 0x0b }

  private static func isNameStart(_ byte: UInt8) -> Bool {
    byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ":") || byte >= 0x80
  }

  private func endOfSpace(_ start: Int) -> Int {
    var cursor = start
    while cursor < source.count, Self.isSpace(source[cursor]) { cursor += 1 }
    return cursor
  }

  private func name(at cursor: inout Int) -> [UInt8] {
    let start = cursor
    while cursor < source.count {
      let byte = source[cursor]
      if Self.isSpace(byte) || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "=")
        || byte == UInt8(ascii: "<") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
      {
        break
      }
      cursor += 1
    }
    return source[start..<cursor].map { isHTML ? Self.folded($0) : $0 }
  }

  /// After an attribute's name. nil where XML is not well-formed.
  private func attributeValue(at cursor: inout Int) -> [UInt8]? {
    var place = endOfSpace(cursor)
    guard place < source.count, source[place] == UInt8(ascii: "=") else { return isHTML ? [] : nil }
    place = endOfSpace(place + 1)
    guard place < source.count else {
      cursor = place
      return isHTML ? [] : nil
    }
    let quote = source[place]
    if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
      guard let end = source[(place + 1)...].firstIndex(of: quote) else {
        cursor = source.count
        return isHTML ? [] : nil
      }
      cursor = end + 1
      return unescaped(place + 1..<end)
    }
    guard isHTML else { return nil }
    var end = place
    while end < source.count, !Self.isSpace(source[end]), source[end] != UInt8(ascii: ">") { end += 1 }
    cursor = end
    return unescaped(place..<end)
  }

  private func starts(with prefix: StaticString) -> Bool {
    source.count - position >= prefix.utf8CodeUnitCount
      && (0..<prefix.utf8CodeUnitCount).allSatisfy { source[position + $0] == prefix.utf8Start[$0] }
  }

  private func find(_ text: StaticString, from start: Int) -> Int? {
    var cursor = start
    while cursor < source.count, let mark = source[cursor...].firstIndex(of: text.utf8Start[0]) {
      if source.count - mark >= text.utf8CodeUnitCount,
        (0..<text.utf8CodeUnitCount).allSatisfy({ source[mark + $0] == text.utf8Start[$0] })
      {
        return mark
      }
      cursor = mark + 1
    }
    return nil
  }

  private mutating func skip(past end: StaticString) -> Bool {
    guard let place = find(end, from: position + 2) else {
      position = source.count
      return isHTML
    }
    position = place + end.utf8CodeUnitCount
    return true
  }

  /// A document type, with its internal subset in brackets, of which nothing is read.
  private mutating func skipDeclaration() -> Bool {
    var depth = 0
    var cursor = position
    while cursor < source.count {
      switch source[cursor] {
      case UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: ">") where depth <= 0:
        position = cursor + 1
        return true
      default: break
      }
      cursor += 1
    }
    position = cursor
    return isHTML
  }

  // MARK: Text

  private mutating func appendText(_ range: Range<Int>) {
    if !range.isEmpty { text.append(contentsOf: unescaped(range)) }
  }

  private mutating func flushText() {
    if text.isEmpty { return }
    var kept: [UInt8] = []
    kept.reserveCapacity(text.count)
    var pendingSpace = false
    for byte in text {
      if isHTML, Self.isSpace(byte) {
        pendingSpace = !kept.isEmpty
      } else {
        if pendingSpace { kept.append(0x20) }
        pendingSpace = false
        kept.append(byte)
      }
    }
    if !isHTML {
      while let last = kept.last, Self.isSpace(last) { kept.removeLast() }
      kept.removeFirst(kept.firstIndex { !Self.isSpace($0) } ?? kept.count)
    }
    text.removeAll(keepingCapacity: true)
    if !kept.isEmpty { write(kept) }
  }

  private mutating func write(_ value: [UInt8]) {
    // A string of JSON is well-formed UTF-8.
    json.string(String(decoding: value, as: UTF8.self))
  }

  /// Character references undone; any other reference stands as it is.
  private func unescaped(_ range: Range<Int>) -> [UInt8] {
    let piece = source[range]
    guard piece.contains(UInt8(ascii: "&")) else { return Array(piece) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count)
    var cursor = range.lowerBound
    while cursor < range.upperBound {
      if source[cursor] == UInt8(ascii: "&"),
        let end = source[cursor..<min(range.upperBound, cursor + 12)].firstIndex(of: UInt8(ascii: ";")),
        let character = Self.character(source[cursor + 1..<end])
      {
        bytes.append(contentsOf: String(character).utf8)
        cursor = end + 1
      } else {
        bytes.append(source[cursor])
        cursor += 1
      }
    }
    return bytes
  }

  private static func character(_ reference: Slice<UnsafeRawBufferPointer>) -> Character? {
    let name = String(decoding: reference, as: UTF8.self)
    switch name {
    case "amp": return "&"
    case "lt": return "<"
    case "gt": return ">"
    case "quot": return "\""
    case "apos": return "'"
    case "nbsp": return "\u{a0}"
    default: break
    }
    guard name.first == "#" else { return nil }
    let digits = name.dropFirst()
    let value = digits.first == "x" || digits.first == "X" ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
    return value.flatMap { Unicode.Scalar($0) }.map { Character($0) }
  }
}
