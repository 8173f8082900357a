// A conversation as packets, with what can befall packets on their way into a capture.

import PacketHeaders

/// What befalls the packets of a conversation.
struct Impairments {
  /// Shares in percent, of segments.
  var lost = 0
  var duplicated = 0
  /// Sent again with other boundaries: a part of it, with a part of what came before.
  var overlapping = 0
  /// How many packets later than in order a packet may be captured.
  var displacement = 0
  /// Share in percent of IP packets that come as fragments.
  var fragmented = 0
}

/// Around the IP packet.
enum Wrapping: CaseIterable {
  case plain, vlan, qinq, mpls, gre, ipip, vxlan

  var linkType: LinkType { .ethernet }
}

struct GeneratedPacket {
  var bytes: [UInt8]
  /// Position in the order of a capture without displacement; to be sorted by.
  var place: Double
}

struct Packetisation {
  private(set) var packets: [GeneratedPacket] = []
  /// Ranges of the streams that no packet carries, in order and joined, by side.
  private(set) var lost: [[Range<Int>]] = [[], []]

  private let conversation: GeneratedConversation
  private let impairments: Impairments
  private let wrapping: Wrapping
  private let isIPv6: Bool
  private let number: UInt16
  private let start: [UInt32]
  private var sent = [0, 0]
  private var captured: [[Bool]]
  private var random: SeededGenerator
  private var identification: UInt16 = 1
  private var place = 0.0

  init(
    _ conversation: GeneratedConversation, number: Int, _ impairments: Impairments, using random: inout SeededGenerator
  ) {
    self.conversation = conversation
    self.impairments = impairments
    self.number = UInt16(number)
    wrapping = Wrapping.allCases.randomElement(using: &random)!
    isIPv6 = random.chance(30)
    start = [.random(in: 0...UInt32.max, using: &random), .random(in: (.max - 50_000)...UInt32.max, using: &random)]
    captured = conversation.streams.map { Array(repeating: false, count: $0.count) }
    self.random = SeededGenerator(seed: random.next())
    emit(.client, flags: 0x02, at: -1, 0..<0)
    emit(.server, flags: 0x12, at: -1, 0..<0)
    emit(.client, flags: 0x10, at: 0, 0..<0)
    for turn in conversation.turns { send(turn) }
    emit(.client, flags: 0x11, at: sent[0], 0..<0)
    emit(.server, flags: 0x11, at: sent[1], 0..<0)
    lost = captured.map { Self.ranges(ofFalse: $0) }
  }

  private mutating func send(_ turn: GeneratedConversation.Turn) {
    let side = turn.side.rawValue
    var from = turn.range.lowerBound
    while from < turn.range.upperBound {
      let longest = random.chance(10) ? 30_000 : 1460
      let end = min(turn.range.upperBound, from + Int.random(in: 1...longest, using: &random))
      sent[side] = end
      if random.chance(impairments.lost) {
        place += 1
      } else {
        emit(turn.side, flags: 0x18, at: from, from..<end)
        if random.chance(impairments.duplicated) { emit(turn.side, flags: 0x18, at: from, from..<end) }
        if random.chance(impairments.overlapping) {
          let again =
            max(0, from - Int.random(in: 0...700, using: &random))..<Int.random(in: (from + 1)...end, using: &random)
          // Only what was captured before: what was lost stays lost.
          if captured[side][again].allSatisfy({ $0 }) { emit(turn.side, flags: 0x18, at: again.lowerBound, again) }
        }
      }
      from = end
    }
    // The other side acknowledges, so that what is missing is known to have arrived.
    emit(turn.side == .client ? .server : .client, flags: 0x10, at: sent[1 - side], 0..<0)
  }

  private mutating func emit(_ from: GeneratedConversation.Side, flags: UInt8, at offset: Int, _ range: Range<Int>) {
    let side = from.rawValue
    for index in range { captured[side][index] = true }
    // Sequence number 0 of a stream is the SYN's.
    let sequence = start[side] &+ UInt32(offset + 1)
    let acknowledgment = flags & 0x10 == 0 ? 0 : start[1 - side] &+ UInt32(sent[1 - side] + 1)
    let ports = big(10_000 + number) + big(UInt16(80))
    let tcp =
      (from == .client ? ports : big(UInt16(80)) + big(10_000 + number)) + big(sequence) + big(acknowledgment)
      + [0x50, flags, 0xff, 0xff, 0, 0, 0, 0] + conversation.streams[side][range]
    // Handshakes and ends are not displaced: a stream is known from its start, and what follows its end is none of it.
    let mayMove = flags == 0x18
    let late = mayMove ? Double.random(in: 0...Double(max(0, impairments.displacement)), using: &random) : 0
    place += 1
    let ip = isIPv6 ? ipv6(tcp, from) : ipv4(tcp, from)
    for (index, bytes) in ip.enumerated() {
      let jitter = ip.count > 1 ? Double.random(in: 0...0.9, using: &random) : Double(index) * 0.1
      packets.append(GeneratedPacket(bytes: wrap(bytes), place: place + late + jitter))
    }
    if !mayMove { place += Double(impairments.displacement) + 1 }
  }

