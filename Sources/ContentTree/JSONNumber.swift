// Numbers of any size compared by their mathematical value, from their text.
// In: spellings that the reader accepted. Owner: pure functions. Bounds: linear in the text.

/// A number as a sign, digits and a power of ten: the value is 0.DIGITS times ten to `exponent`.
///
/// Digits begin and end with another digit than 0, so that equal values have equal parts. Zero has no digits.
struct JSONNumber {
  let isNegative: Bool
  /// The text that holds the digits; a point among them is passed over.
  let digits: UnsafeRawBufferPointer
  let exponent: Int64
  /// The exponent has more than 17 digits; then only equal spellings are equal.
  let isBeyondRange: Bool

  init(_ text: UnsafeRawBufferPointer) {
    var end = text.count
    var written: Int64 = 0
    var beyond = false
    if let mark = text.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "e") }) {
      end = mark
      var cursor = mark + 1
      let isBelow = text[cursor] == UInt8(ascii: "-")
      if isBelow || text[cursor] == UInt8(ascii: "+") { cursor += 1 }
      while cursor < text.count, text[cursor] == UInt8(ascii: "0") { cursor += 1 }
      beyond = text.count - cursor > 17
      if !beyond {
        while cursor < text.count {
          written = written * 10 + Int64(text[cursor] &- 0x30)
          cursor += 1
        }
        if isBelow { written = -written }
      }
    }
    let start = text[0] == UInt8(ascii: "-") ? 1 : 0
    var point = end
    var first = end
    var last = start
    for index in start..<end {
      let byte = text[index]
      if byte == UInt8(ascii: ".") {
        point = index
      } else if byte != UInt8(ascii: "0") {
        if first == end { first = index }
        last = index + 1
      }
    }
    guard first < last else {
      (isNegative, digits, exponent, isBeyondRange) = (false, UnsafeRawBufferPointer(rebasing: text[0..<0]), 0, false)
      return
    }
    isNegative = start == 1
    digits = UnsafeRawBufferPointer(rebasing: text[first..<last])
    exponent = written + Int64(first < point ? point - first : point - first + 1)
    isBeyondRange = beyond
  }

  static func areEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    if sameBytes(a, b) { return true }
    let (x, y) = (JSONNumber(a), JSONNumber(b))
    guard !x.isBeyondRange, !y.isBeyondRange, x.isNegative == y.isNegative, x.exponent == y.exponent else {
      return false
    }
    var (i, j) = (0, 0)
    while true {
      if i < x.digits.count, x.digits[i] == UInt8(ascii: ".") { i += 1 }
      if j < y.digits.count, y.digits[j] == UInt8(ascii: ".") { j += 1 }
      if i == x.digits.count || j == y.digits.count { return i == x.digits.count && j == y.digits.count }
      guard x.digits[i] == y.digits[j] else { return false }
      i += 1
      j += 1
    }
  }

  /// Equal for equal values.
  static func hash(_ text: UnsafeRawBufferPointer) -> UInt64 {
    let number = JSONNumber(text)
    if number.isBeyondRange { return TreeHash.bytes(text, seed: 5) }
    var hash = TreeHash.mix(UInt64(bitPattern: number.exponent) &+ (number.isNegative ? 7 : 11))
    for byte in number.digits where byte != UInt8(ascii: ".") { hash = (hash ^ UInt64(byte)) &* TreeHash.prime }
    return TreeHash.mix(hash)
  }
}

@inline(__always)
func sameBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
  guard a.count == b.count else { return false }
  return a.elementsEqualFast(b)
}

extension UnsafeRawBufferPointer {
  /// Eight bytes a step; `other` has the same length.
  @inline(__always)
  fileprivate func elementsEqualFast(_ other: UnsafeRawBufferPointer) -> Bool {
    var index = 0
    while index &+ 8 <= count {
      if loadUnaligned(fromByteOffset: index, as: UInt64.self)
        != other.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      {
        return false
      }
      index &+= 8
    }
    while index < count {
      if self[index] != other[index] { return false }
      index &+= 1
    }
    return true
  }
}
