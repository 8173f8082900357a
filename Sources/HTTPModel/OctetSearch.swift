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

/// Looks at the octets of a kind in `start ..< end`, in no particular order, until one of them is the one that is looked
/// for.
///
/// Better than ``firstOctet(of:from:to:isInBlock:isOne:)`` behind each of them where they stand close to each other: all of
/// a block are found with one look.
/// - Parameters:
///   - base: readable up to `end`.
///   - isInBlock: the lanes of a block that hold one of the kind.
///   - isOne: the same of an octet at the end.
///   - isWanted: whether it is the one, by its index.
/// - Returns: whether there is such a one.
@inlinable
@inline(__always)
public func hasOctet(
  of base: UnsafePointer<UInt8>, from start: Int, to end: Int,
  isInBlock: (SIMD16<UInt8>) -> SIMDMask<SIMD16<Int8>>, isOne: (UInt8) -> Bool, where isWanted: (Int) -> Bool
) -> Bool {
  let raw = UnsafeRawPointer(base)
  var index = start
  while end &- index >= 16 {
    let mask = isInBlock(raw.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self))
    let found = unsafeBitCast(mask, to: SIMD2<UInt64>.self)
    // One bit of each lane: the lowest of its octet for the first eight, the fifth for the others.
    var lanes = found[0].littleEndian & 0x0101_0101_0101_0101 | found[1].littleEndian & 0x1010_1010_1010_1010
    while lanes != 0 {
      let bit = lanes.trailingZeroBitCount
      if isWanted(index &+ bit &>> 3 &+ (bit & 4) &<< 1) { return true }
      lanes &= lanes &- 1
    }
    index &+= 16
  }
  while index < end {
    if isOne(base[index]), isWanted(index) { return true }
    index &+= 1
  }
  return false
}
