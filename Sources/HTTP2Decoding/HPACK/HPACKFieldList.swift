// Purpose: where decoded header blocks go: names and values in one buffer, fields as ranges into it, marks beside them.
// Input -> output: what HPACKDecoder appends -> HeaderFields, or a look at the bytes in place.
// Owner: whoever decodes; reused from block to block, so that nothing is allocated once it has grown.
// Bounds: HPACKLimits, for each block.

public import HTTPModel

/// What is to be said of a decoded field beyond its bytes.
public struct HPACKFieldMarks: OptionSet, Hashable, Sendable {
  /// One bit a mark.
  public let rawValue: UInt8

  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The name stands in a table entry that was never seen; it is empty here.
  public static let nameUnresolved = HPACKFieldMarks(rawValue: 1)
  /// The value stands in a table entry that was never seen, or its Huffman code is broken; it is empty here.
  public static let valueUnresolved = HPACKFieldMarks(rawValue: 2)
  /// The sender forbids compressing it (RFC 7541, 6.2.3): mostly a secret.
  public static let neverIndexed = HPACKFieldMarks(rawValue: 4)
  /// The name, or name and value, come from another connection's table (``HPACKDecoder/assume(_:)``).
  public static let assumed = HPACKFieldMarks(rawValue: 8)
}

/// A reference to a table entry that was never seen.
public struct HPACKUnresolvedReference: Hashable, Sendable {
  /// Index into ``HPACKFieldList/ranges``.
  public var field: Int
  /// The index as sent (RFC 7541, 2.3.3).
  public var index: UInt32
  /// Which of the entries that were in the table when its knowledge was lost has what is missing: 0 is the newest of
  /// them. It stays the same, so equal ordinals mean one entry, and ``HPACKTable/entry(at:)`` of another connection may
  /// be asked for it later. Nil where that cannot be said: the index is impossible, or the entry was forgotten at
  /// ``HPACKLimits/maxTableBytes``.
  public var ordinal: Int?

  public init(field: Int, index: UInt32, ordinal: Int?) {
    self.field = field
    self.index = index
    self.ordinal = ordinal
  }
}

/// Fields of one or more header blocks, in order; reusable.
public struct HPACKFieldList: Sendable {
  /// The first ``byteCount`` bytes are names and values, each value right after its name; the rest is room.
  @usableFromInline var storage: [UInt8] = []
  /// Of ``storage``, what is in use.
  public internal(set) var byteCount = 0
  /// Where each field stands in the bytes.
  public internal(set) var ranges: [FieldRange] = []
  /// One for each field.
  public internal(set) var marks: [HPACKFieldMarks] = []
  /// All ``marks`` together: empty for most lists.
  public internal(set) var unionOfMarks: HPACKFieldMarks = []
  /// One for each field that has an unresolved name or value because of the table, in order.
  public internal(set) var unresolved: [HPACKUnresolvedReference] = []
  /// Fields that were left out because of ``HPACKLimits``.
  public internal(set) var omittedFields = 0

  public init() {}

  /// Fields in it.
  @inlinable public var count: Int { ranges.count }
  /// There are no fields in it.
  @inlinable public var isEmpty: Bool { ranges.isEmpty }

  /// Forgets the fields and keeps the room.
  public mutating func removeAll() {
    byteCount = 0
    ranges.removeAll(keepingCapacity: true)
    marks.removeAll(keepingCapacity: true)
    unionOfMarks = []
    if !unresolved.isEmpty { unresolved.removeAll(keepingCapacity: true) }
    omittedFields = 0
  }

  /// The name of a field, as sent; empty where it was never seen.
  @inlinable
  public func name(at index: Int) -> ArraySlice<UInt8> {
    storage[Int(ranges[index].nameStart)..<Int(ranges[index].nameEnd)]
  }

  /// The value of a field, as sent; empty where it was never seen.
  @inlinable
  public func value(at index: Int) -> ArraySlice<UInt8> {
    storage[Int(ranges[index].valueStart)..<Int(ranges[index].valueEnd)]
  }

  /// Lends the bytes that ``ranges`` point into, until `body` returns.
  @inlinable
  public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try storage.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<byteCount])) }
  }

  /// The fields as a message keeps them: two exact allocations and two copies.
  ///
  /// The bytes of all fields are in the storage, so ranges of ``ranges`` (of `:method`, say) hold in it.
  /// - Parameter first: the fields before it get no range: pass the number of pseudo-header fields.
  public func headerFields(from first: Int = 0) -> HeaderFields {
    HeaderFields(storage: Array(storage[..<byteCount]), ranges: Array(ranges[first...]))
  }
}

// MARK: Writing

/// Bytes that are copied at once where there is room for more than is wanted.
let copyBlock = 16

/// Copies `count` bytes, and up to ``copyBlock`` more on either side's room: mostly one or two moves and no call.
@inline(__always)
func copyInBlocks(_ source: UnsafePointer<UInt8>, to destination: UnsafeMutablePointer<UInt8>, count: Int) {
  let from = UnsafeRawPointer(source)
  let to = UnsafeMutableRawPointer(destination)
  var offset = 0
  while offset < count {
    to.storeBytes(
      of: from.loadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self), toByteOffset: offset,
      as: SIMD16<UInt8>.self)
    offset &+= copyBlock
  }
}

extension HPACKFieldList {
  /// Makes room for `count` bytes from `position` on, and for a block more.
  @inline(__always)
  mutating func reserve(_ count: Int, at position: Int) {
    if storage.count &- position < count &+ copyBlock { grow(to: position &+ count &+ copyBlock) }
  }

  private mutating func grow(to count: Int) {
    storage.append(contentsOf: repeatElement(0, count: max(count, storage.count * 2, 512) - storage.count))
  }

  /// Writes bytes behind which a block more can be read. What is written beyond ``byteCount`` counts when a field is
  /// added that has it.
  @inline(__always)
  mutating func write(_ source: UnsafePointer<UInt8>, count: Int, at position: Int) {
    reserve(count, at: position)
    storage.withUnsafeMutableBufferPointer {
      copyInBlocks(source, to: $0.baseAddress.unsafelyUnwrapped + position, count: count)
    }
  }

  /// Writes a string literal.
  /// - Parameter code: nil where it is not coded.
  /// - Returns: how many bytes that were; nil where its Huffman code is invalid.
  @inline(__always)
  mutating func write(
    _ source: UnsafePointer<UInt8>, count: Int, code: HuffmanCode?, at position: Int
  ) -> Int? {
    guard let code else {
      reserve(count, at: position)
      storage.withUnsafeMutableBufferPointer {
        ($0.baseAddress.unsafelyUnwrapped + position).update(from: source, count: count)
      }
      return count
    }
    reserve(HuffmanCode.bound(count), at: position)
    return storage.withUnsafeMutableBufferPointer {
      code.decode(source, count: count, into: $0.baseAddress.unsafelyUnwrapped + position)
    }
  }

  /// Adds a field whose name and value were written at ``byteCount``.
  @inline(__always)
  mutating func add(nameLength: Int, valueLength: Int, marks: HPACKFieldMarks) {
    let start = UInt32(truncatingIfNeeded: byteCount)
    let nameEnd = start &+ UInt32(truncatingIfNeeded: nameLength)
    byteCount &+= nameLength &+ valueLength
    ranges.append(
      FieldRange(
        nameStart: start, nameEnd: nameEnd, valueStart: nameEnd, valueEnd: UInt32(truncatingIfNeeded: byteCount)))
    self.marks.append(marks)
    unionOfMarks.formUnion(marks)
  }
}
