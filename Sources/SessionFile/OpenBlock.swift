// A block that records are still added to, and the sorting when it is sealed.

import HTTPModel

struct OpenBlock: ~Copyable {
  private struct Entry {
    var key: RecordKey
    var offset: Int
    var length: Int
  }

  private let type: BlockType
  private let isLate: Bool
  private var bytes: BlockBytes?
  private var entries: [Entry] = []
  private var isSorted = true
  private var exchangeCount: UInt32 = 0
  /// When the first record's exchange had ended.
  private var opened = Timestamp(nanoseconds: 0)

  init(type: BlockType, isLate: Bool) {
    self.type = type
    self.isLate = isLate
  }

  var byteCount: Int { bytes?.count ?? 0 }

  func isOlder(than time: Timestamp) -> Bool { !entries.isEmpty && opened < time }

  /// Makes room for a record of at most `bound` bytes and writes its prefix.
  @inline(__always)
  mutating func begin(_ key: RecordKey, bound: Int, target: Int) -> RecordWriter {
    if bytes == nil { bytes = BlockBytes(capacity: max(target &+ target >> 3, bound)) }
    let bytes = bytes.unsafelyUnwrapped
    bytes.reserve(bound)
    var writer = RecordWriter(at: bytes.start + bytes.count)
    key.begin(&writer)
    return writer
  }

  /// Takes over the record that `writer` has written.
  @inline(__always)
  mutating func end(_ key: RecordKey, _ writer: RecordWriter, ended: Timestamp) {
    let bytes = bytes.unsafelyUnwrapped
    let offset = bytes.count
    let record = bytes.start + offset
    bytes.setCount(writer.next - bytes.start)
    RecordKey.end(record, writer)
    if let last = entries.last {
      if key < last.key { isSorted = false }
    } else {
      opened = ended
    }
    if key.kind != RecordKind.response.rawValue { exchangeCount &+= 1 }
    entries.append(Entry(key: key, offset: offset, length: bytes.count &- offset))
  }

  /// The block with its records in order, and an empty one in its place; nil where there are no records.
  mutating func seal() -> RawBlock? {
    guard let filled = bytes, !entries.isEmpty else { return nil }
    var sealed = filled
    var (least, greatest) = (entries[0].key.start, entries[0].key.start)
    if type == .replayed || isSorted {
      for entry in entries {
        least = min(least, entry.key.start)
        greatest = max(greatest, entry.key.start)
      }
    } else {
      entries.sort { $0.key < $1.key }
      (least, greatest) = (entries[0].key.start, entries[entries.count - 1].key.start)
      sealed = BlockBytes(capacity: filled.count)
      var next = sealed.start
      for entry in entries {
        next.copyMemory(from: filled.start + entry.offset, byteCount: entry.length)
        next += entry.length
      }
      sealed.setCount(filled.count)
    }
    let block = RawBlock(
      type: type, recordCount: UInt32(entries.count), exchangeCount: exchangeCount,
      minStart: Timestamp(nanoseconds: least), maxStart: Timestamp(nanoseconds: greatest), isLate: isLate,
      bytes: sealed)
    bytes = nil
    entries.removeAll(keepingCapacity: true)
    isSorted = true
    exchangeCount = 0
    return block
  }
}
