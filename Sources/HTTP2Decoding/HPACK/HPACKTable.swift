// Purpose: the entries of a dynamic table (RFC 7541, 2.3.2): names and values in one buffer, entries in a ring.
// Input -> output: entries in at the newer end, out at the older; looked up by age.
// Owner: one HPACKDecoder, or whoever took a copy. Bounds: the owner evicts; the buffer is at most four times as large as
// what is in it, the ring twice.

/// Where an entry's bytes stand: the value follows the name.
struct HPACKTableEntry: Sendable {
  var offset: UInt32
  var nameLength: UInt32
  var valueLength: UInt32
  /// ``HPACKFieldMarks/nameUnresolved`` and ``HPACKFieldMarks/assumed``.
  var marks: HPACKFieldMarks
  /// The unseen entry that an unresolved name stands in, where it has a place: see ``HPACKUnresolvedReference/ordinal``.
  var nameOrigin: UInt16

  /// Of an entry whose name has no such place.
  static let noOrigin = UInt16.max

  var byteCount: Int { Int(nameLength) &+ Int(valueLength) }

  /// What the entry takes in the table (RFC 7541, 4.1); the least that it can where the name is unresolved.
  var size: Int { 32 &+ byteCount }
}

/// A dynamic table, or a copy of one that is detached from its connection.
public struct HPACKTable: Sendable {
  /// Entries.
  public private(set) var count = 0
  /// Their size (RFC 7541, 4.1), in bytes; the least that it can be where names are unresolved.
  public private(set) var size = 0

  /// How many of the oldest are assumed to be there, and their part of ``size``.
  private(set) var seededCount = 0
  private(set) var seededSize = 0
  /// Entries with a name that is not known, or assumed.
  private(set) var unresolvedCount = 0
  private(set) var assumedCount = 0

  /// Entries from the oldest to the newest; those of `count - 1` before ``newest`` and ``newest`` itself are live.
  private var ring: [HPACKTableEntry] = []
  private var newest = 0
  private var bytes: [UInt8] = []
  /// Where the newest entry's bytes end.
  private var end = 0

  public init() {}

  /// An entry's name and value; the name is nil where it was never seen.
  /// - Parameter ordinal: `0 ..< count`, from the newest on.
  public func entry(at ordinal: Int) -> (name: [UInt8]?, value: [UInt8]) {
    precondition(ordinal >= 0 && ordinal < count, "no entry \(ordinal) in a table of \(count)")
    return withEntry(ordinal) { bytes, entry in
      let name = UnsafeBufferPointer(start: bytes, count: Int(entry.nameLength))
      let value = UnsafeBufferPointer(start: bytes + Int(entry.nameLength), count: Int(entry.valueLength))
      return (entry.marks.contains(.nameUnresolved) ? nil : Array(name), Array(value))
    }
  }

  /// Entries that are there for certain, and their size.
  @inline(__always) var provenCount: Int { count &- seededCount }
  @inline(__always) var provenSize: Int { size &- seededSize }

  /// Lends an entry and its bytes, behind which ``copyBlock`` bytes can be read.
  @inline(__always)
  func withEntry<Result>(_ ordinal: Int, _ body: (UnsafePointer<UInt8>, HPACKTableEntry) -> Result) -> Result {
    let entry = ring.withUnsafeBufferPointer { $0.baseAddress.unsafelyUnwrapped[slot(ordinal)] }
    return bytes.withUnsafeBufferPointer { body($0.baseAddress.unsafelyUnwrapped + Int(entry.offset), entry) }
  }

  @inline(__always)
  private func slot(_ ordinal: Int) -> Int { (newest &- ordinal) & (ring.count &- 1) }

  // MARK: Changes

  /// - Parameter source: the name and, after it, the value; not a part of this table.
  mutating func insert(
    _ source: UnsafePointer<UInt8>, nameLength: Int, valueLength: Int, marks: HPACKFieldMarks,
    nameOrigin: UInt16 = HPACKTableEntry.noOrigin
  ) {
    let length = nameLength &+ valueLength
    if length &+ copyBlock > bytes.count &- end { makeRoom(length) }
    if count == ring.count { growRing() }
    bytes.withUnsafeMutableBufferPointer {
      ($0.baseAddress.unsafelyUnwrapped + end).update(from: source, count: length)
    }
    let entry = HPACKTableEntry(
      offset: UInt32(truncatingIfNeeded: end), nameLength: UInt32(truncatingIfNeeded: nameLength),
      valueLength: UInt32(truncatingIfNeeded: valueLength), marks: marks, nameOrigin: nameOrigin)
    newest = (newest &+ 1) & (ring.count &- 1)
    ring.withUnsafeMutableBufferPointer { $0.baseAddress.unsafelyUnwrapped[newest] = entry }
    end &+= length
    count &+= 1
    size &+= entry.size
    if !marks.isEmpty { countMarks(marks, by: 1) }
  }

