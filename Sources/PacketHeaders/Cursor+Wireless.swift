// IEEE 802.11 data frames, bare or behind a radiotap or a per-packet information header.
//
// Sources: IEEE 802.11-2020, 9.2 and 9.3.2; https://www.radiotap.org; LINKTYPE_PPI.

extension Cursor {
  /// Version 0, padding, length and present fields in little-endian order. Of the fields only "flags" matters, whose bit 5
  /// says that the header below is padded to four octets.
  mutating func radiotap(_ packet: borrowing RawSpan) -> Step {
    guard has(8, in: packet) else { return .fault(.linkHeaderCut) }
    let length = Int(packet.load(offset + 2, as: UInt16.self).byteSwapped)
    let first = packet.load(offset + 4, as: UInt32.self).byteSwapped
    guard packet.load(offset, as: UInt8.self) == 0, length >= 8 else { return .notTCP }
    guard has(length, in: packet) else { return .fault(.linkHeaderCut) }
    var fields = offset + 4
    while packet.load(fields, as: UInt32.self) & 0x80 != 0, fields + 8 <= offset + length { fields += 4 }
    fields += 4
    // Bit 0, the time, is eight octets aligned to eight; bit 1, the flags, is one octet.
    if first & 1 != 0 { fields = offset + (fields - offset + 7) & ~7 + 8 }
    let isPadded = first & 2 != 0 && fields < offset + length && packet.load(fields, as: UInt8.self) & 0x20 != 0
    offset += length
    return wireless(packet, isPadded: isPadded)
  }

  /// Version 0, flags, length and link type in little-endian order, then fields.
  mutating func perPacketInformation(_ packet: borrowing RawSpan) -> Step {
    guard has(8, in: packet) else { return .fault(.linkHeaderCut) }
    let length = Int(packet.load(offset + 2, as: UInt16.self).byteSwapped)
    let linkType = LinkType(rawValue: packet.load(offset + 4, as: UInt32.self).byteSwapped)
    guard packet.load(offset, as: UInt8.self) == 0, length >= 8, offset + length <= end else { return .notTCP }
    offset += length
    switch linkType {
    case .wireless: return wireless(packet)
    case .ethernet: return .next(.ethernet)
    case .raw: return .next(.ip)
    default: return .notTCP
    }
  }

  /// Only whole data frames that are not encrypted carry IP that can be read; an aggregate of several is left alone.
  mutating func wireless(_ packet: borrowing RawSpan, isPadded: Bool = false) -> Step {
    guard has(2, in: packet) else { return .fault(.linkHeaderCut) }
    let control = packet.load(offset, as: UInt16.self)
    // Version 0, type 2, not one of the subtypes without data, not protected, no more fragments.
    guard control & 0x0f00 == 0x0800, control & 0x4000 == 0, control & 0x0044 == 0 else { return .notTCP }
    let isQoS = control & 0x8000 != 0
    var length = control & 0x0003 == 0x0003 ? 30 : 24
    guard has(length + 8, in: packet) else {
      return offset + length + 8 > end ? .notTCP : .fault(.linkHeaderCut)
    }
    guard packet.load(offset + 22, as: UInt16.self) & 0x0f00 == 0 else { return .notTCP }
    if isQoS {
      guard packet.load(offset + length, as: UInt8.self) & 0x80 == 0 else { return .notTCP }
      length += 2
      // High-throughput control.
      if control & 0x0080 != 0 { length += 4 }
    }
    offset += isPadded ? (length + 3) & ~3 : length
    return .next(.llc)
  }
}
