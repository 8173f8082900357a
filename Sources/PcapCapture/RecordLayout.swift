// What a pcap file's header says of its records, and which of the variants it is.
//
// Source: draft-ietf-opsawg-pcap; for the variants what Wireshark's wiretap library knows of them.

import HTTPModel
import PacketHeaders

/// How a pcap file's records are laid out.
struct RecordLayout {
  /// What the magic number says.
  enum Variant {
    case microseconds, nanoseconds
    /// Kuznetzov's patched libpcap: records have eight octets more, or twelve.
    case patched
    /// Ixia's: the file header has four octets more, the length of all records.
    case ixiaMicroseconds, ixiaNanoseconds

    /// - Parameter magic: as read in network byte order.
    init?(magic: UInt32) {
      switch magic {
      case 0xa1b2_c3d4, 0xd4c3_b2a1: self = .microseconds
      case 0xa1b2_3c4d, 0x4d3c_b2a1: self = .nanoseconds
      case 0xa1b2_cd34, 0x34cd_b2a1: self = .patched
      case 0x1c00_01ab, 0xab01_001c: self = .ixiaMicroseconds
      case 0x1c00_01ac, 0xac01_001c: self = .ixiaNanoseconds
      default: return nil
      }
    }

    var fileHeaderLength: Int {
      switch self {
      case .microseconds, .nanoseconds, .patched: 24
      case .ixiaMicroseconds, .ixiaNanoseconds: 28
      }
    }

    /// The lengths that a record's header may have, the likeliest first: patches of 1999 and Nokia's firewalls kept the
    /// magic number of what they changed.
    fileprivate var headerLengths: [Int] {
      switch self {
      case .microseconds: [16, 24, 20]
      case .patched: [24, 28]
      case .nanoseconds, .ixiaMicroseconds, .ixiaNanoseconds: [16]
      }
    }
  }

  /// The first four octets in the file's byte order.
  var magic: UInt32 = 0
  var linkType = LinkType.ethernet
  var headerLength = 16
  var nanosecondsPerTick: Int64 = 1000
  /// The file's byte order is not this machine's.
  var isSwapped = false
  var major: UInt16 = 2
  var minor: UInt16 = 4
  /// Captured bytes that a record may have, as libpcap and Wireshark bound them too.
  var longest: UInt32 = RecordLayout.usualLongest

  static let usualLongest: UInt32 = 262_144

  init() {}

  /// - Parameter header: as long as the variant's.
  init(_ variant: Variant, header: UnsafeRawPointer) {
    let first = header.loadUnaligned(as: UInt32.self)
    isSwapped = first >> 16 != 0xa1b2 && first >> 16 != 0x1c00
    magic = isSwapped ? first.byteSwapped : first
    headerLength = variant.headerLengths[0]
    major = header.load(4, isSwapped)
    minor = header.load(6, isSwapped)
    let snapLength: UInt32 = header.load(16, isSwapped)
    longest = max(RecordLayout.usualLongest, min(snapLength, UInt32(SavedCapture.longestPacket)))
    // The upper bits tell the length of a frame check sequence, which IP's own length makes known too.
    linkType = LinkType(rawValue: header.load(20, isSwapped) & 0x03ff_ffff)
    switch variant {
    case .nanoseconds, .ixiaNanoseconds: nanosecondsPerTick = 1
    case .microseconds: readAIX()
    case .patched, .ixiaMicroseconds: break
    }
  }

  /// DG/UX's tcpdump calls its version 543.0.
  var isDGUX: Bool { major == 543 }

  /// AIX calls its version 2.2, counts nanoseconds, and names interfaces by RFC 1573's ifType.
  private mutating func readAIX() {
    guard major == 2, minor == 2 else { return }
    let linkTypes: [UInt32: UInt32] = [6: 1, 9: 6, 15: 10, 24: 0]
    guard let known = linkTypes[linkType.rawValue] else { return }
    linkType = LinkType(rawValue: known)
    nanosecondsPerTick = 1
  }

  /// The two lengths of a record, captured and on the wire. Versions before 2.3 wrote them the other way round; 2.3 did
  /// now and then.
  @inline(__always)
  func lengths(_ header: UnsafeRawPointer) -> (captured: UInt32, onWire: UInt32) {
    let first: UInt32 = header.load(8, isSwapped)
    let second: UInt32 = header.load(12, isSwapped)
    if minor >= 4 || minor == 3 && first <= second { return (first, second) }
    return (second, first)
  }

  /// Finds out how long a record's header is where the magic number leaves that open: where the first records make no
  /// sense with the likeliest length, but at least two do with another.
  ///
  /// Looks at what can be had without waiting for more than the file's header: a pipe's first packet must not wait for
  /// its second.
  mutating func settleHeaderLength(_ variant: Variant, _ input: CaptureInput) throws(CaptureError) {
    let candidates = variant.headerLengths
    guard candidates.count > 1, minor >= 4, major == 2 else { return }
    if !input.isOpenEnded { _ = try input.peek(RecordLayout.sample) }
    guard !sensibleRecords(in: input.rest).isFaultless else { return }
    for length in candidates.dropFirst() {
      var layout = self
      layout.headerLength = length
      let sense = layout.sensibleRecords(in: input.rest)
      if sense.isFaultless, sense.count >= 2 {
        self = layout
        return
      }
    }
  }

  /// Bytes in which the first records are looked for.
  private static let sample = 1 << 17

  /// How many of the first records stand whole in the bytes and make sense, and whether none makes no sense.
  private func sensibleRecords(in bytes: UnsafeRawBufferPointer) -> (count: Int, isFaultless: Bool) {
    guard let base = bytes.baseAddress else { return (0, true) }
    var count = 0
    var offset = 0
    while count < 4, bytes.count - offset >= headerLength {
      let header = base + offset
      let (captured, onWire) = lengths(header)
      guard captured <= longest, captured <= onWire, onWire <= 1 << 27,
        header.load(4, isSwapped, as: UInt32.self) < 1_000_000
      else { return (count, false) }
      switch headerLength {
      case 24, 28:
        // The interface's index, the Ethernet protocol, and how it was addressed (Linux's PACKET_ numbers).
        let type: UInt16 = header.load(20, isSwapped)
        guard header.load(16, isSwapped, as: UInt32.self) <= 10_000, header.load(22, isSwapped, as: UInt8.self) <= 4,
          type >= 0x600 || type <= 0x17 || [0x60, 0x200, 0x400].contains(type)
        else { return (count, false) }
      case 20:
        // Nokia's four octets are known by examples only.
        guard header.load(16, isSwapped, as: UInt32.self) & 0x0fff_00f0 == 0x0fbf_0000 else { return (count, false) }
      default: break
      }
      offset += headerLength + Int(captured)
      if offset <= bytes.count { count += 1 }
    }
    return (count, true)
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
