// Where the fields of a head stand, as few bytes as they need: mostly two or three a field.
//
// A table is: count, the bytes between a name and its value, the bytes between a value and the next name, the first
// name's start; then for each field either name length * 2 and value length, where it stands as those gaps foretell
// (": " and CRLF in most HTTP/1 heads, nothing in HTTP/2), or 1 and its four offsets. All are varints.

import HTTPModel

enum FieldTable {
  /// Upper bound of a table's bytes: four varints, and 1 + 4 * 5 a field.
  @inline(__always)
  static func bound(_ fields: borrowing HeaderFields) -> Int { 24 &+ fields.ranges.count &* 21 }

  @inline(__always)
  static func write(_ ranges: [FieldRange], to writer: inout RecordWriter) {
    ranges.withUnsafeBufferPointer { ranges in
      writer.varint(UInt64(ranges.count))
      guard let first = ranges.first else { return }
      let nameGap = first.valueStart &- first.nameEnd
      let valueGap = ranges.count > 1 ? ranges[1].nameStart &- first.valueEnd : 0
      writer.varint(nameGap)
      writer.varint(valueGap)
      writer.varint(first.nameStart)
      var expected = first.nameStart
      for range in ranges {
        let nameLength = range.nameEnd &- range.nameStart
        let valueLength = range.valueEnd &- range.valueStart
        let isRegular =
          range.nameStart == expected && range.valueStart == range.nameEnd &+ nameGap
          && range.nameEnd >= range.nameStart && range.valueEnd >= range.valueStart && nameLength >> 31 == 0
        if isRegular, nameLength < 0x40, valueLength < 0x80 {
          // Two varints of one byte each.
          writer.fixed(UInt16(truncatingIfNeeded: nameLength << 1 | valueLength << 8))
        } else if isRegular {
          writer.varint(nameLength << 1)
          writer.varint(valueLength)
        } else {
          writer.byte(1)
          writer.varint(range.nameStart)
          writer.varint(range.nameEnd)
          writer.varint(range.valueStart)
          writer.varint(range.valueEnd)
        }
        expected = range.valueEnd &+ valueGap
      }
    }
  }

  /// - Parameter storageCount: no range may reach beyond it; a table that does is a fault, so that whoever looks at a
  ///   field later cannot leave the storage.
  static func read(
    _ bytes: UnsafeRawBufferPointer, storageCount: Int, into ranges: inout [FieldRange]
  ) throws(RecordFault) {
    var reader = RecordReader(bytes)
    let count = try reader.varint()
    guard count > 0 else { return ranges.removeAll() }
    // A field takes two bytes at least, so the array is at most eight times as large as what is there.
    guard count <= UInt64(reader.remaining) else { throw RecordFault() }
    let nameGap = try reader.narrow(UInt32.self)
    let valueGap = try reader.narrow(UInt32.self)
    var expected = try reader.narrow(UInt32.self)
    // Most sections have as many fields as the one whose memory this is.
    if ranges.count != Int(count) {
      ranges.removeAll(keepingCapacity: true)
      ranges.append(
        contentsOf: repeatElement(
          FieldRange(nameStart: 0, nameEnd: 0, valueStart: 0, valueEnd: 0), count: Int(count)))
    }
    try ranges.withUnsafeMutableBufferPointer { ranges throws(RecordFault) in
      for index in ranges.indices {
        let range = try range(&reader, at: expected, nameGap: nameGap)
        guard range.nameStart <= range.nameEnd, Int(range.nameEnd) <= storageCount,
          range.valueStart <= range.valueEnd, Int(range.valueEnd) <= storageCount
        else { throw RecordFault() }
        ranges[index] = range
        expected = range.valueEnd &+ valueGap
      }
    }
  }

  @inline(__always)
  private static func range(
    _ reader: inout RecordReader, at expected: UInt32, nameGap: UInt32
  ) throws(RecordFault) -> FieldRange {
    let head = try reader.varint()
    guard head & 1 == 0 else {
      guard head == 1 else { throw RecordFault() }
      return FieldRange(
        nameStart: try reader.narrow(UInt32.self), nameEnd: try reader.narrow(UInt32.self),
        valueStart: try reader.narrow(UInt32.self), valueEnd: try reader.narrow(UInt32.self))
    }
    guard head >> 32 == 0 else { throw RecordFault() }
    let nameEnd = expected &+ UInt32(head >> 1)
    let valueStart = nameEnd &+ nameGap
    return FieldRange(
      nameStart: expected, nameEnd: nameEnd, valueStart: valueStart,
      valueEnd: valueStart &+ (try reader.narrow(UInt32.self)))
  }
}
