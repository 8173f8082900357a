// Small builders of packets, from the inside out.

import HTTPModel
import PacketHeaders

enum Frames {
  static let source4: [UInt8] = [192, 0, 2, 1]
  static let destination4: [UInt8] = [198, 51, 100, 2]
  static let source6: [UInt8] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
  static let destination6: [UInt8] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]

  static let body = Array("GET / HTTP/1.1\r\n\r\n".utf8)

  static func u16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xff), UInt8(value & 0xff)] }
  static func u32(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * UInt32($0)) & 0xff) } }

  /// - Parameter options: a multiple of four octets.
  static func tcp(
    _ payload: [UInt8] = body, flags: UInt8 = 0x18, options: [UInt8] = [], dataOffset: Int? = nil
  ) -> [UInt8] {
    let offset = dataOffset ?? 5 + options.count / 4
    return u16(49_152) + u16(8080) + u32(0xffff_fff0) + u32(0x0102_0304) + [UInt8(offset << 4), flags] + u16(4096)
      + u16(0) + u16(0) + options + payload
  }

  /// - Parameters:
  ///   - totalLength: as in the header; nil for the true one.
  ///   - fragment: flags and offset.
  static func ipv4(
    _ payload: [UInt8] = tcp(), number: UInt8 = 6, options: [UInt8] = [], totalLength: Int? = nil,
    fragment: Int = 0x4000,
    version: UInt8 = 4, headerWords: Int? = nil
  ) -> [UInt8] {
    let words = headerWords ?? 5 + options.count / 4
    let length = totalLength ?? 20 + options.count + payload.count
    return [version << 4 | UInt8(words), 0] + u16(length) + u16(1) + u16(fragment) + [64, number] + u16(0) + source4
      + destination4 + options + payload
  }

  static func ipv6(
    _ payload: [UInt8] = tcp(), next: UInt8 = 6, payloadLength: Int? = nil, version: UInt8 = 6
  ) -> [UInt8] {
    [version << 4, 0, 0, 0] + u16(payloadLength ?? payload.count) + [next, 64] + source6 + destination6 + payload
  }

  static func ethernet(_ payload: [UInt8], type: Int = 0x0800, tags: [Int] = []) -> [UInt8] {
    var header: [UInt8] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]
    for (number, tag) in tags.enumerated() { header += u16(tag) + u16(100 + number) }
    return header + u16(type) + payload
  }

  static func linuxCooked(_ payload: [UInt8], type: Int = 0x0800) -> [UInt8] {
    u16(0) + u16(1) + u16(6) + [2, 0, 0, 0, 0, 1, 0, 0] + u16(type) + payload
  }

  static func linuxCooked2(_ payload: [UInt8], type: Int = 0x0800) -> [UInt8] {
    u16(type) + u16(0) + u32(7) + u16(1) + [0, 6] + [2, 0, 0, 0, 0, 1, 0, 0] + payload
  }

  /// An IPv6 extension header of `units` times eight octets behind the first eight.
  static func extensionHeader(next: UInt8, units: Int = 0) -> [UInt8] {
    [next, UInt8(units)] + Array(repeating: 0, count: 6 + 8 * units)
  }
}

/// Parses a packet of which all was captured, or the first `captured` octets.
func parse(_ packet: [UInt8], _ linkType: LinkType = .ethernet, captured: Int? = nil) -> PacketContent {
  let kept = Array(packet.prefix(captured ?? packet.count))
  return PacketParser(linkType: linkType).parse(kept.span.bytes, lengthOnWire: packet.count)
}

extension PacketContent {
  var segment: TCPSegment? {
    if case .tcp(let segment) = self { segment } else { nil }
  }

}

/// The segment's captured payload.
func payload(_ content: PacketContent, of packet: [UInt8]) -> [UInt8]? {
  content.segment.map { Array(packet[$0.payload]) }
}
