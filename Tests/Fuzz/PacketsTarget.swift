// Packets of any link type through the whole decoding half of a capture, and through a reader with other options.
//
// Input: link type, options, then packets: a control byte, a 16-bit length, the bytes.

import ExchangeAssembly
import HTTPModel
import PacketHeaders
import TCPReassembly

enum PacketsTarget: FuzzTarget {
  static let name = "packets"

  private static let linkTypes: [LinkType] = [
    .ethernet, .null, .loop, .raw, .ipv4, .ipv6, .linuxCooked, .linuxCooked2, LinkType(rawValue: 147), .ppp, .pppHDLC,
    .pppoe, .ciscoHDLC, .wireless, .radiotap, .linuxARCNET, .perPacketInformation, .mpls, .nflog,
  ]
  private static let steps: [Int64] = [
    0, 1_000, 1_000_000, 30_000_000, 3_000_000_000, 70_000_000_000, 700_000_000_000, -1_000_000,
  ]

  static func run(_ input: [UInt8]) throws(Violation) {
    var reader = InputReader(input)
    let linkType = linkTypes[Int(reader.byte()) % linkTypes.count]
    let options = reader.byte()
    var reassembly = ReassemblyLimits()
    var assembly = AssemblyLimits(serverPorts: options & 1 == 0 ? [] : [80...90])
    if options & 2 != 0 {
      reassembly.heldBytes = 2000
      reassembly.heldSegmentsPerDirection = 4
      reassembly.connections = 2
      assembly.bodyBytes = 20
      assembly.heldBytes = 200
      assembly.pendingRequests = 2
    }
    var decoder = WireDecoder(reassembly: reassembly, assembly: assembly)
    var fragments = FragmentLimits()
    if options & 16 != 0 {
      fragments.heldBytes = 3000
      fragments.datagrams = 4
      fragments.fragmentsPerDatagram = 6
    }
    var packetReader = PacketReader(
      options: ParsingOptions(decapsulation: options & 4 == 0 ? .standard : .off, verifiesChecksums: options & 8 != 0),
      limits: fragments)
    var checks = ExchangeChecks()
    var time = Timestamp(nanoseconds: 1_790_000_000_000_000_000)
    while !reader.isAtEnd {
      let control = reader.byte()
      time = time.advanced(byNanoseconds: steps[Int(control & 7)])
      let packet = reader.bytes(Int(reader.word()))
      let lengthOnWire = packet.count + (control & 8 == 0 ? 0 : Int(reader.byte()) << (control & 16 == 0 ? 0 : 8))
      packet.withUnsafeBytes {
        decoder.receive($0, lengthOnWire: lengthOnWire, linkType: linkType, at: time)
      }
      try checkBalance(decoder.ledger)
      try read(packet, lengthOnWire, linkType, time, &packetReader)
      try require(
        packetReader.fragmentStatistics.heldBytes <= fragments.heldBytes,
        "\(packetReader.fragmentStatistics.heldBytes) bytes of fragments are held")
      while let exchange = decoder.nextExchange() { try checks.check(exchange) }
    }
    packetReader.finish()
    try require(packetReader.fragmentStatistics.heldBytes == 0, "fragments are held after the end")
    decoder.finish()
    while let exchange = decoder.nextExchange() { try checks.check(exchange) }
    try require(decoder.heldBytes == 0, "\(decoder.heldBytes) bytes are held after the end")
    try checkBalance(decoder.ledger)
  }

  /// What is told lies within the bytes that it is told of, and each fragment has one fate.
  private static func read(
    _ packet: [UInt8], _ lengthOnWire: Int, _ linkType: LinkType, _ time: Timestamp, _ reader: inout PacketReader
  ) throws(Violation) {
    var isSound = true
    packet.withUnsafeBytes { bytes in
      let content = reader.read(bytes, lengthOnWire: lengthOnWire, linkType: linkType, at: time)
      guard case .tcp(let segment) = content else { return }
      isSound =
        segment.payload.lowerBound >= 0 && segment.payload.upperBound <= reader.bytes.count
        && segment.payloadLengthOnWire >= segment.payload.count
    }
    try require(isSound, "a segment beyond its packet")
    let s = reader.fragmentStatistics
    let sum = s.reassembled + s.duplicate + s.invalid + s.discarded + s.expired + s.evicted + s.pending
    try require(s.fragments == sum, "\(s.fragments) fragments, of which \(sum) are accounted for: \(s)")
  }

  /// Every payload byte is in one row, of each connection.
  private static func checkBalance(_ ledger: Ledger) throws(Violation) {
    let rows = Ledger.Row.payloadFates + [.bytesUnaccounted]
    try require(
      ledger.isBalanced,
      "\(ledger[.bytesSeen]) payload bytes seen: "
        + rows.map { "\($0.identifier) \(ledger[$0])" }.joined(separator: ", "))
  }

  static var seeds: [[UInt8]] {
    let plain = linkTypes.indices.flatMap { index in
      [UInt8(0), 2].map { options in
        seed(
          index, options,
          conversation().map {
            link(linkTypes[index], isIPv6: linkTypes[index] == .ipv6) + $0(linkTypes[index] == .ipv6)
          })
      }
    }
    let raw = linkTypes.firstIndex(of: .raw)!
    return plain
      + tunnels.flatMap { tunnel in
        [UInt8(0), 16].flatMap { options in
          let packets = conversation().map { tunnel($0(false)) }
          return [seed(raw, options, packets), seed(raw, options, packets.flatMap(fragments))]
        }
      }
  }

