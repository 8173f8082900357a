// Goes through a protobuf message, by its type where descriptors know it, and lets an editor change values in it.
//
// In: a message's bytes, whole, cut or damaged. Out: the same with other values; where fields were taken out, a new
// message in which only the lengths of what encloses them differ besides. Owner: one call. Bounds: linear for typed
// messages, times the nesting for untyped ones; `depth` levels.

/// Edits protobuf messages without decoding and encoding them: what no editor touches stays byte for byte.
public struct ProtobufWalk<Editor: ProtobufEditor> {
  /// What is taken out, and the messages around it, in the order of the wire.
  private enum Cut {
    case gone(Range<Int>)
    /// The length of a message, and its content.
    case message(length: Range<Int>, content: Range<Int>)

    var start: Int {
      switch self {
      case .gone(let range): range.lowerBound
      case .message(let length, _): length.lowerBound
      }
    }
  }

  public private(set) var editor: Editor
  private let bytes: UnsafeMutableBufferPointer<UInt8>
  private let descriptors: ProtobufDescriptors?
  private let mayResize: Bool
  private var place = ProtobufPlace()
  private var cuts: [Cut] = []

  /// Edits a message in place, and says what it has become where its length changes.
  /// - Parameters:
  ///   - bytes: the message.
  ///   - type: its full name; nil where it is not known.
  ///   - mayResize: whether fields may go away; else what was to go is chosen instead.
  /// - Returns: the editor, and the new message; nil where `bytes` are it.
  public static func edit(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, as type: String?, in descriptors: ProtobufDescriptors?,
    mayResize: Bool, with editor: Editor, limits: ProtobufLimits = ProtobufLimits()
  ) -> (editor: Editor, resized: [UInt8]?) {
    var walk = ProtobufWalk(editor: editor, bytes: bytes, descriptors: descriptors, mayResize: mayResize)
    let index = type.flatMap { descriptors?.messageIndex[$0] }
    walk.message(0..<bytes.count, index, isChosen: false, depth: limits.depth)
    return (walk.editor, walk.cuts.isEmpty ? nil : walk.rebuilt())
  }

  private init(
    editor: Editor, bytes: UnsafeMutableBufferPointer<UInt8>, descriptors: ProtobufDescriptors?, mayResize: Bool
  ) {
    (self.editor, self.bytes, self.descriptors, self.mayResize) = (editor, bytes, descriptors, mayResize)
  }

  // MARK: Messages

  /// - Parameter type: where the descriptors hold it.
  private mutating func message(_ range: Range<Int>, _ type: Int?, isChosen: Bool, depth: Int) {
    guard depth > 0 else { return leaf(range, .damage, isChosen) }
    let source = UnsafeRawBufferPointer(bytes)
    let known = type.flatMap { descriptors?.messages[$0] }
    let anyType = known.flatMap { content(of: $0, range, depth: depth) }
    var counts: [UInt32: Int] = [:]
    var scanner = ProtobufScanner(source, range, depth: depth)
    while let field = scanner.nextForgiving() {
      guard field.wire != .groupEnd else { continue }
      self.field(field, known, anyType, &counts, isChosen: isChosen, depth: depth)
    }
    guard scanner.fault != nil, scanner.position < range.upperBound else { return }
    if let field = cutField(scanner.position..<range.upperBound) {
      self.field(field, known, anyType, &counts, isChosen: isChosen, depth: depth)
    } else {
      leaf(scanner.position..<range.upperBound, .damage, isChosen)
    }
  }

  /// A length-delimited field that goes on behind the end.
  private func cutField(_ range: Range<Int>) -> ProtobufField? {
    var scanner = ProtobufScanner(UnsafeRawBufferPointer(bytes), range, depth: 1)
    guard let tag = scanner.varint(), tag & 7 == 2, (1..<1 << 29).contains(tag >> 3), let length = scanner.varint(),
      length > UInt64(range.upperBound - scanner.position)
    else { return nil }
    return ProtobufField(
      number: UInt32(tag >> 3), wire: .len, start: range.lowerBound, content: scanner.position..<range.upperBound,
      end: range.upperBound)
  }

  /// Of an `Any`: the type of what it holds, in the descriptors.
  private func content(of type: ProtobufMessageType, _ range: Range<Int>, depth: Int) -> Int? {
    guard case .any? = type.wellKnown else { return nil }
    var scanner = ProtobufScanner(UnsafeRawBufferPointer(bytes), range, depth: depth)
    var found: Int?
    while let field = scanner.nextForgiving() {
      guard field.number == 1, field.wire == .len else { continue }
      let url = String(decoding: bytes[field.content], as: UTF8.self)
      found = descriptors?.messageIndex[url.split(separator: "/").last.map(String.init) ?? url]
    }
    return found
  }

