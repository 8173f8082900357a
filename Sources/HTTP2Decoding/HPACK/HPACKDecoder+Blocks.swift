// Purpose: header blocks (RFC 7541, 6) field by field.
// Input -> output: one block -> fields, changes of the table, anomalies. Owner: HPACKDecoder, for one call.
// Bounds: time in proportion to the block and to what the list may hold; a field beyond the list's limits is read for the
// table's sake only.

import HTTPModel

extension HPACKDecoder {
  /// What a block has come to.
  struct BlockState {
    var reader: HPACKReader
    var outcome = Outcome()
    /// Past the place for size updates.
    var sawField = false
    var losesTable = false
    /// Of the block's list; the size is out of bounds once a limit was reached.
    var listSize = 0
    var listCount = 0

    @inline(__always)
    init(_ block: UnsafeRawBufferPointer) { reader = HPACKReader(block) }

    /// An error after which the table is as it was.
    mutating func reportError(_ anomaly: Anomaly) {
      outcome.anomalies.insert(anomaly)
      outcome.isError = true
    }

    /// An error which says that the encoder's table is another one, or that its block is broken.
    @inline(never)
    mutating func fail(_ anomaly: Anomaly) {
      reportError(anomaly)
      losesTable = true
    }
  }

  mutating func decodeFields(_ state: inout BlockState, into fields: inout HPACKFieldList) throws(HPACKFault) {
    if requiredReduction != nil, !state.reader.isAtEnd, state.reader.byte & 0xe0 != 0x20 {
      state.reportError(.hpackSizeUpdateMissing)
      requiredReduction = nil
    }
    while !state.reader.isAtEnd {
      let byte = state.reader.byte
      if byte >= 0x80 {
        state.sawField = true
        addIndexed(try state.reader.integer(0x7f), &state, &fields)
      } else if byte >= 0x40 {
        state.sawField = true
        try addLiteral(0x3f, isIndexing: true, kind: [], &state, &fields)
      } else if byte >= 0x20 {
        updateSize(try state.reader.integer(0x1f), &state)
      } else {
        state.sawField = true
        try addLiteral(0x0f, isIndexing: false, kind: byte >= 0x10 ? .neverIndexed : [], &state, &fields)
      }
    }
  }

  // MARK: Representations

  /// An indexed field (RFC 7541, 6.1).
  @inline(__always)
  private mutating func addIndexed(_ index: Int, _ state: inout BlockState, _ fields: inout HPACKFieldList) {
    let found: HPACKTableEntry
    let ordinal = index &- 1 &- HPACKStaticTable.count
    if ordinal >= 0, ordinal < table.count {
      found = table.withEntry(ordinal) { bytes, entry in
        fields.write(bytes, count: entry.byteCount, at: fields.byteCount)
        return entry
      }
    } else if ordinal < 0, index > 0 {
      found = statics.entries[index &- 1]
      fields.write(statics.bytes + Int(found.offset), count: found.byteCount, at: fields.byteCount)
    } else {
      let marks: HPACKFieldMarks = [.nameUnresolved, .valueUnresolved]
      let place = unseenPlace(index, &state)
      let isAdded = add(nameLength: 0, valueLength: 0, marks: marks, &state, &fields)
      return state.report(marks, index, place, isAdded, &fields)
    }
    let isAdded = add(
      nameLength: Int(found.nameLength), valueLength: Int(found.valueLength), marks: found.marks, &state, &fields)
    if !found.marks.isEmpty { state.report(found.marks, index, found.nameOrigin, isAdded, &fields) }
  }

  /// A literal field, and its insertion (RFC 7541, 6.2).
  /// - Parameters:
  ///   - mask: the bits of the name's index in the first byte.
  ///   - kind: what the representation says of the field.
  @inline(__always)
  private mutating func addLiteral(
    _ mask: UInt8, isIndexing: Bool, kind: HPACKFieldMarks, _ state: inout BlockState, _ fields: inout HPACKFieldList
  ) throws(HPACKFault) {
    let index = try state.reader.integer(mask)
    let start = fields.byteCount
    // What the table says of the name, and what else is to be said.
    var marks: HPACKFieldMarks = []
    var others = kind
    var origin = HPACKTableEntry.noOrigin
    let nameLength: Int
    if index == 0 {
      let name = try state.reader.readString(huffman, into: &fields, at: start)
      if name == nil { others.insert(.nameUnresolved) }
      nameLength = name ?? 0
    } else {
      (nameLength, marks, origin) = writeName(index, &state, &fields)
    }
    let value = try state.reader.readString(huffman, into: &fields, at: start &+ nameLength)
    if value == nil { others.insert(.valueUnresolved) }
    let valueLength = value ?? 0
    if others != kind { state.fail(.hpackHuffmanInvalid) }
    if isIndexing {
      fields.storage.withUnsafeBufferPointer {
        insert(
          $0.baseAddress.unsafelyUnwrapped + start, nameLength: nameLength, valueLength: valueLength, marks: marks,
          nameOrigin: origin)
      }
    }
    let isAdded = add(
      nameLength: nameLength, valueLength: valueLength, marks: marks.union(others), &state, &fields)
    if !marks.isEmpty { state.report(marks, index, origin, isAdded, &fields) }
  }

