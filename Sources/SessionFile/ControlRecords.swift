// Records that are no exchanges: metadata, the ledger, blobs.

public import HTTPModel

/// Numbers of the fields of a metadata, ledger or blob record.
private enum ControlField {
  /// A key, a row's identifier or a blob's name, UTF-8.
  static let name: UInt8 = 1
  /// Text or bytes.
  static let value: UInt8 = 2
  static let count: UInt8 = 3
}

extension RawBlock {
  /// A block of texts under keys. Blocks add up; worth writing at the start, for a file that is never finished.
  public static func metadata(_ metadata: SessionMetadata) -> RawBlock {
    control(
      .metadata, .metadata, metadata.entries.map { (Array($0.key.utf8), Array($0.value.utf8), 0) })
  }

  /// The ledger until now: the rows that are not 0. The last one in a file counts.
  public static func ledger(_ ledger: Ledger) -> RawBlock {
    control(
      .ledger, .ledger,
      Ledger.Row.allCases.filter { ledger[$0] != 0 }.map { (Array($0.identifier.utf8), [], ledger[$0]) })
  }

  /// Any bytes under a name, such as a report's JSON. The last one of a name counts.
  /// - Parameter bytes: at most 512 MiB.
  public static func blob(name: String, bytes: [UInt8]) -> RawBlock {
    precondition(bytes.count + name.utf8.count <= BlockHeader.maximumRawLength / 2, "a blob has at most 512 MiB")
    return control(.blob, .blob, [(Array(name.utf8), bytes, 0)])
  }

  private static func control(
    _ type: BlockType, _ kind: RecordKind, _ records: [(name: [UInt8], value: [UInt8], count: UInt64)]
  ) -> RawBlock {
    let bound = records.reduce(0) {
      $0 + RecordKey.prefixSize + 3 * RecordWriter.fieldBound + $1.name.count + $1.value.count
    }
    let bytes = BlockBytes(capacity: bound)
    var writer = RecordWriter(at: bytes.start)
    for (name, value, count) in records {
      let record = writer.next
      RecordKey(start: 0, id: ExchangeID(connection: 0, ordinal: 0), kind: kind.rawValue).begin(&writer)
      writer.field(ControlField.name, name)
      writer.field(ControlField.value, value)
      writer.field(ControlField.count, count)
      RecordKey.end(record, writer)
    }
    bytes.setCount(writer.next - bytes.start)
    return RawBlock(
      type: type, recordCount: UInt32(records.count), exchangeCount: 0, minStart: Timestamp(nanoseconds: 0),
      maxStart: Timestamp(nanoseconds: 0), isLate: false, bytes: bytes)
  }
}

/// A metadata, ledger or blob record.
struct ControlRecord {
  var name: UnsafeRawBufferPointer?
  var value: UnsafeRawBufferPointer?
  var count: UInt64 = 0

  var nameText: String { name.map { String(decoding: $0, as: UTF8.self) } ?? "" }
  var valueText: String { value.map { String(decoding: $0, as: UTF8.self) } ?? "" }

  init(_ fields: UnsafeRawBufferPointer) throws(RecordFault) {
    var reader = RecordReader(fields)
    while !reader.isAtEnd {
      let (number, type) = try reader.tag()
      switch UInt8(exactly: number) {
      case ControlField.name: name = try reader.contents(type)
      case ControlField.value: value = try reader.contents(type)
      case ControlField.count: count = try reader.value(type)
      default: try reader.skip(type)
      }
    }
  }

  /// Hands over each record of a block that is of this kind and can be decoded.
  /// - Returns: how many could not be.
  static func forEach(
    _ kind: RecordKind, in block: UnsafeRawBufferPointer, _ body: (ControlRecord) -> Void
  ) -> UInt64 {
    var offset = 0
    var faults: UInt64 = 0
    while offset < block.count {
      guard let (key, end) = RecordKey.read(block, at: offset) else { return faults + 1 }
      if key.kind == kind.rawValue {
        do throws(RecordFault) {
          body(try ControlRecord(RecordKey.fields(block, at: offset, end: end)))
        } catch {
          faults += 1
        }
      }
      offset = end
    }
    return faults
  }
}