  // MARK: Fields

  private mutating func field(
    _ field: ProtobufField, _ type: ProtobufMessageType?, _ anyType: Int?, _ counts: inout [UInt32: Int],
    isChosen: Bool, depth: Int
  ) {
    let known = type?.field(field.number).flatMap { $0.isOn(field.wire) ? $0 : nil }
    let before = (place.numbers.count, place.steps.count, place.unnamed)
    defer {
      place.numbers.removeLast(place.numbers.count - before.0)
      place.steps.removeLast(place.steps.count - before.1)
      place.unnamed = before.2
    }
    place.numbers.append(field.number)
    let isEntry = type?.isMapEntry ?? false
    if let known {
      // What is shown without a name of its own: entries of maps, and the well-known types that stand for JSON.
      if !isEntry, type?.isShownByItsValue != true, anyType == nil || field.number != 2 {
        let isType = if case .any? = type?.wellKnown { field.number == 1 } else { false }
        place.steps.append(.init(text: isType ? "@type" : known.name, isIndex: false))
      }
    } else {
      place.unnamed += 1
    }
    let inner = anyType != nil && field.number == 2 ? anyType : known?.messageIndex
    let isMap = known?.isRepeated == true && inner.map { descriptors?.messages[$0].isMapEntry ?? false } ?? false
    var (isChosen, isMessage) = (isChosen, false)
    if isMap {
      if choose(field, &isChosen, &isMessage) { return }
      let key = key(in: field.content, inner.flatMap { descriptors?.messages[$0].field(1)?.kind }, depth: depth)
      place.steps.append(.init(text: key, isIndex: false))
    } else if known?.isRepeated == true {
      let index = counts[field.number, default: 0]
      counts[field.number] = index + 1
      place.steps.append(.init(text: String(index), isIndex: true))
    }
    if isEntry, field.number == 1 {
      // A map's key is a name, and names are not hidden with what they name.
      isChosen = false
      place.unnamed += 1
    }
    if choose(field, &isChosen, &isMessage) { return }
    value(field, known, inner, isChosen: isChosen, isMessage: isMessage, depth: depth)
  }

  /// Asks the editor. True where there is nothing more to do.
  private mutating func choose(_ field: ProtobufField, _ isChosen: inout Bool, _ isMessage: inout Bool) -> Bool {
    if isChosen { return false }
    switch editor.choice(at: place) {
    case .pass: return false
    case .enter: isMessage = true
    case .choose: isChosen = true
    case .remove:
      isChosen = true
      guard mayResize else { break }
      cuts.append(.gone(field.start..<field.end))
      return true
    case .empty:
      isChosen = true
      guard mayResize, field.wire == .len else { break }
      if !field.content.isEmpty {
        cuts.append(.message(length: lengthRange(field), content: field.content))
        cuts.append(.gone(field.content))
      }
      return true
    }
    return false
  }

  private func lengthRange(_ field: ProtobufField) -> Range<Int> {
    let tagEnd = (field.start..<field.content.lowerBound).first { bytes[$0] < 0x80 }.map { $0 + 1 }
    return (tagEnd ?? field.content.lowerBound)..<field.content.lowerBound
  }

