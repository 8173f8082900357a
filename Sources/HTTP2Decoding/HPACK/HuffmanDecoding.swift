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
    var written = output
    // Bits of the input that are decoded.
    var position = 0
    // While eight bytes can be loaded, 57 bits or more are there: four lookups. Where a code is too long for the lookup,
    // it and those after it find nothing and move nothing, so that one look at the last is enough.
    let lastLoad = (count &- 8) &* 8
    while position <= lastLoad {
      var window = UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: position >> 3, as: UInt64.self))
      window <<= UInt64(truncatingIfNeeded: position & 7)
      position &+= take(&window, &written)
      position &+= take(&window, &written)
      position &+= take(&window, &written)
      let last = take(&window, &written)
      position &+= last
      if last != 0 { continue }
      // In what is left of the window a long code may not be whole.
      if position > lastLoad { break }
      window = UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: position >> 3, as: UInt64.self))
      window <<= UInt64(truncatingIfNeeded: position & 7)
      let (symbol, length) = longCode(window)
      if symbol == HuffmanCode.endOfString { return nil }
      written.pointee = UInt8(truncatingIfNeeded: symbol)
      written += 1
      position &+= length
    }
    return decodeTail(input, count: count, from: position, into: written).map { $0 - output }
  }

  /// Moves on by the codes that one lookup finds.
  /// - Returns: their length; 0 where the next code is too long for it.
  @inline(__always)
  private func take(_ window: inout UInt64, _ written: inout UnsafeMutablePointer<UInt8>) -> Int {
    let found = lookup[Int(truncatingIfNeeded: window >> (64 - HuffmanCode.lookupBits))]
    UnsafeMutableRawPointer(written).storeBytes(
      of: UInt16(truncatingIfNeeded: found >> 16).littleEndian, as: UInt16.self)
    written += Int(truncatingIfNeeded: found >> 8 & 0xff)
    window = window &<< UInt64(found & 0xff)
    return Int(truncatingIfNeeded: found & 0xff)
  }

  /// The last bits, fewer than 64, filled up with ones.
  ///
  /// Padding and filling are then the beginning of the end-of-string code, and as no code of the lookup is all ones,
  /// none begins in them. One that ends in the filling began before it: it is cut off.
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
    // A shift by 64 gives 0.
    window = window << UInt64(64 &- left) | UInt64.max >> UInt64(left)
    while left > 0 {
      var filled = window
      var length = take(&filled, &written)
      if length == 0 {
        if left < 8, ~window >> UInt64(64 &- left) == 0 { return written }
        let symbol: Int
        (symbol, length) = longCode(window)
        if symbol == HuffmanCode.endOfString { return nil }
        written.pointee = UInt8(truncatingIfNeeded: symbol)
        written += 1
      }
      window = ~(~window &<< UInt64(length))
      left &-= length
    }
    return left == 0 ? written : nil
  }
}
