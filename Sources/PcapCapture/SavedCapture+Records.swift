// The pcap format: a file header of 24 octets, then records of a header and a packet.
//
// Source: draft-ietf-opsawg-pcap. Times are seconds and microseconds or nanoseconds, as the magic number says, which
// also tells the byte order. Versions before 2.4 wrote the two lengths the other way round.

import HTTPModel
import PacketHeaders

/// What a pcap file's header says about its records.
struct RecordLayout {
  enum Kind {
    case microseconds, nanoseconds
    /// Kuznetzov's patched libpcap: microseconds, and eight octets more in a record's header.
    case patched

    /// - Parameter magic: as read in network byte order.
    init?(magic: UInt32) {
      switch magic {
      case 0xa1b2_c3d4, 0xd4c3_b2a1: self = .microseconds
      case 0xa1b2_3c4d, 0x4d3c_b2a1: self = .nanoseconds
      case 0xa1b2_cd34, 0x34cd_b2a1: self = .patched
      default: return nil
      }
    }
  }

  var linkType = LinkType.ethernet
  var headerLength = 16
  var nanosecondsPerTick: Int64 = 1000
  /// The file's byte order is not this machine's.
  var isSwapped = false
  var major: UInt16 = 2
  var minor: UInt16 = 4

  init() {}

  /// - Parameter header: 24 octets.
  init(_ kind: Kind, header: UnsafeRawPointer) {
    isSwapped = header.loadUnaligned(as: UInt32.self) >> 16 != 0xa1b2
    headerLength = kind == .patched ? 24 : 16
    nanosecondsPerTick = kind == .nanoseconds ? 1 : 1000
    major = header.load(4, isSwapped)
    minor = header.load(6, isSwapped)
    // The upper bits tell the length of a frame check sequence, which IP's own length makes known too.
    linkType = LinkType(rawValue: header.load(20, isSwapped) & 0x03ff_ffff)
  }
}

extension SavedCapture {
  /// The next record of a pcap file.
  func nextRecord() throws(CaptureError) -> PacketRecord? {
    if isAtEnd { return nil }
    let layout = records
    let offset = input.offset
    guard let header = try input.peek(layout.headerLength) else {
      input.available == 0 ? end() : end(.cutOff, at: offset)
      return nil
    }
    let seconds: UInt32 = header.load(0, layout.isSwapped)
    let ticks: UInt32 = header.load(4, layout.isSwapped)
    var captured: UInt32 = header.load(8, layout.isSwapped)
    var onWire: UInt32 = header.load(12, layout.isSwapped)
    if layout.minor < 3 || layout.minor == 3 && captured > onWire { swap(&captured, &onWire) }
    guard captured <= SavedCapture.longestPacket else {
      end(.lengthInvalid(UInt64(captured)), at: offset)
      return nil
    }
    let length = layout.headerLength + Int(captured)
    guard let record = try input.peek(length) else {
      end(.cutOff, at: offset)
      return nil
    }
    input.consume(length)
    return PacketRecord(
      time: Timestamp(seconds: Int64(seconds), nanoseconds: Int64(ticks) &* layout.nanosecondsPerTick),
      linkType: layout.linkType, interface: 0,
      bytes: UnsafeRawBufferPointer(start: record + layout.headerLength, count: Int(captured)),
      lengthOnWire: Int(onWire))
  }
}

extension UnsafeRawPointer {
  /// A number in the file's byte order.
  @inline(__always)
  func load<Value: FixedWidthInteger & BitwiseCopyable>(
    _ offset: Int, _ isSwapped: Bool, as type: Value.Type = Value.self
  ) -> Value {
    let value = loadUnaligned(fromByteOffset: offset, as: Value.self)
    return isSwapped ? value.byteSwapped : value
  }
}
