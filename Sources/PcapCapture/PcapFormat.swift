// The classic format: a 24-byte header, then records of 16 bytes and a packet.
// Source: draft-ietf-opsawg-pcap; the magic numbers of libpcap's variants.

import HTTPModel
import PacketHeaders

struct PcapFormat: SavedCaptureFormat {
  private let swapped: Bool
  private let unitNanoseconds: Int64
  /// Alexey Kuznetzov's patched format and its like carry 8 more bytes a record.
  private let recordHeader: Int
  private var linkType = LinkType.ethernet

  /// A record longer than this is damage, not a packet.
  private static let maxPacket: UInt32 = 64 << 20

  /// nil where the first four bytes, read in little-endian order, are no pcap's.
  init?(magic: UInt32) {
    switch magic {
    case 0xa1b2_c3d4: (swapped, unitNanoseconds, recordHeader) = (false, 1000, 16)
    case 0xd4c3_b2a1: (swapped, unitNanoseconds, recordHeader) = (true, 1000, 16)
    case 0xa1b2_3c4d: (swapped, unitNanoseconds, recordHeader) = (false, 1, 16)
    case 0x4d3c_b2a1: (swapped, unitNanoseconds, recordHeader) = (true, 1, 16)
    case 0xa1b2_cd34: (swapped, unitNanoseconds, recordHeader) = (false, 1000, 24)
    case 0x34cd_b2a1: (swapped, unitNanoseconds, recordHeader) = (true, 1000, 24)
    default: return nil
    }
  }

  func reading(header input: CaptureInput) throws(CaptureError) -> PcapFormat {
    let header = try input.peek(24)
    guard header.count == 24 else {
      throw .fileCorrupt(path: input.path, offset: 0, reason: "it ends inside the file header")
    }
    var format = self
    // The upper bits may say how long the frames' check sequence is.
    format.linkType = LinkType(rawValue: header.u32(20, swapped: swapped) & 0x03ff_ffff)
    input.consume(24)
    return format
  }

  mutating func next(_ input: CaptureInput) throws(CaptureError) -> SavedCaptureItem {
    let header = try input.peek(recordHeader)
    if header.isEmpty { return .end }
    guard header.count == recordHeader else { return .truncated }
    let captured = header.u32(8, swapped: swapped)
    guard captured <= Self.maxPacket else {
      throw .fileCorrupt(path: input.path, offset: input.offset, reason: "a packet of \(captured) bytes")
    }
    let seconds = Int64(header.u32(0, swapped: swapped))
    let fraction = Int64(header.u32(4, swapped: swapped)) &* unitNanoseconds
    let onWire = Int(header.u32(12, swapped: swapped))
    let total = recordHeader + Int(captured)
    let record = try input.peek(total)
    guard record.count == total else { return .truncated }
    input.consume(total)
    return .packet(
      PacketRecord(
        time: Timestamp(seconds: seconds, nanoseconds: fraction), linkType: linkType,
        bytes: UnsafeRawBufferPointer(rebasing: record[recordHeader...]), lengthOnWire: max(onWire, Int(captured))))
  }
}
