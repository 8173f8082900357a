// What each record of a block begins with, and what sorts it.

import HTTPModel

/// What a record holds. Readers pass over a kind that they do not know.
enum RecordKind: UInt8 {
  case exchange = 1
  /// An exchange whose response was not there yet.
  case request = 2
  /// The rest of it, under the same start and id.
  case response = 3
  case replayed = 4
  case metadata = 16
  case ledger = 17
  case blob = 18
}

/// The order of records: by request start, then id; a request stands before its response.
struct RecordKey: Comparable {
  var start: Int64
  var id: ExchangeID
  var kind: UInt8

  @inline(__always)
  static func < (a: RecordKey, b: RecordKey) -> Bool {
    if a.start != b.start { return a.start < b.start }
    if a.id != b.id { return a.id < b.id }
    return a.kind < b.kind
  }

  /// Whether the two are halves of one exchange.
  func joins(_ other: RecordKey) -> Bool { start == other.start && id == other.id }

  /// Bytes before the first field: length (4), kind (1), start (8), connection (4), ordinal (4).
  static let prefixSize = 21

  /// Writes the prefix, its length still open.
  @inline(__always)
  func begin(_ writer: inout RecordWriter) {
    writer.fixed(UInt32(0))
    writer.byte(kind)
    writer.fixed(start)
    writer.fixed(id.connection)
    writer.fixed(id.ordinal)
  }

  /// Fills in the length of the record at `record`, which ends where `writer` stands.
  @inline(__always)
  static func end(_ record: UnsafeMutableRawPointer, _ writer: RecordWriter) {
    record.storeBytes(of: UInt32(truncatingIfNeeded: writer.next - record - 4).littleEndian, as: UInt32.self)
  }

  /// The key of the record at `offset` and where the record ends; nil where no whole record stands there.
  @inline(__always)
  static func read(_ block: UnsafeRawBufferPointer, at offset: Int) -> (key: RecordKey, end: Int)? {
    guard offset >= 0, block.count - offset >= prefixSize else { return nil }
    let length = Int(block.little(offset, UInt32.self))
    guard length >= prefixSize - 4, length <= block.count - offset - 4 else { return nil }
    let key = RecordKey(
      start: block.little(offset + 5, Int64.self),
      id: ExchangeID(
        connection: block.little(offset + 13, UInt32.self), ordinal: block.little(offset + 17, UInt32.self)),
      kind: block[offset + 4])
    return (key, offset + 4 + length)
  }

  /// Fields of the record that ends at `end`.
  static func fields(_ block: UnsafeRawBufferPointer, at offset: Int, end: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: block[(offset + prefixSize)..<end])
  }
}
