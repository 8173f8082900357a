// Packets of any link type through the whole decoding half of a capture.
//
// Input: link type, options, then packets: a control byte, a 16-bit length, the bytes.

import ExchangeAssembly
import HTTPModel
import PacketHeaders
import TCPReassembly

enum PacketsTarget: FuzzTarget {
  static let name = "packets"

  private static let linkTypes: [LinkType] = [
    .ethernet, .null, .loop, .raw, .ipv4, .ipv6, .linuxCooked, .linuxCooked2, LinkType(rawValue: 147),
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
      while let exchange = decoder.nextExchange() { try checks.check(exchange) }
    }
    decoder.finish()
    while let exchange = decoder.nextExchange() { try checks.check(exchange) }
    try require(decoder.heldBytes == 0, "\(decoder.heldBytes) bytes are held after the end")
    try checkBalance(decoder.ledger)
  }

  /// Every payload byte is in one row.
  private static func checkBalance(_ ledger: Ledger) throws(Violation) {
    let rows: [Ledger.Row] = [
      .bytesMessage, .bytesDuplicate, .bytesNotHTTP, .bytesSkipped, .bytesTunnel, .bytesEvicted, .bytesPending,
    ]
    let sum = rows.reduce(0) { $0 + ledger[$1] }
    try require(
      ledger[.bytesSeen] == sum,
      "\(ledger[.bytesSeen]) payload bytes seen, the rows add up to \(sum): "
        + rows.map { "\($0.identifier) \(ledger[$0])" }.joined(separator: ", "))
  }

  static var seeds: [[UInt8]] {
    linkTypes.indices.flatMap { index in
      [UInt8(0), 2].map { options in
        var seed = [UInt8(index), options]
        for packet in conversation() {
          let framed = link(linkTypes[index], isIPv6: linkTypes[index] == .ipv6) + packet(linkTypes[index] == .ipv6)
          seed += [1, UInt8(framed.count & 0xff), UInt8(framed.count >> 8)] + framed
        }
        return seed
      }
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