  /// The key of a map's entry as JSON spells it.
  private func key(in range: Range<Int>, _ kind: ProtobufKind?, depth: Int) -> String {
    var scanner = ProtobufScanner(UnsafeRawBufferPointer(bytes), range, depth: depth)
    var value: UInt64 = 0
    var text = ""
    while let field = scanner.nextForgiving() {
      guard field.number == 1 else { continue }
      value = field.value
      if field.wire == .len { text = String(decoding: bytes[field.content].prefix(256), as: UTF8.self) }
    }
    switch kind {
    case .string, nil: return text
    case .bool: return value == 0 ? "false" : "true"
    case .sint32, .sint64: return String(Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1))
    case .int32, .sfixed32: return String(Int32(truncatingIfNeeded: value))
    case .uint32, .fixed32: return String(UInt32(truncatingIfNeeded: value))
    case .uint64, .fixed64: return String(value)
    default: return String(Int64(bitPattern: value))
    }
  }

  // MARK: Values

  private mutating func value(
    _ field: ProtobufField, _ known: ProtobufFieldType?, _ type: Int?, isChosen: Bool,
    isMessage: Bool, depth: Int
  ) {
    switch field.wire {
    case .varint: leaf(field.content.lowerBound..<field.end, .varints, isChosen)
    case .i32, .i64: leaf(field.content.lowerBound..<field.end, .fixed, isChosen)
    case .group: if !field.isUnclosed { message(field.content, type, isChosen: isChosen, depth: depth - 1) }
    case .groupEnd: break
    case .len:
      let kind = known?.kind
      switch kind {
      case .string: leaf(field.content, .text, isChosen)
      case .message, .group: inner(field, type, isChosen, depth)
      case .bytes where type != nil: inner(field, type, isChosen, depth)
      case .bytes where isChosen: leaf(field.content, .bytes, isChosen)
      case nil where isMessage: inner(field, nil, isChosen, depth)
      case .bytes, nil:
        switch UnsafeRawBufferPointer(bytes).protobufContent(field.content, depth: depth - 1) {
        case .message: inner(field, nil, isChosen, depth)
        case .text: leaf(field.content, .text, isChosen)
        case .bytes: leaf(field.content, .bytes, isChosen)
        }
      case let kind?: leaf(field.content, kind.wire == .varint ? .varints : .fixed, isChosen)
      }
    }
  }

  private mutating func inner(_ field: ProtobufField, _ type: Int?, _ isChosen: Bool, _ depth: Int) {
    let first = cuts.count
    cuts.append(.message(length: lengthRange(field), content: field.content))
    message(field.content, type, isChosen: isChosen, depth: depth - 1)
    if cuts.count == first + 1 { cuts.removeLast() }
  }

  private mutating func leaf(_ range: Range<Int>, _ leaf: ProtobufLeaf, _ isChosen: Bool) {
    guard !range.isEmpty else { return }
    editor.edit(UnsafeMutableBufferPointer(rebasing: bytes[range]), leaf, isChosen: isChosen, at: place)
  }

  // MARK: The new message

  private func rebuilt() -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count)
    var index = 0
    emit(0..<bytes.count, &index, &output)
    return output
  }

  private func emit(_ range: Range<Int>, _ index: inout Int, _ output: inout [UInt8]) {
    var position = range.lowerBound
    while index < cuts.count, cuts[index].start < range.upperBound {
      let cut = cuts[index]
      index += 1
      output.append(contentsOf: bytes[position..<cut.start])
      switch cut {
      case .gone(let gone): position = gone.upperBound
      case .message(_, let content):
        var inner: [UInt8] = []
        emit(content, &index, &inner)
        appendVarint(UInt64(inner.count), to: &output)
        output.append(contentsOf: inner)
        position = content.upperBound
      }
    }
    output.append(contentsOf: bytes[position..<range.upperBound])
  }

  private func appendVarint(_ value: UInt64, to output: inout [UInt8]) {
    var value = value
    while value >= 0x80 {
      output.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    output.append(UInt8(value))
  }
}

extension ProtobufFieldType {
  /// Of its type, where that is a message that the descriptors hold.
  var messageIndex: Int? { kind == .message || kind == .group ? typeIndex : nil }

  /// Whether a value of it may stand on the wire so; numbers may be packed, repeated or not.
  func isOn(_ wire: ProtobufWire) -> Bool {
    if kind == .group || kind == .message { return wire == .len || wire == .group }
    return wire == kind.wire || wire == .len && isRepeated
  }
}

extension ProtobufMessageType {
  /// JSON shows what it holds in its place: `Struct`, `Value`, `ListValue`, and the wrappers.
  var isShownByItsValue: Bool {
    switch wellKnown {
    case .struct, .value, .listValue, .wrapper: true
    default: false
    }
  }
}

extension ProtobufDescriptors {
  /// Messages that have a field with such a name, in themselves or below; those with keys or contents that descriptors
  /// don't name among them.
  public func messages(holding isNamed: (String) -> Bool) -> Set<String> {
    var holds = messages.map { type in
      if case .any? = type.wellKnown { return true }
      return type.fields.contains { field in
        isNamed(field.name)
          || field.messageIndex.map { messages[$0].isMapEntry && messages[$0].field(1)?.kind == .string } ?? false
      }
    }
    var isSettled = false
    while !isSettled {
      isSettled = true
      for index in messages.indices where !holds[index] {
        guard messages[index].fields.contains(where: { $0.messageIndex.map { holds[$0] } ?? false }) else { continue }
        holds[index] = true
        isSettled = false
      }
    }
    return Set(zip(messages, holds).lazy.filter(\.1).map(\.0.name))
  }
}
