// Builders of what packets are wrapped in, and of fragments.

import HTTPModel
import PacketHeaders

extension Frames {
  static let outerSource: [UInt8] = [203, 0, 113, 1]
  static let outerDestination: [UInt8] = [203, 0, 113, 2]

  /// An IPv4 packet of the tunnel's own.
  static func outer4(_ number: UInt8, _ payload: [UInt8]) -> [UInt8] {
    [0x45, 0] + u16(20 + payload.count) + u16(7) + u16(0) + [64, number] + u16(0) + outerSource + outerDestination
      + payload
  }

  static func outer6(_ number: UInt8, _ payload: [UInt8]) -> [UInt8] {
    let address: [UInt8] = [0xfd] + Array(repeating: 0, count: 14)
    return [0x60, 0, 0, 0] + u16(payload.count) + [number, 64] + address + [1] + address + [2] + payload
  }

  static func udp(_ port: Int, _ payload: [UInt8], from source: Int = 50_000) -> [UInt8] {
    u16(source) + u16(port) + u16(8 + payload.count) + u16(0) + payload
  }

  static func gre(_ type: Int, _ payload: [UInt8], flags: Int = 0, fields: [UInt8] = []) -> [UInt8] {
    u16(flags) + u16(type) + fields + payload
  }

  static func vxlan(_ network: UInt32, _ frame: [UInt8], flags: UInt8 = 8, next: UInt8 = 0) -> [UInt8] {
    [flags, 0, 0, next] + u32(network << 8) + frame
  }

  static func geneve(_ network: UInt32, _ type: Int, _ payload: [UInt8], options: Int = 0) -> [UInt8] {
    [UInt8(options), 0] + u16(type) + u32(network << 8) + Array(repeating: 0xaa, count: options * 4) + payload
  }

  static func gtp(_ tunnel: UInt32, _ payload: [UInt8], extensions: [UInt8]? = nil) -> [UInt8] {
    let more = extensions.map { [0, 1, 0] + $0 } ?? []
    return [extensions == nil ? 0x30 : 0x34, 255] + u16(more.count + payload.count) + u32(tunnel) + more + payload
  }

  static func label(_ value: UInt32, isLast: Bool) -> [UInt8] { u32(value << 12 | (isLast ? 0x100 : 0) | 64) }

  static func pppoe(_ session: Int, _ payload: [UInt8], ppp: [UInt8] = [0, 0x21]) -> [UInt8] {
    [0x11, 0] + u16(session) + u16(ppp.count + payload.count) + ppp + payload
  }

  /// One fragment of a datagram's payload, as raw IPv4.
  static func fragment4(
    _ payload: [UInt8], _ range: Range<Int>, identification: Int = 1, number: UInt8 = 6, hasMore: Bool? = nil,
    between ends: ([UInt8], [UInt8]) = (source4, destination4)
  ) -> [UInt8] {
    let more = (hasMore ?? (range.upperBound < payload.count)) ? 0x2000 : 0
    return [0x45, 0] + u16(20 + range.count) + u16(identification) + u16(more | range.lowerBound / 8) + [64, number]
      + u16(0) + ends.0 + ends.1 + payload[range]
  }

  /// The same as raw IPv6.
  static func fragment6(
    _ payload: [UInt8], _ range: Range<Int>, identification: UInt32 = 1, number: UInt8 = 6, hasMore: Bool? = nil
  ) -> [UInt8] {
    let more = (hasMore ?? (range.upperBound < payload.count)) ? 1 : 0
    return ipv6([number, 0] + u16(range.lowerBound | more) + u32(identification) + payload[range], next: 44)
  }
}

/// Reads packets one after the other and keeps the segments' payloads.
final class Reading {
  var reader: PacketReader
  var segments: [TCPSegment] = []
  var payloads: [[UInt8]] = []
  var faults: [PacketFault] = []
  var now: Int64 = 1_000_000_000_000

  init(_ options: ParsingOptions = ParsingOptions(), _ limits: FragmentLimits = FragmentLimits()) {
    reader = PacketReader(options: options, limits: limits)
  }

  func read(_ packet: [UInt8], _ linkType: LinkType = .raw, captured: Int? = nil, after: Int64 = 1000) {
    now += after
    packet.withUnsafeBytes { bytes in
      let kept = UnsafeRawBufferPointer(rebasing: bytes.prefix(captured ?? bytes.count))
      switch reader.read(kept, lengthOnWire: packet.count, linkType: linkType, at: Timestamp(nanoseconds: now)) {
      case .tcp(let segment):
        segments.append(segment)
        payloads.append(Array(reader.bytes[segment.payload]))
      case .undecodable(let fault): faults.append(fault)
      case .fragment, .notTCP: break
      }
    }
  }

  var statistics: FragmentStatistics { reader.fragmentStatistics }

  /// Every fragment has one fate.
  var isBalanced: Bool {
    let s = statistics
    return s.fragments == s.reassembled + s.duplicate + s.invalid + s.discarded + s.expired + s.evicted + s.pending
  }
}

/// xorshift64: the same numbers in every run.
struct Noise: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: Int) { state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 | 1 }
  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
