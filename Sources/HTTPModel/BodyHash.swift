/// XXH64 over a stream of bytes: equality of bodies that were too large to keep.
///
/// Not cryptographic. Source: xxHash specification, XXH64, seed 0. Four lanes over 32-byte stripes; about 0.1 ns a byte.
public struct BodyHash: Sendable {
  private var lanes: (UInt64, UInt64, UInt64, UInt64)
  private var pending: [UInt8] = []
  private var total: UInt64 = 0

  private static let p1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let p2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let p3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let p4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let p5: UInt64 = 0x27D4_EB2F_1656_67C5

  public init() {
    lanes = (Self.p1 &+ Self.p2, Self.p2, 0, 0 &- Self.p1)
  }

  /// Takes the next bytes.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    total &+= UInt64(bytes.count)
    var rest = bytes[...]
    if !pending.isEmpty {
      let take = min(32 - pending.count, rest.count)
      pending.append(contentsOf: rest.prefix(take))
      rest = rest.dropFirst(take)
      guard pending.count == 32 else { return }
      pending.withUnsafeBytes { consume($0) }
      pending.removeAll(keepingCapacity: true)
    }
    let whole = rest.count & ~31
    consume(UnsafeRawBufferPointer(rebasing: rest.prefix(whole)))
    pending.append(contentsOf: rest.dropFirst(whole))
  }

  /// Takes the next bytes.
  public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  /// The digest of everything so far; more may follow.
  public var value: UInt64 {
    var hash: UInt64
    if total >= 32 {
      hash =
        Self.rotate(lanes.0, 1) &+ Self.rotate(lanes.1, 7) &+ Self.rotate(lanes.2, 12) &+ Self.rotate(lanes.3, 18)
      for lane in [lanes.0, lanes.1, lanes.2, lanes.3] {
        hash = (hash ^ Self.round(0, lane)) &* Self.p1 &+ Self.p4
      }
    } else {
      hash = Self.p5
    }
    hash &+= total
    var rest = pending[...]
    while rest.count >= 8 {
      hash = Self.rotate(hash ^ Self.round(0, Self.little(rest.prefix(8))), 27) &* Self.p1 &+ Self.p4
      rest = rest.dropFirst(8)
    }
    if rest.count >= 4 {
      hash = Self.rotate(hash ^ Self.little(rest.prefix(4)) &* Self.p1, 23) &* Self.p2 &+ Self.p3
      rest = rest.dropFirst(4)
    }
    for byte in rest { hash = Self.rotate(hash ^ UInt64(byte) &* Self.p5, 11) &* Self.p1 }
    hash = (hash ^ hash >> 33) &* Self.p2
    hash = (hash ^ hash >> 29) &* Self.p3
    return hash ^ hash >> 32
  }

  private mutating func consume(_ stripes: UnsafeRawBufferPointer) {
    var (a, b, c, d) = lanes
    var offset = 0
    while offset < stripes.count {
      a = Self.round(a, UInt64(littleEndian: stripes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      b = Self.round(b, UInt64(littleEndian: stripes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)))
      c = Self.round(c, UInt64(littleEndian: stripes.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self)))
      d = Self.round(d, UInt64(littleEndian: stripes.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self)))
      offset += 32
    }
    lanes = (a, b, c, d)
  }

  @inline(__always)
  private static func round(_ lane: UInt64, _ input: UInt64) -> UInt64 { rotate(lane &+ input &* p2, 31) &* p1 }

  @inline(__always)
  private static func rotate(_ x: UInt64, _ n: UInt64) -> UInt64 { x << n | x >> (64 - n) }

  private static func little(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
