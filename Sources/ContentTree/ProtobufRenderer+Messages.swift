// Messages of a known type as protobuf JSON (ProtoJSON format).
// In: ranges that make up a message: a field that is sent twice is merged, which is its parts one behind the other.

extension ProtobufRenderer {
  mutating func message(_ index: Int, _ ranges: [Range<Int>], depth: Int) throws(ProtobufError) {
    guard let type = descriptors?.messages[index] else { return try untypedMessage(ranges, depth: depth) }
    try checkSize(ranges.first?.lowerBound ?? 0)
    let fields = try source.protobufFields(in: ranges, depth: depth)
    if let wellKnown = type.wellKnown, try self.wellKnown(wellKnown, fields, depth: depth) { return }
    json.open("{")
    try members(of: type, fields, depth: depth)
    json.close("}")
  }

  /// - Parameter fields: by rising number.
  mutating func members(
    of type: ProtobufMessageType, _ fields: [ProtobufField], depth: Int
  ) throws(ProtobufError) {
    let losers = type.hasOneofs ? overruled(in: type, fields) : []
    var rest = fields[...]
    while let first = rest.first {
      let run = rest.prefix { $0.number == first.number }
      rest = rest.dropFirst(run.count)
      guard let field = type.field(first.number) else {
        try untypedMembers(run, depth: depth)
        continue
      }
      // Most runs are one field of the type that it should have.
      if run.allSatisfy({ accepts(field, $0, depth: depth) }) {
        if losers.isEmpty || !losers.contains(field.number) { try member(field, run, depth: depth) }
        continue
      }
      let known = run.filter { accepts(field, $0, depth: depth) }
      if !known.isEmpty, losers.isEmpty || !losers.contains(field.number) {
        try member(field, known[...], depth: depth)
      }
      try untypedMembers(run.filter { !accepts(field, $0, depth: depth) }[...], depth: depth)
    }
  }

  /// Numbers of oneof members that a later member of the same oneof replaced.
  private func overruled(in type: ProtobufMessageType, _ fields: [ProtobufField]) -> Set<UInt32> {
    var last: [Int: ProtobufField] = [:]
    var losers: Set<UInt32> = []
    for field in fields {
      guard let oneof = type.field(field.number)?.oneof else { continue }
      if let other = last[oneof], other.number != field.number {
        losers.insert(other.start < field.start ? other.number : field.number)
        if other.start > field.start { continue }
      }
      last[oneof] = field
    }
    if !losers.isEmpty { for winner in last.values { losers.remove(winner.number) } }
    return losers
  }

  /// Whether a field on the wire is as its type demands: packed and unpacked, length-prefixed and delimited alike.
  private func accepts(_ type: ProtobufFieldType, _ field: ProtobufField, depth: Int) -> Bool {
    switch type.kind {
    case .message, .group:
      guard field.wire == .len || field.wire == .group, depth > 1 else { return false }
      // What is damaged inside is shown as bytes, and does not spoil what is around it.
      var scanner = ProtobufScanner(source, field.content, depth: depth - 1)
      while scanner.next() != nil {}
      return scanner.fault == nil
    case .string, .bytes: return field.wire == .len
    default:
      if field.wire == type.kind.wire { return true }
      guard type.isRepeated, field.wire == .len else { return false }
      return isPacked(field.content, type.kind.wire)
    }
  }

  private func isPacked(_ range: Range<Int>, _ wire: ProtobufWire) -> Bool {
    switch wire {
    case .i32: return range.count % 4 == 0
    case .i64: return range.count % 8 == 0
    default:
      var scanner = ProtobufScanner(source, range, depth: 1)
      while scanner.position < range.upperBound { if scanner.varint() == nil { return false } }
      return true
    }
  }