  /// Writes the name of an entry where the next field's begins.
  @inline(__always)
  private mutating func writeName(
    _ index: Int, _ state: inout BlockState, _ fields: inout HPACKFieldList
  ) -> (length: Int, marks: HPACKFieldMarks, origin: UInt16) {
    let ordinal = index &- 1 &- HPACKStaticTable.count
    if ordinal < 0 {
      let entry = statics.entries[index &- 1]
      fields.write(statics.bytes + Int(entry.offset), count: Int(entry.nameLength), at: fields.byteCount)
      return (Int(entry.nameLength), [], HPACKTableEntry.noOrigin)
    }
    guard ordinal < table.count else { return (0, .nameUnresolved, unseenPlace(index, &state)) }
    let entry = table.withEntry(ordinal) { bytes, entry in
      fields.write(bytes, count: Int(entry.nameLength), at: fields.byteCount)
      return entry
    }
    return (Int(entry.nameLength), entry.marks, entry.nameOrigin)
  }

  /// Which of the entries that were lost an index means that goes beyond the table, where that can be said.
  @inline(never)
  private mutating func unseenPlace(_ index: Int, _ state: inout BlockState) -> UInt16 {
    guard index > 0, let ordinal = unseenOrdinal(index - 1 - HPACKStaticTable.count) else {
      state.fail(.hpackIndexInvalid)
      return HPACKTableEntry.noOrigin
    }
    guard ordinal >= forgottenCount else { return HPACKTableEntry.noOrigin }
    return UInt16(clamping: ordinal - forgottenCount)
  }

  /// Adds the field that was written at the list's end, unless a limit is reached.
  /// - Returns: whether it was added.
  @inline(__always)
  private func add(
    nameLength: Int, valueLength: Int, marks: HPACKFieldMarks, _ state: inout BlockState,
    _ fields: inout HPACKFieldList
  ) -> Bool {
    state.listSize &+= nameLength &+ valueLength &+ 32
    state.listCount &+= 1
    // Ranges have 32 bits.
    if state.listSize > limits.maxHeaderListBytes || state.listCount > limits.maxFields
      || fields.byteCount &+ nameLength &+ valueLength > Int(UInt32.max)
    {
      // What would still fit is left out too: a list with a hole in it would pass for whole.
      state.listSize = .max / 2
      state.outcome.anomalies.insert(.hpackHeaderListTooLarge)
      fields.omittedFields &+= 1
      return false
    }
    fields.add(nameLength: nameLength, valueLength: valueLength, marks: marks)
    return true
  }
}

extension HPACKDecoder.BlockState {
  /// Tells of a field that the table made incomplete or uncertain.
  @inline(never)
  mutating func report(
    _ marks: HPACKFieldMarks, _ index: Int, _ origin: UInt16, _ isAdded: Bool, _ fields: inout HPACKFieldList
  ) {
    if marks.contains(.assumed) { outcome.anomalies.insert(.h2AssumedIndex) }
    guard marks.contains(.nameUnresolved) else { return }
    outcome.anomalies.insert(.h2UnresolvedIndex)
    guard isAdded else { return }
    fields.unresolved.append(
      HPACKUnresolvedReference(
        field: fields.count - 1, index: UInt32(truncatingIfNeeded: index),
        ordinal: origin == HPACKTableEntry.noOrigin ? nil : Int(origin)))
  }
}

extension HPACKReader {
  /// Reads a string (RFC 7541, 5.2) and writes it to `position` of a list's bytes.
  /// - Returns: its length; nil where its Huffman code is invalid.
  @inline(__always)
  mutating func readString(
    _ code: HuffmanCode, into fields: inout HPACKFieldList, at position: Int
  ) throws(HPACKFault) -> Int? {
    let (count, isHuffman) = try stringLength()
    let start = next
    next += count
    return fields.write(start, count: count, code: isHuffman ? code : nil, at: position)
  }
}
