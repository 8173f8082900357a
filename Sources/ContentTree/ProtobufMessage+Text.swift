// A protobuf message of unknown type as text for a person, in the notation of protoscope: what stands on the wire, field
// by field, with guesses marked as such. In: any bytes. Out: text. Owner: ProtobufMessage.text. Bounds: the limit, in bytes.

extension ProtobufMessage {
  /// The message field by field, at most `limit` bytes and an ellipsis; bytes that are no fields follow in hexadecimal.
  ///
  ///     1: 150
  ///     2: {"text"}
  ///     3: {1: 3}
  ///     4: 1.5i32  # 0x3fc00000i32
  ///     5: !{6: 7}
  ///     8: {`00ff`}
  public func text(limit: Int = 64 << 10) -> String {
    bytes.withUnsafeBytes { source in
      var writer = ProtobufTextWriter(source: source, limit: max(0, limit))
      writer.message(0..<min(bytes.count, limits.size), depth: limits.depth, indentation: 0)
      if bytes.count > limits.size { writer.isCut = true }
      return writer.result
    }
  }
}

private struct ProtobufTextWriter {
  let source: UnsafeRawBufferPointer
  let limit: Int
  var text: [UInt8] = []
  var isCut = false

  init(source: UnsafeRawBufferPointer, limit: Int) { (self.source, self.limit) = (source, limit) }

  var result: String {
    guard text.count > limit || isCut else { return String(decoding: text, as: UTF8.self) }
    return String(decoding: text.prefix(characterBoundary(in: text, atMost: min(limit, text.count))), as: UTF8.self)
      + "…"
  }

  /// The fields of a range, a line each.
  mutating func message(_ range: Range<Int>, depth: Int, indentation: Int, ending: Int = 0) {
    var scanner = ProtobufScanner(source, range, depth: depth)
    while let field = scanner.nextForgiving() {
      if isOver { return }
      line(indentation)
      put(self.field(field, depth: depth, indentation: indentation))
    }
    if scanner.fault != nil, scanner.position < range.upperBound {
      line(indentation)
      hexadecimalText(scanner.position..<range.upperBound)
    }
    if ending > 0 {
      line(indentation)
      put("long-form:\(ending)")
    }
  }

  private var isOver: Bool {
    mutating get {
      if text.count > limit { isCut = true }
      return isCut
    }
  }

  /// - Returns: a comment for the end of the line.
  private mutating func field(_ field: ProtobufField, depth: Int, indentation: Int) -> String {
    put("\(field.number):")
    if field.padding > 0 { put("long-form:\(field.padding) ") }
    if field.isUnclosed || field.wire == .groupEnd {
      put(field.isUnclosed ? "SGROUP" : "EGROUP")
      return ""
    }
    put(" ")
    switch field.wire {
    case .varint: put(String(Int64(bitPattern: field.value)))
    case .i32, .i64: return fixed(field)
    case .group:
      put("!")
      return nested(field.content, depth: depth, indentation: indentation, ending: field.endPadding)
    case .len, .groupEnd:
      switch source.protobufContent(field.content, depth: depth - 1) {
      case .message: return nested(field.content, depth: depth, indentation: indentation)
      case .text: string(field.content)
      case .bytes:
        put("{")
        hexadecimalText(field.content)
        put("}")
      }
    }
    return ""
  }

  private mutating func fixed(_ field: ProtobufField) -> String {
    let isWide = field.wire == .i64
    let (number, isReal) = fixedText(field.value, isWide: isWide)
    put(number)
    if !isWide { put("i32") } else if !isReal { put("i64") }
    guard isReal else { return "" }
    let digits = String(field.value, radix: 16)
    return "  # 0x\(String(repeating: "0", count: (isWide ? 16 : 8) - digits.count))\(digits)\(isWide ? "i64" : "i32")"
  }

  /// In braces; on one line where there is one field.
  /// - Returns: a comment for the end of the line.
  private mutating func nested(_ range: Range<Int>, depth: Int, indentation: Int, ending: Int = 0) -> String {
    put("{")
    defer { put("}") }
    guard depth > 1, !isOver else {
      hexadecimalText(range)
      return ""
    }
    var scanner = ProtobufScanner(source, range, depth: depth)
    if let first = scanner.nextForgiving(), first.end == range.upperBound, ending == 0 {
      return field(first, depth: depth - 1, indentation: indentation)
    }
    if range.isEmpty {
      if ending > 0 { put("long-form:\(ending)") }
    } else {
      message(range, depth: depth - 1, indentation: indentation + 1, ending: ending)
      line(indentation)
    }
    return ""
  }

  private mutating func string(_ range: Range<Int>) {
    put("{")
    if !range.isEmpty {
      var quoted = JSONText()
      let piece = UnsafeRawBufferPointer(rebasing: source[range].prefix(max(0, limit - text.count) + 1))
      quoted.string(piece)
      text.append(contentsOf: quoted.bytes)
    }
    put("}")
  }

  private mutating func hexadecimalText(_ range: Range<Int>) {
    put("`")
    for byte in source[range].prefix(max(0, limit - text.count) / 2 + 1) {
      text.append(hexadecimal(byte >> 4))
      text.append(hexadecimal(byte & 15))
    }
    put("`")
  }

  private mutating func line(_ indentation: Int) {
    if !text.isEmpty { put("\n") }
    for _ in 0..<min(indentation, 64) { put("  ") }
  }

  private mutating func put(_ piece: String) { text.append(contentsOf: piece.utf8) }
}
