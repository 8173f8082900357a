/// Where a field's name and value stand in the bytes that hold them.
public struct FieldRange: Hashable, Sendable {
  /// Index of the name's first byte.
  public var nameStart: UInt32
  /// Behind the name's last byte.
  public var nameEnd: UInt32
  /// Index of the value's first byte.
  public var valueStart: UInt32
  /// Behind the value's last byte.
  public var valueEnd: UInt32

  @inlinable
  public init(nameStart: UInt32, nameEnd: UInt32, valueStart: UInt32, valueEnd: UInt32) {
    self.nameStart = nameStart
    self.nameEnd = nameEnd
    self.valueStart = valueStart
    self.valueEnd = valueEnd
  }
}

/// Header or trailer fields in the order, spelling and number in which they were sent.
///
/// The bytes stay where the decoder found them and a field is a pair of ranges into them; nothing is copied,
/// lower-cased or validated until something looks. `storage` of an HTTP/1 message is its whole head as it was on the
/// wire (start line, fields, empty line), so writing it out again is writing those bytes.
public struct HeaderFields: Hashable, Sendable {
  /// The bytes that ``ranges`` point into. May hold more than the fields (a start line, line ends).
  public var storage: [UInt8]
  /// One for each field, in the order in which they were sent.
  public var ranges: [FieldRange]

  @inlinable
  public init(storage: [UInt8] = [], ranges: [FieldRange] = []) {
    self.storage = storage
    self.ranges = ranges
  }

  /// Gives up unusually large arrays, so that they are not kept for the sake of what comes next.
  @inlinable
  mutating func shed() {
    if storage.capacity > HeaderFields.reusedLimit { self = HeaderFields() }
  }

  @usableFromInline static let reusedLimit = 16 << 10

  /// Fields in it.
  @inlinable public var count: Int { ranges.count }
  /// There are no fields in it.
  @inlinable public var isEmpty: Bool { ranges.isEmpty }

  /// The name as it was sent.
  @inlinable
  public func name(at index: Int) -> ArraySlice<UInt8> {
    storage[Int(ranges[index].nameStart)..<Int(ranges[index].nameEnd)]
  }

  /// The value without the white space around it (RFC 9110, 5.5).
  @inlinable
  public func value(at index: Int) -> ArraySlice<UInt8> {
    storage[Int(ranges[index].valueStart)..<Int(ranges[index].valueEnd)]
  }

  /// Whether a field is one of HTTP/2's pseudo-header fields (RFC 9113, 8.3), which no header section of a message shows.
  public func isPseudoField(_ index: Int) -> Bool {
    let range = ranges[index]
    return range.nameStart < range.nameEnd && storage[Int(range.nameStart)] == 0x3a
  }

  /// Indices of the fields with this name; ASCII case does not count (RFC 9110, 5.1).
  /// - Parameter name: in lower case.
  public func indices(of name: StaticString) -> [Int] {
    ranges.indices.filter { matches($0, name) }
  }

  /// The first value under `name` (given in lower case), or nil.
  public func first(_ name: StaticString) -> ArraySlice<UInt8>? {
    for index in ranges.indices where matches(index, name) { return value(at: index) }
    return nil
  }

  /// The same, for a name that is not known when compiling; any case.
  public func first(named name: some StringProtocol) -> ArraySlice<UInt8>? {
    let wanted = Array(name.utf8)
    for index in ranges.indices where asciiCaseInsensitiveEqual(self.name(at: index), wanted) {
      return value(at: index)
    }
    return nil
  }

  /// Whether field `index` has this name.
  /// - Parameter lowercase: an ASCII name in lower case.
  @inlinable
  public func matches(_ index: Int, _ lowercase: StaticString) -> Bool {
    let range = ranges[index]
    let count = Int(range.nameEnd &- range.nameStart)
    guard count == lowercase.utf8CodeUnitCount else { return false }
    return storage.withUnsafeBufferPointer { bytes in
      let name = lowercase.utf8Start
      for offset in 0..<count {
        let byte = bytes[Int(range.nameStart) &+ offset]
        let folded = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
        if folded != name[offset] { return false }
      }
      return true
    }
  }

  /// Adds a field at the end, its bytes after those held.
  public mutating func append(name: some Sequence<UInt8>, value: some Sequence<UInt8>) {
    let nameStart = UInt32(storage.count)
    storage.append(contentsOf: name)
    let nameEnd = UInt32(storage.count)
    storage.append(contentsOf: value)
    ranges.append(
      FieldRange(nameStart: nameStart, nameEnd: nameEnd, valueStart: nameEnd, valueEnd: UInt32(storage.count)))
  }

  /// Replaces the values of fields and nothing else: the bytes between, before and after stay as they were.
  /// - Parameter replacements: field index and new value, in rising order of index; an index at most once.
  public mutating func replaceValues(_ replacements: [(index: Int, value: [UInt8])]) {
    guard !replacements.isEmpty else { return }
    var rebuilt: [UInt8] = []
    rebuilt.reserveCapacity(storage.count + replacements.reduce(0) { $0 + $1.value.count })
    // Fields of one message stand in rising order, so one pass moves everything that follows a change.
    var copied = 0
    var next = 0
    for index in ranges.indices {
      let old = ranges[index]
      let start = rebuilt.count + Int(old.nameStart) - copied
      let valueStart = rebuilt.count + Int(old.valueStart) - copied
      guard next < replacements.count, replacements[next].index == index else {
        let shift = start - Int(old.nameStart)
        ranges[index] = old.shifted(by: shift)
        continue
      }
      rebuilt.append(contentsOf: storage[copied..<Int(old.valueStart)])
      rebuilt.append(contentsOf: replacements[next].value)
      copied = Int(old.valueEnd)
      ranges[index] = FieldRange(
        nameStart: UInt32(start), nameEnd: UInt32(start) + (old.nameEnd - old.nameStart),
        valueStart: UInt32(valueStart), valueEnd: UInt32(rebuilt.count))
      next += 1
    }
    rebuilt.append(contentsOf: storage[copied...])
    storage = rebuilt
  }
}

extension FieldRange {
  fileprivate func shifted(by shift: Int) -> FieldRange {
    FieldRange(
      nameStart: UInt32(Int(nameStart) + shift), nameEnd: UInt32(Int(nameEnd) + shift),
      valueStart: UInt32(Int(valueStart) + shift), valueEnd: UInt32(Int(valueEnd) + shift))
  }
}

/// Whether two byte strings are equal when A-Z count as a-z.
@inlinable
public func asciiCaseInsensitiveEqual(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Bool {
  let isEqual = a.withContiguousStorageIfAvailable { a in
    b.withContiguousStorageIfAvailable { b in asciiCaseInsensitiveEqual(a, b) }
  }
  if let isEqual = isEqual ?? nil { return isEqual }
  return asciiCaseInsensitiveEqual(Array(a), Array(b))
}

@inlinable
func asciiCaseInsensitiveEqual(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
  guard a.count == b.count else { return false }
  for index in 0..<a.count {
    let (x, y) = (a[index], b[index])
    if x != y, x ^ y != 0x20 || x | 0x20 < 0x61 || x | 0x20 > 0x7a { return false }
  }
  return true
}
