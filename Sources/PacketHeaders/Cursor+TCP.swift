import HTTPModel

extension Cursor {
  /// The TCP header (RFC 9293, 3.1). Options may be cut off: they are not needed to place the payload.
  @inline(__always)
  mutating func tcp(_ packet: borrowing RawSpan) -> PacketContent {
    guard offset + 20 <= end else { return .undecodable(.tcpHeaderLength) }
    guard offset + 20 <= packet.byteCount else { return .undecodable(.tcpHeaderCut) }
    let headerLength = Int(packet.load(offset + 12, as: UInt8.self) >> 4) * 4
    let start = offset + headerLength
    guard headerLength >= 20, start <= end else { return .undecodable(.tcpHeaderLength) }
    if bounds.verifiesChecksums, !isTCPSound(packet) { return .undecodable(.tcpChecksum) }
    let captured = min(start, packet.byteCount)..<min(end, packet.byteCount)
    return .tcp(
      TCPSegment(
        source: TransportAddress(address: source, port: packet.load(offset)),
        destination: TransportAddress(address: destination, port: packet.load(offset + 2)),
        sequence: SequenceNumber(rawValue: packet.load(offset + 4)),
        acknowledgment: SequenceNumber(rawValue: packet.load(offset + 8)),
        flags: TCPFlags(rawValue: packet.load(offset + 13)), window: packet.load(offset + 14), payload: captured,
        payloadLengthOnWire: end - start, encapsulation: encapsulation, isDisputed: isDisputed))
  }
}