  /// Only where there is an entry.
  @inline(__always)
  mutating func evictOldest() {
    let entry = ring[slot(count &- 1)]
    count &-= 1
    size &-= entry.size
    if seededCount > 0 {
      seededCount &-= 1
      seededSize &-= entry.size
    }
    if !entry.marks.isEmpty { countMarks(entry.marks, by: -1) }
    if count == 0 { end = 0 }
  }

  mutating func removeAll() {
    while count > 0 { evictOldest() }
  }

  /// Puts another table's newest entries before the oldest one, as far as all fit in `bound` bytes, marked as assumed.
  /// Names that stand in unseen entries are taken from them.
  mutating func seed(_ other: HPACKTable, bound: Int) {
    while seededCount > 0 { evictOldest() }
    var taken = 0
    var rest = bound &- size
    while taken < other.count {
      rest &-= other.withEntry(taken) { _, entry in entry.size }
      if rest < 0 { break }
      taken += 1
    }
    var seeded = HPACKTable()
    for ordinal in (0..<taken).reversed() {
      other.withEntry(ordinal) { bytes, entry in
        seeded.insert(
          bytes, nameLength: Int(entry.nameLength), valueLength: Int(entry.valueLength),
          marks: entry.marks.union(.assumed))
      }
    }
    (seeded.seededCount, seeded.seededSize) = (seeded.count, seeded.size)
    for ordinal in (0..<count).reversed() {
      withEntry(ordinal) { bytes, entry in
        let origin = Int(entry.nameOrigin)
        guard entry.marks.contains(.nameUnresolved), origin < other.count, let name = other.entry(at: origin).name
        else {
          return seeded.insert(
            bytes, nameLength: Int(entry.nameLength), valueLength: Int(entry.valueLength), marks: entry.marks,
            nameOrigin: entry.nameOrigin)
        }
        let value = UnsafeBufferPointer(start: bytes, count: Int(entry.valueLength))
        (name + value).withUnsafeBufferPointer {
          seeded.insert(
            $0.baseAddress.unsafelyUnwrapped, nameLength: name.count, valueLength: value.count, marks: .assumed)
        }
      }
    }
    self = seeded
  }

  private mutating func countMarks(_ marks: HPACKFieldMarks, by step: Int) {
    if marks.contains(.nameUnresolved) { unresolvedCount += step }
    if marks.contains(.assumed) { assumedCount += step }
  }

  // MARK: Room

  /// Moves what is live to the front, into a larger buffer where it would fill more than half of this one. Each byte moved
  /// is paid for by one that was inserted since the last time.
  private mutating func makeRoom(_ length: Int) {
    let start = count == 0 ? end : Int(ring[slot(count &- 1)].offset)
    let live = end - start
    let needed = live + length + copyBlock
    if needed > bytes.count / 2 {
      var larger = [UInt8](repeating: 0, count: max(512, needed * 2))
      larger.replaceSubrange(0..<live, with: bytes[start..<end])
      bytes = larger
    } else {
      bytes.withUnsafeMutableBufferPointer {
        let base = $0.baseAddress.unsafelyUnwrapped
        base.update(from: base + start, count: live)
      }
    }
    for ordinal in 0..<count { ring[slot(ordinal)].offset -= UInt32(start) }
    end = live
  }

  private mutating func growRing() {
    let blank = HPACKTableEntry(offset: 0, nameLength: 0, valueLength: 0, marks: [], nameOrigin: 0)
    var larger = [HPACKTableEntry](repeating: blank, count: max(16, ring.count * 2))
    for ordinal in 0..<count { larger[count - 1 - ordinal] = ring[slot(ordinal)] }
    ring = larger
    newest = max(count - 1, 0)
  }
}
