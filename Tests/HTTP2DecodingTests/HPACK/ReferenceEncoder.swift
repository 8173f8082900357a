// An encoder for the tests: plain, with a table of its own that holds fields as they are, no buffer and no tricks.
//
// What it decides at random comes from its own generator, so that a failure can be repeated.

@testable import HTTP2Decoding

/// SplitMix64.
struct Randomness: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}

enum Wire {
  /// RFC 7541, 5.1.
  static func integer(_ value: Int, prefix: Int, pattern: UInt8) -> [UInt8] {
    let mask = (1 << prefix) - 1
    if value < mask { return [pattern | UInt8(value)] }
    var bytes = [pattern | UInt8(mask)]
    var rest = value - mask
    while rest >= 128 {
      bytes.append(UInt8(rest & 0x7f | 0x80))
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  /// RFC 7541, 5.2.
  static func string(_ value: [UInt8], isHuffman: Bool) -> [UInt8] {
    let content = isHuffman ? huffman(value) : value
    return integer(content.count, prefix: 7, pattern: isHuffman ? 0x80 : 0) + content
  }

  /// The codes of appendix B, from their lengths: shorter ones first, and of one length in the symbols' order.
  static let codes: [(bits: UInt32, length: Int)] = {
    var codes = [(bits: UInt32, length: Int)](repeating: (0, 0), count: 257)
    var next: UInt32 = 0
    for length in 5...30 {
      next <<= 1
      for symbol in 0...256 where HuffmanCode.length(of: symbol) == length {
        codes[symbol] = (next, length)
        next += 1
      }
    }
    return codes
  }()

  /// The code of some symbols with its padding; 256 is the end of the string.
  static func huffman(symbols: [Int]) -> [UInt8] {
    var bytes: [UInt8] = []
    var (pending, count): (UInt64, Int) = (0, 0)
    for symbol in symbols {
      let (bits, length) = codes[symbol]
      pending = pending << UInt64(length) | UInt64(bits)
      count += length
      while count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: pending >> UInt64(count)))
      }
    }
    if count > 0 { bytes.append(UInt8(truncatingIfNeeded: pending << UInt64(8 - count) | UInt64(0xff >> count))) }
    return bytes
  }

  static func huffman(_ value: [UInt8]) -> [UInt8] { huffman(symbols: value.map { Int($0) }) }
}

struct ReferenceEncoder {
  /// Names and values, newest first.
  private(set) var table: [(name: [UInt8], value: [UInt8])] = []
  private(set) var size = 0
  private(set) var maximum = 4096
  private var updates: [UInt8] = []
  var random: Randomness
  var reusesNames = true

  init(seed: UInt64) { random = Randomness(seed: seed) }

  /// Tells so at the start of the next block.
  mutating func setMaximum(_ size: Int) {
    maximum = size
    evict(for: 0)
    updates += Wire.integer(size, prefix: 5, pattern: 0x20)
  }

  mutating func block(_ fields: [DecodedField]) -> [UInt8] {
    var bytes = updates
    updates = []
    for field in fields { bytes += encoded(field.name ?? [], field.value ?? []) }
    return bytes
  }

  private mutating func encoded(_ name: [UInt8], _ value: [UInt8]) -> [UInt8] {
    if let ordinal = table.firstIndex(where: { $0.name == name && $0.value == value }), chance(9) {
      return Wire.integer(62 + ordinal, prefix: 7, pattern: 0x80)
    }
    let named = reusesNames && chance(8) ? table.firstIndex { $0.name == name } : nil
    let (pattern, prefix): (UInt8, Int) = chance(6) ? (0x40, 6) : (chance(5) ? 0 : 0x10, 4)
    var bytes = Wire.integer(named.map { 62 + $0 } ?? 0, prefix: prefix, pattern: pattern)
    if named == nil { bytes += Wire.string(name, isHuffman: chance(5)) }
    bytes += Wire.string(value, isHuffman: chance(5))
    if prefix == 6 {
      let size = name.count + value.count + 32
      evict(for: size)
      if size <= maximum {
        table.insert((name, value), at: 0)
        self.size += size
      }
    }
    return bytes
  }

  private mutating func evict(for size: Int) {
    while self.size + size > maximum, let oldest = table.popLast() {
      self.size -= oldest.name.count + oldest.value.count + 32
    }
  }

  private mutating func chance(_ ofTen: Int) -> Bool { Int.random(in: 0..<10, using: &random) < ofTen }
}

/// Header lists like those of one client: some fields always the same, some that change, some that come and go.
struct FieldSource {
  var random: Randomness
  var longestValue = 60

  init(seed: UInt64) { random = Randomness(seed: seed ^ 0xf1e1d) }

  mutating func list() -> [DecodedField] {
    (0..<Int.random(in: 0...9, using: &random)).map { _ in
      let name = "x-\(Int.random(in: 0..<25, using: &random))"
      let value =
        Int.random(in: 0..<10, using: &random) < 6
        ? "value \(Int.random(in: 0..<4, using: &random))"
        : String(repeating: "v", count: Int.random(in: 0...longestValue, using: &random))
      return DecodedField(name, value)
    }
  }
}
