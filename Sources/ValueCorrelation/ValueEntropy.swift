// How likely a value is to have been made for one client: random tokens and long numbers are, words and dates are not.
// In: the bytes of a value. Out: an estimate in bits. Owner: a pure function. Bounds: the first 64 bytes are looked at.

import Glibc

/// An estimate of how many bits of chance a value holds.
public enum ValueEntropy {
  /// Bits from which on a value that comes back is taken for the same value rather than for chance.
  public static let threshold = 24.0

  private static let examined = 64
  /// Of a letter in running text (Shannon, Prediction and Entropy of Printed English, 1951, gives 0.6 to 1.3).
  private static let bitsOfLetter = 1.5

  /// The smaller of two estimates, times the length: the size of the alphabet that the value draws from, and the
  /// entropy of how often its own bytes occur, half a bit added for the smallness of the sample. Letters that change
  /// their case seldom and stand without digits count as text.
  public static func bits(_ value: UnsafeBufferPointer<UInt8>) -> Double {
    let count = min(value.count, examined)
    guard count > 1 else { return 0 }
    var digits = 0
    var (lower, upper, other, changes) = (0, 0, 0, 0)
    var hasLetterBeyondHex = false
    var wasUpper = false
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { counts in
      counts.initialize(repeating: 0)
      for index in 0..<count {
        let byte = value[index]
        counts[Int(byte)] &+= 1
        switch byte {
        case 0x30...0x39: digits += 1
        case 0x61...0x7a:
          lower += 1
          if byte > 0x66 { hasLetterBeyondHex = true }
          if wasUpper { changes += 1 }
          wasUpper = false
        case 0x41...0x5a:
          upper += 1
          if byte > 0x46 { hasLetterBeyondHex = true }
          if !wasUpper, lower > 0 { changes += 1 }
          wasUpper = true
        default: other += 1
        }
      }
      var alphabet = digits > 0 ? 10.0 : 0.0
      let letters = hasLetterBeyondHex ? 26.0 : 6
      if lower > 0 { alphabet += letters }
      if upper > 0 { alphabet += letters }
      if other > 0 { alphabet += 4 }
      var entropy = 0.0
      for index in 0..<256 where counts[index] > 0 {
        let share = Double(counts[index]) / Double(count)
        entropy -= share * log2(share)
      }
      let isText = digits == 0 && changes * 4 < count
      // Digits with signs between them are dates and decimals, which need no benefit of the doubt.
      let isSpaced = lower + upper == 0 && other > 0
      return Double(count) * min(isText ? bitsOfLetter : log2(alphabet), entropy + (isText || isSpaced ? 0 : 0.5))
    }
  }
}
