// A protobuf message as JSON: by its type where descriptors know it, else by field number and wire type.
// In: a message's bytes. Out: JSON text, or the document that JSON bodies have. Owner: a value. Bounds: ProtobufLimits.

/// A protobuf message and what can be shown of it.
public struct ProtobufMessage: Hashable, Sendable {
  public let bytes: [UInt8]
  public let limits: ProtobufLimits

  public init(_ bytes: [UInt8], limits: ProtobufLimits = ProtobufLimits()) {
    self.bytes = bytes
    self.limits = limits
  }

  /// The message by field number and wire type, as JSON text in UTF-8.
  ///
  /// An object with a member for each pair of number and wire type: `{"1:varint":[150],"2:len":[{"1:varint":[3]},"text"]}`.
  /// Values always stand in an array, since a field that may be repeated looks like any other. A varint is a signed
  /// number, a fixed-width one a real where its bits look like one. Bytes are an object where they read as a message, a
  /// string where they are characters, else `base64:` and their base64.
  public func jsonText() throws(ProtobufError) -> [UInt8] {
    try rendered { renderer throws(ProtobufError) in
      try renderer.untypedMessage([0..<bytes.count], depth: limits.depth)
    }
  }

  /// The message as its type's protobuf JSON, in UTF-8.
  ///
  /// As the protobuf libraries print it, with these differences, so that nothing on the wire is lost: fields that the
  /// type does not know, or that have another wire type than theirs, are added as in ``jsonText()``; enum values without
  /// a name are numbers; a string that is no UTF-8 is `base64:` and its base64.
  /// - Parameter type: a message's full name, without a leading dot.
  public func jsonText(
    as type: String, in descriptors: ProtobufDescriptors, naming: ProtobufNaming = .json
  ) throws(ProtobufError) -> [UInt8] {
    guard let index = descriptors.messageIndex[type] else { throw ProtobufError(reason: .unknownType, offset: 0) }
    return try rendered(descriptors, naming) { renderer throws(ProtobufError) in
      try renderer.message(index, [0..<bytes.count], depth: limits.depth)
    }
  }

  /// ``jsonText()`` as a tree.
  public func document() throws(ProtobufError) -> JSONDocument { try document(of: jsonText()) }

  /// ``jsonText(as:in:naming:)`` as a tree.
  public func document(
    as type: String, in descriptors: ProtobufDescriptors, naming: ProtobufNaming = .json
  ) throws(ProtobufError) -> JSONDocument {
    try document(of: jsonText(as: type, in: descriptors, naming: naming))
  }

  private func document(of text: [UInt8]) throws(ProtobufError) -> JSONDocument {
    // Each message may be an array and an object, and `Any` and `Struct` have a level of their own.
    let limits = JSONLimits(depth: JSONLimits.greatestDepth, size: 1 << 30, nodes: 1 << 28)
    do { return try JSONDocument(text, limits: limits) } catch {
      throw ProtobufError(reason: .size, offset: error.offset)
    }
  }

  private func rendered(
    _ descriptors: ProtobufDescriptors? = nil, _ naming: ProtobufNaming = .json,
    _ body: (inout ProtobufRenderer) throws(ProtobufError) -> Void
  ) throws(ProtobufError) -> [UInt8] {
    guard bytes.count <= limits.size else { throw ProtobufError(reason: .size, offset: limits.size) }
    let result: Result<[UInt8], ProtobufError> = bytes.withUnsafeBytes { source in
      var renderer = ProtobufRenderer(
        source: source, limit: limits.renderedSize, descriptors: descriptors, naming: naming)
      do throws(ProtobufError) {
        try body(&renderer)
        return .success(renderer.json.bytes)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}

/// How JSON names fields.
public enum ProtobufNaming: Hashable, Sendable {
  /// `userName`, or the `json_name` that the descriptor gives.
  case json
  /// `user_name`, as in the .proto file.
  case proto
}

/// Writes JSON for one message; see the extensions for the kinds of message.
struct ProtobufRenderer {
  let source: UnsafeRawBufferPointer
  let limit: Int
  let descriptors: ProtobufDescriptors?
  let naming: ProtobufNaming
  var json = JSONText()

  init(source: UnsafeRawBufferPointer, limit: Int, descriptors: ProtobufDescriptors?, naming: ProtobufNaming) {
    (self.source, self.limit, self.descriptors, self.naming) = (source, limit, descriptors, naming)
  }

  func checkSize(_ offset: Int) throws(ProtobufError) {
    if json.bytes.count > limit { throw ProtobufError(reason: .size, offset: offset) }
  }

  mutating func untypedMessage(_ ranges: [Range<Int>], depth: Int) throws(ProtobufError) {
    let fields = try source.protobufFields(in: ranges, depth: depth)
    json.open("{")
    try untypedMembers(fields[...], depth: depth)
    json.close("}")
  }

  /// - Parameter fields: by rising number.
  mutating func untypedMembers(_ fields: ArraySlice<ProtobufField>, depth: Int) throws(ProtobufError) {
    var rest = fields
    while let first = rest.first {
      let run = rest.prefix { $0.number == first.number }
      rest = rest.dropFirst(run.count)
      if run.allSatisfy({ $0.wire == first.wire }) {
        try untypedMember(first.number, first.wire, run, depth: depth)
      } else {
        for wire in [ProtobufWire.varint, .i64, .len, .group, .i32] where run.contains(where: { $0.wire == wire }) {
          try untypedMember(first.number, wire, run.filter { $0.wire == wire }[...], depth: depth)
        }
      }
    }
  }

  private mutating func untypedMember(
    _ number: UInt32, _ wire: ProtobufWire, _ run: ArraySlice<ProtobufField>, depth: Int
  ) throws(ProtobufError) {
    json.name("\(number):\(wire.name)")
    json.open("[")
    for field in run { try untypedValue(field, depth: depth) }
    json.close("]")
  }

  private mutating func untypedValue(_ field: ProtobufField, depth: Int) throws(ProtobufError) {
    try checkSize(field.start)
    switch field.wire {
    case .varint: json.number(Int64(bitPattern: field.value))
    case .i32, .i64: json.literal(fixedText(field.value, isWide: field.wire == .i64).text)
    case .group:
      if depth > 1 {
        try untypedMessage([field.content], depth: depth - 1)
      } else {
        json.base64(UnsafeRawBufferPointer(rebasing: source[field.content]), prefix: "base64:")
      }
    case .len, .groupEnd: try untypedContent(field.content, depth: depth)
    }
  }

  /// Bytes of which nothing is known.
  mutating func untypedContent(_ range: Range<Int>, depth: Int) throws(ProtobufError) {
    let piece = UnsafeRawBufferPointer(rebasing: source[range])
    switch source.protobufContent(range, depth: depth - 1) {
    case .message: try untypedMessage([range], depth: depth - 1)
    case .text where !piece.starts(with: "base64:".utf8): json.string(piece)
    case .text, .bytes: json.base64(piece, prefix: "base64:")
    }
  }
}

/// A fixed-width number as it most likely was meant: a real, except where that would be next to nothing, no number or
/// infinite; then a signed integer.
func fixedText(_ bits: UInt64, isWide: Bool) -> (text: String, isReal: Bool) {
  if isWide {
    let real = Double(bitPattern: bits)
    return real.isNormal ? (real.description, true) : (String(Int64(bitPattern: bits)), false)
  }
  let narrow = UInt32(truncatingIfNeeded: bits)
  let real = Float(bitPattern: narrow)
  return real.isNormal ? (real.description, true) : (String(Int32(bitPattern: narrow)), false)
}