  // MARK: Headers

  private mutating func ipv4(_ payload: [UInt8], _ from: GeneratedConversation.Side) -> [[UInt8]] {
    let (client, server): ([UInt8], [UInt8]) = ([10, 0, 0, 1], [10, 0, 0, 2])
    identification &+= 1
    let ends = from == .client ? client + server : server + client
    func packet(_ part: ArraySlice<UInt8>, _ offset: Int, _ more: Bool) -> [UInt8] {
      // Total length 0, as segmentation offload leaves it, where it would not fit.
      let length = part.count + 20 > 65_535 ? 0 : UInt16(part.count + 20)
      return [0x45, 0] + big(length) + big(identification) + big(UInt16(offset / 8) | (more ? 0x2000 : 0))
        + [64, 6, 0, 0] + ends + part
    }
    guard payload.count > 100, payload.count < 60_000, random.chance(impairments.fragmented) else {
      return [packet(payload[...], 0, false)]
    }
    var fragments: [[UInt8]] = []
    var offset = 0
    while offset < payload.count {
      let size = 8 * Int.random(in: 4...200, using: &random)
      let end = min(payload.count, offset + size)
      fragments.append(packet(payload[offset..<end], offset, end < payload.count))
      offset = end
    }
    return fragments
  }

  private func ipv6(_ payload: [UInt8], _ from: GeneratedConversation.Side) -> [[UInt8]] {
    let (client, server) = (
      [0x20, 1, 0xd, 0xb8] + Array(repeating: UInt8(1), count: 12),
      [0x20, 1, 0xd, 0xb8] + Array(repeating: UInt8(2), count: 12)
    )
    let ends = from == .client ? client + server : server + client
    return [[0x60, 0, 0, 0] + big(UInt16(payload.count)) + [6, 64] + ends + payload]
  }

  private func wrap(_ packet: [UInt8]) -> [UInt8] {
    let addresses: [UInt8] = Array(repeating: 2, count: 12)
    let type: [UInt8] = isIPv6 ? [0x86, 0xdd] : [0x08, 0x00]
    func outer(_ proto: UInt8, _ payload: [UInt8]) -> [UInt8] {
      addresses + [0x08, 0x00, 0x45, 0] + big(UInt16(clamping: payload.count + 20)) + [0, 7, 0, 0, 64, proto, 0, 0]
        + [172, 16, 0, 1, 172, 16, 0, 2] + payload
    }
    switch wrapping {
    case .plain: return addresses + type + packet
    case .vlan: return addresses + [0x81, 0x00, 0, 5] + type + packet
    case .qinq: return addresses + [0x88, 0xa8, 0, 5, 0x81, 0x00, 0, 6] + type + packet
    case .mpls: return addresses + [0x88, 0x47, 0, 1, 0x00, 64, 0, 2, 0x01, 64] + packet
    case .gre: return outer(47, [0x20, 0] + type + [0, 0, 0, 9] + packet)
    case .ipip: return outer(isIPv6 ? 41 : 4, packet)
    case .vxlan:
      let frame = addresses + type + packet
      return outer(
        17,
        big(UInt16(5555)) + big(UInt16(4789)) + big(UInt16(clamping: frame.count + 16)) + [0, 0]
          + [8, 0, 0, 0, 0, 0, 42, 0] + frame)
    }
  }

  private func big(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)] }
  private func big(_ value: UInt32) -> [UInt8] { big(UInt16(value >> 16)) + big(UInt16(truncatingIfNeeded: value)) }

  private static func ranges(ofFalse flags: [Bool]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    for index in flags.indices where !flags[index] {
      if let last = ranges.last, last.upperBound == index {
        ranges[ranges.count - 1] = last.lowerBound..<(index + 1)
      } else {
        ranges.append(index..<(index + 1))
      }
    }
    return ranges
  }
}