  private mutating func member(
    _ field: ProtobufFieldType, _ run: ArraySlice<ProtobufField>, depth: Int
  ) throws(ProtobufError) {
    let name = naming == .json ? field.jsonSpelling : field.spelling
    if field.isRepeated {
      if field.kind == .message, let index = field.typeIndex, let entry = descriptors?.messages[index],
        entry.isMapEntry, let key = entry.field(1), let value = entry.field(2)
      {
        json.name(spelt: name)
        return try map(run, key, value, depth: depth)
      }
      json.name(spelt: name)
      json.open("[")
      for element in run { try elements(field, element, depth: depth) }
      json.close("]")
      return
    }
    guard let last = run.last else { return }
    if field.kind == .message || field.kind == .group {
      json.name(spelt: name)
      return try submessage(field, run.map(\.content), depth: depth)
    }
    if !field.hasPresence, isDefault(last) { return }
    json.name(spelt: name)
    try value(field, last)
  }

  private func isDefault(_ field: ProtobufField) -> Bool {
    field.wire == .len ? field.content.isEmpty : field.value == 0
  }

  private mutating func submessage(
    _ field: ProtobufFieldType, _ ranges: [Range<Int>], depth: Int
  ) throws(ProtobufError) {
    if let index = field.typeIndex {
      try message(index, ranges, depth: depth - 1)
    } else {
      try untypedMessage(ranges, depth: depth - 1)
    }
  }

  /// One field of a repeated one: an element, or several packed.
  private mutating func elements(
    _ type: ProtobufFieldType, _ field: ProtobufField, depth: Int
  ) throws(ProtobufError) {
    try checkSize(field.start)
    if type.kind == .message || type.kind == .group {
      return try submessage(type, [field.content], depth: depth)
    }
    guard field.wire == .len, type.kind.wire != .len else { return try value(type, field) }
    var scanner = ProtobufScanner(source, field.content, depth: 1)
    var element = field
    element.wire = type.kind.wire
    while let bits = scanner.packed(element.wire) {
      element.value = bits
      try value(type, element)
    }
  }

  /// Of entries with one key the last counts; they stand where the first did.
  private mutating func map(
    _ run: ArraySlice<ProtobufField>, _ key: ProtobufFieldType, _ value: ProtobufFieldType, depth: Int
  ) throws(ProtobufError) {
    var entries: [(key: String, fields: [ProtobufField])] = []
    var places: [String: Int] = [:]
    for entry in run {
      let fields = try source.protobufFields(in: [entry.content], depth: depth - 1)
      let text = keyText(key, fields.last { $0.number == 1 && accepts(key, $0, depth: depth - 1) })
      let values = fields.filter { $0.number == 2 && accepts(value, $0, depth: depth - 1) }
      if let place = places[text] {
        entries[place].fields = values
      } else {
        places[text] = entries.count
        entries.append((text, values))
      }
    }
    json.open("{")
    for entry in entries {
      json.name(entry.key)
      if value.kind == .message || value.kind == .group {
        try submessage(value, entry.fields.map(\.content), depth: depth - 1)
      } else {
        let zero = ProtobufField(number: 2, wire: value.kind.wire, start: 0, content: 0..<0, end: 0)
        try self.value(value, entry.fields.last ?? zero, isMissing: entry.fields.isEmpty)
      }
    }
    json.close("}")
  }

  /// Keys are whole numbers, booleans or strings.
  private func keyText(_ type: ProtobufFieldType, _ field: ProtobufField?) -> String {
    switch type.kind {
    case .string: field.map { String(decoding: source[$0.content], as: UTF8.self) } ?? ""
    case .bool: field.map { $0.value != 0 } ?? false ? "true" : "false"
    default: type.kind.wholeNumber(field?.value ?? 0)?.text ?? "0"
    }
  }
}

extension ProtobufScanner {
  /// The next number of a packed field.
  mutating func packed(_ wire: ProtobufWire) -> UInt64? {
    switch wire {
    case .i32: fixed(UInt32.self).map { UInt64($0) }
    case .i64: fixed(UInt64.self)
    default: isAtEnd ? nil : varint()
    }
  }
}
