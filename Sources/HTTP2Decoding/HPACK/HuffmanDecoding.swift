// Purpose: Huffman-coded string literals (RFC 7541, 5.2) to bytes.
// Input -> output: the coded bytes -> the string, or nil where the code or its padding is invalid.
// Owner: HPACKFieldList, into whose room it writes. Bounds: 8/5 of the input and 2 bytes.

extension HuffmanCode {
  /// The most bytes that `count` coded bytes give: no code is shorter than 5 bits. Two more are for writing in pairs.
  @inline(__always)
  static func bound(_ count: Int) -> Int { count &* 8 / 5 &+ 2 }

  /// - Parameter output: has room for ``bound(_:)`` bytes.
  /// - Returns: how many bytes were written; nil where the end-of-string symbol is in the code, or what follows the last
  ///   symbol is longer than 7 bits or not the beginning of that symbol's code.
  func decode(_ input: UnsafePointer<UInt8>, count: Int, into output: UnsafeMutablePointer<UInt8>) -> Int? {
    let raw = UnsafeRawPointer(input)
    let shift = 64 - HuffmanCode.lookupBits
    var written = output
    // Bits of the input that are decoded.
    var position = 0
    // While eight bytes can be loaded, 57 bits or more are there: four lookups.
    let lastLoad = (count &- 8) &* 8
    while position <= lastLoad {
      var window =
        UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: position >> 3, as: UInt64.self))
        << UInt64(truncatingIfNeeded: position & 7)
      var step = 0
      while step < 4 {
        let found = lookup[Int(truncatingIfNeeded: window >> shift)]
        let length = found & 0xff
        if length == 0 { break }
        UnsafeMutableRawPointer(written).storeBytes(
          of: UInt16(truncatingIfNeeded: found >> 16).littleEndian, as: UInt16.self)
        written += length == found >> 8 & 0xff ? 1 : 2
        window <<= UInt64(length)
        position &+= Int(length)
        step &+= 1
      }
      // 57 bits less three lookups leave 21: a long code takes a window of its own.
      if step < 4 {
        if step > 0 { continue }
        let (symbol, length) = longCode(window)
        if symbol == HuffmanCode.endOfString { return nil }
        written.pointee = UInt8(truncatingIfNeeded: symbol)
        written += 1
        position &+= length
      }
    }
    return decodeTail(input, count: count, from: position, into: written).map { $0 - output }
  }

  /// The last bits, fewer than 64, filled up with ones: they then end in the beginning of the end-of-string code, as
  /// padding does.
  private func decodeTail(
    _ input: UnsafePointer<UInt8>, count: Int, from position: Int, into output: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8>? {
    var written = output
    var left = count &* 8 &- position
    var window: UInt64 = 0
    if count >= 8 {
      window = UInt64(bigEndian: UnsafeRawPointer(input).loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
    } else {
      for index in 0..<count { window = window << 8 | UInt64(input[index]) }
    }
    // Smart shifts: with nothing left all bits are ones.
    window = window << UInt64(64 &- left) | (UInt64.max >> UInt64(left))
    while left > 0 {
      let found = lookup[Int(truncatingIfNeeded: window >> (64 - HuffmanCode.lookupBits))]
      var length = Int(found & 0xff)
      if length != 0, length <= left {
        let isPair = length != Int(found >> 8 & 0xff)
        UnsafeMutableRawPointer(written).storeBytes(
          of: UInt16(truncatingIfNeeded: found >> 16).littleEndian, as: UInt16.self)
        written += isPair ? 2 : 1
      } else {
        var symbol = Int(found >> 16 & 0xff)
        length = Int(found >> 8 & 0xff)
        if length == 0 { (symbol, length) = longCode(window) }
        if length > left { return left < 8 && ~window >> UInt64(64 &- left) == 0 ? written : nil }
        if symbol == HuffmanCode.endOfString { return nil }
        written.pointee = UInt8(truncatingIfNeeded: symbol)
        written += 1
      }
      window = window << UInt64(length) | (1 << UInt64(length) &- 1)
      left &-= length
    }
    return written
  }
}
