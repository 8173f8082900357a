// Purpose: the Huffman code of RFC 7541, appendix B, and the lookup tables made of it.
// Input -> output: code lengths -> tables. Owner: the process; made once. Bounds: 17 KB.
//
// The code is canonical: codes of one length follow one another in the order of their symbols, and longer codes follow
// shorter ones. So its lengths say it all.

/// The tables that decoding looks into.
///
/// `@unchecked Sendable`: the memory is written in `init`, before anybody has the value, then only read, and never freed.
struct HuffmanCode: @unchecked Sendable {
  /// Bits looked up at once. Two symbols fit in most cases: the frequent ones have 5 to 7 bits.
  static let lookupBits: UInt64 = 12
  static let longestCode = 30
  static let endOfString = 256

  /// For each value of the next 12 bits, the symbols whose codes are complete in them:
  /// - bits 0 ..< 8: the length of their codes together,
  /// - bits 8 ..< 16: how many they are, 0 to 2,
  /// - bits 16 ..< 24 and 24 ..< 32: the symbols.
  ///
  /// 0 where the first code is longer than 12 bits.
  let lookup: UnsafePointer<UInt32>
  /// All symbols in the order of their codes.
  let symbols: UnsafePointer<UInt16>
  /// For each length, the first code that is too large for it, at the left of 32 bits.
  let limits: UnsafePointer<UInt64>
  /// For each length, what turns a code of that length into an index into ``symbols``.
  let bases: UnsafePointer<Int32>

  static let shared = HuffmanCode()

  /// The length of each symbol's code, as a letter: A is 5, Z is 30. The last is the end of the string.
  private static let lengthLetters: StaticString = """
    ISXXXXXXXTZXXZXXXXXXXXZXXXXXXXXXBFFHIBDGFFDGDBBBAAABBBBBBBCDKBHF\
    IBCCCCCCCCCCCCCCCCCCCCCCDCDIOIJBKABABABBBACCBBBABCBAABCCCCCKGJIX\
    PRPPRRRSRSSSSSTSTTRSTSSSSQRSRSSTRQPRRSSQSRRTQRSSQQRQSRSSPRRRSRRS\
    VVPORSRUVVVWWVTUOQVWWVWTQQVVXWWWPTPQRQQSRRUUTTVSVWVVWWWWWXWWWWWVZ
    """

  static func length(of symbol: Int) -> Int { Int(lengthLetters.utf8Start[symbol]) - 0x41 + 5 }

  private init() {
    let symbols = UnsafeMutablePointer<UInt16>.allocate(capacity: 257)
    let limits = UnsafeMutablePointer<UInt64>.allocate(capacity: HuffmanCode.longestCode + 1)
    let bases = UnsafeMutablePointer<Int32>.allocate(capacity: HuffmanCode.longestCode + 1)
    // Code and length of each symbol that the lookup may hold.
    var short: [(code: UInt32, length: UInt32, symbol: UInt32)] = []
    var code: UInt32 = 0
    var index = 0
    for length in 0...HuffmanCode.longestCode {
      code <<= 1
      bases[length] = Int32(index) - Int32(code)
      for symbol in 0...HuffmanCode.endOfString where HuffmanCode.length(of: symbol) == length {
        symbols[index] = UInt16(symbol)
        if length <= HuffmanCode.lookupBits { short.append((code, UInt32(length), UInt32(symbol))) }
        index += 1
        code += 1
      }
      limits[length] = UInt64(code) << UInt64(32 - length)
    }
    let width = UInt32(HuffmanCode.lookupBits)
    let lookup = UnsafeMutablePointer<UInt32>.allocate(capacity: 1 << Int(width))
    lookup.initialize(repeating: 0, count: 1 << Int(width))
    for first in short {
      let rest = width - first.length
      let start = first.code << rest
      for tail in 0..<(UInt32(1) << rest) {
        lookup[Int(start + tail)] = first.symbol << 16 | 1 << 8 | first.length
      }
      for second in short where second.length <= rest {
        let left = rest - second.length
        for tail in 0..<(UInt32(1) << left) {
          lookup[Int(start + second.code << left + tail)] =
            second.symbol << 24 | first.symbol << 16 | 2 << 8 | (first.length + second.length)
        }
      }
    }
    self.lookup = UnsafePointer(lookup)
    self.symbols = UnsafePointer(symbols)
    self.limits = UnsafePointer(limits)
    self.bases = UnsafePointer(bases)
  }

  /// The symbol whose code begins `window`, and that code's length. Every window begins with some code.
  /// - Parameter window: the next 32 bits or more, at the left.
  @inline(never)
  func longCode(_ window: UInt64) -> (symbol: Int, length: Int) {
    let bits = window >> 32
    var length = Int(HuffmanCode.lookupBits) + 1
    while length < HuffmanCode.longestCode, bits >= limits[length] { length += 1 }
    let code = Int(bits >> UInt64(32 - length))
    return (Int(symbols[code + Int(bases[length])]), length)
  }
}
