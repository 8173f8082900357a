// Where an octet of some kind stands, sixteen at a time.

/// Looks for the first octet of a kind in `start ..< end`.
///
/// Better than memchr(3) where there is more than one of a kind, or where they stand close to each other.
/// - Parameters:
///   - base: readable up to `end`.
///   - isInBlock: the lanes of a block that hold one.
///   - isOne: the same of an octet at the end.
/// - Returns: its index; nil where there is none.
@inlinable
@inline(__always)
public func firstOctet(
  of base: UnsafePointer<UInt8>, from start: Int, to end: Int,
  isInBlock: (SIMD16<UInt8>) -> SIMDMask<SIMD16<Int8>>, isOne: (UInt8) -> Bool
) -> Int? {
  let raw = UnsafeRawPointer(base)
  var index = start
  while end &- index >= 16 {
    let mask = isInBlock(raw.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self))
    // A mask's lane is 0 or -1, and the lanes stand in the words as the octets do in memory, the first one lowest.
    let found = unsafeBitCast(mask, to: SIMD2<UInt64>.self)
    if found[0] | found[1] != 0 {
      return found[0] != 0
        ? index &+ found[0].littleEndian.trailingZeroBitCount >> 3
        : index &+ 8 &+ found[1].littleEndian.trailingZeroBitCount >> 3
    }
    index &+= 16
  }
  while index < end {
    if isOne(base[index]) { return index }
    index &+= 1
  }
  return nil
}
