// Purpose: the integers of RFC 7541, 5.1, and the lengths of its strings, off a header block.
// Input -> output: bytes -> values, or the fault that ends the block. Owner: one call of HPACKDecoder. Bounds: the block.

/// What makes the rest of a block unreadable.
enum HPACKFault: Error {
  /// The block ends within an integer or a string.
  case truncated
  /// An integer of more than 32 bits, or of more than five bytes after the first.
  case overflow
}

/// A place in a header block.
struct HPACKReader {
  var next: UnsafePointer<UInt8>
  let end: UnsafePointer<UInt8>

  @inline(__always)
  init(_ block: UnsafeRawBufferPointer) {
    let start = block.baseAddress.map { $0.assumingMemoryBound(to: UInt8.self) } ?? HPACKReader.nothing
    next = start
    end = start + block.count
  }

  /// Where an empty block begins and ends.
  private static var nothing: UnsafePointer<UInt8> { ("" as StaticString).utf8Start }

  @inline(__always)
  var isAtEnd: Bool { next == end }

  /// Bytes that are left.
  @inline(__always)
  var left: Int { end - next }

  /// Only where not at the end.
  @inline(__always)
  var byte: UInt8 { next.pointee }

  /// An integer; only where not at the end.
  /// - Parameter mask: the bits of its prefix in the first byte.
  @inline(__always)
  mutating func integer(_ mask: UInt8) throws(HPACKFault) -> Int {
    let first = next.pointee & mask
    next += 1
    return first < mask ? Int(first) : try longInteger(from: mask)
  }

  private mutating func longInteger(from mask: UInt8) throws(HPACKFault) -> Int {
    var value = Int(mask)
    var shift = 0
    while shift < 35 {
      guard next < end else { throw .truncated }
      let byte = next.pointee
      next += 1
      // Below 2^35 and 2^8: far from what an Int holds.
      value &+= Int(byte & 0x7f) << shift
      if byte < 0x80 {
        guard value <= Int(UInt32.max) else { throw .overflow }
        return value
      }
      shift &+= 7
    }
    throw .overflow
  }

  /// The length of a string, which then begins at ``next`` and is all there.
  @inline(__always)
  mutating func stringLength() throws(HPACKFault) -> (count: Int, isHuffman: Bool) {
    guard next < end else { throw .truncated }
    let isHuffman = next.pointee >= 0x80
    let count = try integer(0x7f)
    guard count <= left else { throw .truncated }
    return (count, isHuffman)
  }
}