  private static func seed(_ linkType: Int, _ options: UInt8, _ packets: [[UInt8]]) -> [UInt8] {
    packets.reduce([UInt8(linkType), options]) { seed, packet in
      seed + [1, UInt8(packet.count & 0xff), UInt8(packet.count >> 8)] + packet
    }
  }

  /// IPv4 packets in others.
  private static var tunnels: [([UInt8]) -> [UInt8]] {
    let frame = [UInt8](repeating: 2, count: 12) + [8, 0]
    func udp(_ port: UInt32, _ payload: [UInt8]) -> [UInt8] {
      outer(17, big(5000, 2) + big(port, 2) + big(UInt32(8 + payload.count), 2) + [0, 0] + payload)
    }
    return [
      { outer(4, $0) }, { outer(47, [0, 0, 8, 0] + $0) },
      { outer(47, [0xb0, 0, 0x65, 0x58] + big(0) + big(7) + big(1) + frame + $0) },
      { outer(47, [0x10, 0, 0x88, 0xbe] + big(1) + [0x10, 0, 0, 9] + big(0) + frame + $0) },
      {
        outer(
          47, [0x10, 0, 0x22, 0xeb] + big(1) + [0x20, 0, 0, 9] + big(0) + [0, 0, 0, 1] + big(0) + big(0) + frame + $0)
      },
      { udp(4789, [8, 0, 0, 0] + big(5001 << 8) + frame + $0) }, { udp(4790, [12, 0, 0, 1] + big(5001 << 8) + $0) },
      { udp(6081, [1, 0, 8, 0] + big(7 << 8) + big(0) + $0) },
      { udp(2152, [0x34, 255] + big(UInt32($0.count + 8), 2) + big(9) + [0, 0, 0, 0x85, 1, 0, 0, 0] + $0) },
      { udp(1701, [0, 2, 0, 1, 0, 2, 0xff, 3, 0, 0x21] + $0) }, { outer(137, big(17 << 12 | 0x100) + $0) },
    ]
  }

  private static func outer(_ number: UInt8, _ payload: [UInt8]) -> [UInt8] {
    [0x45, 0] + big(UInt32(20 + payload.count), 2) + [0, 1, 0x40, 0, 64, number, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
      + payload
  }

  /// An IPv4 packet in pieces of 40 octets, the identification taken from its bytes.
  private static func fragments(_ packet: [UInt8]) -> [[UInt8]] {
    let identification = packet.reduce(0 as UInt32) { $0 &* 31 &+ UInt32($1) }
    return stride(from: 20, to: packet.count, by: 40).map { start in
      let end = min(packet.count, start + 40)
      return [0x45, 0] + big(UInt32(20 + end - start), 2) + big(identification, 2)
        + big(UInt32(start - 20) / 8 | (end < packet.count ? 0x2000 : 0), 2) + packet[8..<20] + packet[start..<end]
    }
  }

  /// A GET and its answer, with the connection's begin and end: each packet from its IP header on.
  private static func conversation() -> [(Bool) -> [UInt8]] {
    let request = Array("GET /a HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    let response = Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".utf8)
    let (c, s) = (UInt32(0xffff_fff0), UInt32(1000))
    let (c1, s1) = (c &+ 1, s + 1)
    let (c2, s2) = (c1 &+ UInt32(request.count), s1 + UInt32(response.count))
    return [
      { ip($0, tcp(true, c, 0, 0x02)) }, { ip($0, tcp(false, s, c1, 0x12)) },
      { ip($0, tcp(true, c1, s1, 0x18, request)) }, { ip($0, tcp(false, s1, c2, 0x18, response)) },
      { ip($0, tcp(true, c2, s2, 0x11)) }, { ip($0, tcp(false, s2, c2 &+ 1, 0x11)) },
    ]
  }

  private static func big(_ value: UInt32, _ count: Int = 4) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * (count - 1 - $0))) }
  }

  private static func tcp(
    _ fromClient: Bool, _ sequence: UInt32, _ acknowledgment: UInt32, _ flags: UInt8, _ payload: [UInt8] = []
  ) -> [UInt8] {
    big(fromClient ? 40_000 : 80, 2) + big(fromClient ? 80 : 40_000, 2) + big(sequence) + big(acknowledgment)
      + [0x50, flags, 0xff, 0xff, 0, 0, 0, 0] + payload
  }

  private static func ip(_ isIPv6: Bool, _ segment: [UInt8]) -> [UInt8] {
    if isIPv6 {
      let address = [UInt8](repeating: 0, count: 15) + [1]
      return [0x60, 0, 0, 0] + big(UInt32(segment.count), 2) + [6, 64] + address + address + segment
    }
    return [0x45, 0] + big(UInt32(20 + segment.count), 2) + [0, 1, 0x40, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]
      + segment
  }

  private static func link(_ type: LinkType, isIPv6: Bool) -> [UInt8] {
    let protocolNumber: [UInt8] = isIPv6 ? [0x86, 0xdd] : [0x08, 0x00]
    switch type {
    case .ethernet: return [UInt8](repeating: 2, count: 12) + [0x81, 0, 0, 7] + protocolNumber
    case .null: return [2, 0, 0, 0]
    case .loop: return [0, 0, 0, 2]
    case .linuxCooked: return [0, 0, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0] + protocolNumber
    case .linuxCooked2: return protocolNumber + [0, 0, 0, 0, 0, 1, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0]
    default: return []
    }
  }
}
