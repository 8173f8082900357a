import ContentTree
import Testing

/// A generator whose numbers are the same in each run.
private struct Randomness: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }
}

@Suite("Hostile protobuf")
struct ProtobufHostileTests {
  private let descriptors = ProtobufFixtures.descriptors

  /// Whatever the bytes: no crash, JSON that reads, text that is within its limit.
  private func check(_ bytes: [UInt8], as type: String) throws {
    let message = ProtobufMessage(bytes, limits: ProtobufLimits(depth: 20))
    do { _ = try message.document() } catch { #expect(error.reason != .size) }
    do { _ = try message.document(as: type, in: descriptors) } catch { #expect(error.reason != .size) }
    #expect(message.text(limit: 200).utf8.count <= 203)
  }

  @Test("Changed, cut, joined and random messages", arguments: 0..<8)
  func mutations(seed: UInt64) throws {
    var random = Randomness(state: seed)
    let cases = ProtobufFixtures.cases
    for _ in 0..<400 {
      let example = cases.randomElement(using: &random)!
      var bytes = example.bytes
      for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
        let place = bytes.indices.randomElement(using: &random)!
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[place] = .random(in: 0...255, using: &random)
        case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: bytes.removeSubrange(place...)
        case 3: bytes.insert(contentsOf: [0xff, 0xff, 0xff, 0x0f], at: place)
        case 4: bytes.insert(contentsOf: cases.randomElement(using: &random)!.bytes.prefix(50), at: place)
        default: bytes.insert(contentsOf: [0x0b, 0x0c, 0x0b].prefix(2), at: place)
        }
      }
      try check(bytes, as: cases.randomElement(using: &random)!.type)
    }
  }

  @Test("Changed descriptors", arguments: 0..<4)
  func descriptorMutations(seed: UInt64) throws {
    var random = Randomness(state: seed)
    let original = ProtobufFixtures.bytes("types.protoset")
    for _ in 0..<60 {
      var bytes = original
      for _ in 0..<3 {
        let place = bytes.indices.randomElement(using: &random)!
        if Bool.random(using: &random) {
          bytes[place] = .random(in: 0...255, using: &random)
        } else {
          bytes.removeSubrange(place..<min(bytes.count, place + 9))
        }
      }
      guard let changed = try? ProtobufDescriptors(fileDescriptorSet: bytes) else { continue }
      for example in ProtobufFixtures.cases.prefix(40) {
        _ = try? ProtobufMessage(example.bytes).document(as: example.type, in: changed)
      }
    }
  }

  @Test("Nesting beyond the limit, in every manner")
  func nesting() throws {
    var message: [UInt8] = [0x08, 0x01]
    var value: [UInt8] = []
    for _ in 0..<2000 {
      message = [0x2a] + length(message.count) + message
      // A Value that holds a ListValue that holds a Value.
      let list = [0x0a] + length(value.count) + value
      value = [0x32] + length(list.count) + list
    }
    try check(message, as: "umbra.shop.Choice")
    try check([0x2a] + length(value.count) + value, as: "umbra.shop.Known")
    try check(Array(repeating: 0x0b, count: 100_000), as: "umbra.shop.Lists")
    try check(Array(repeating: 0x0b, count: 5000) + Array(repeating: 0x0c, count: 5000), as: "umbra.shop.Lists")
  }

  @Test("Small fields in great number take time and memory in proportion")
  func greatNumbers() throws {
    try check((0..<100_000).flatMap { _ in [0x0a, 0x00] as [UInt8] }, as: "umbra.shop.Maps")
    try check((0..<50_000).flatMap { _ in [0x1a, 0x02, 0x18, 0x01] as [UInt8] }, as: "umbra.shop.Choice")
    // Numbers that fall, so that each is out of order.
    let falling = (1...20_000).reversed().flatMap { number -> [UInt8] in
      let tag = number << 3
      return [UInt8(tag & 0x7f | 0x80), UInt8(tag >> 7 & 0x7f | 0x80), UInt8(tag >> 14), 1]
    }
    try check(falling, as: "umbra.shop.Scalars")
  }

  private func length(_ count: Int) -> [UInt8] {
    var rest = count
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f | 0x80))
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}
