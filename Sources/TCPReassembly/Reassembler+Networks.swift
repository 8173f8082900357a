// Which connection a segment belongs to, where connections of equal addresses live in different virtual networks, and
// where one connection is seen in several.
//
// Three things happen on real wires that look alike in the headers:
//   - Two tenants use the same addresses, in VLANs or VXLAN segments of their own. Mixed, they would ruin each other.
//   - One connection travels in networks of which each direction has its own: routed back another way, in a GTP-U tunnel
//     with an identifier for each end, under MPLS labels. Torn apart, neither half would have its answers.
//   - One packet is captured twice, bare at a host's inside and in a tunnel at its outside, or with and without its
//     VLAN tag. Taken for two connections, all would be counted double.
//
// So a virtual network picks among connections but does not make one. Each direction keeps the network that it was seen in
// first, and a segment of that network needs no proof: the two tenants are apart, and it costs one comparison. A segment
// of another network belongs to the connection whose sequence space it fits: a SYN by its very number, the answer to a SYN
// by what it acknowledges, all others by lying within `reach` of both streams as far as they are known. Initial
// sequence numbers are random (RFC 9293, 3.4.1): that a stranger's segment fits has a probability of (2^25 / 2^32)^2, about
// one in 16,000, and 2^-32 for a SYN, by which connections begin. What fits nowhere begins a connection.
//
// A copy is then a retransmission like any other: its bytes are known and go to `duplicateBytes`, not to the stream. It is
// counted as copied, not as retransmitted.

import HTTPModel
import PacketHeaders

extension Reassembler {
  /// How far from the ends of a stream a segment of another network is believed: more than any window in use.
  private static let reach: Int32 = 1 << 24

  /// The stream that carries a segment, of a connection that is known by another network; nil where there is none.
  ///
  /// - Parameter slot: a connection that it is not.
  mutating func connectionInOtherNetwork(_ arrival: Arrival, than slot: Int = -1) -> Int? {
    var walk = table.walk(arrival.segment.source, arrival.segment.destination)
    while let stream = table.next(&walk) {
      guard stream >> 1 != slot, fits(arrival, stream) else { continue }
      note(arrival, on: stream)
      return stream
    }
    return nil
  }

  private func note(_ arrival: Arrival, on stream: Int) {
    let connection = table.connection(stream >> 1)
    if connection.pointee.encapsulation.isEmpty { connection.pointee.encapsulation = arrival.segment.encapsulation }
    if !wasSeen(stream) {
      if stream & 1 == 0 {
        connection.pointee.originatorNetwork = arrival.network
      } else {
        connection.pointee.responderNetwork = arrival.network
      }
    }
  }

  /// Makes room for one more connection between two addresses.
  mutating func limitNetworks(_ sender: TransportAddress, _ receiver: TransportAddress) {
    var count = 0
    var first = -1
    var walk = table.walk(sender, receiver)
    while let stream = table.next(&walk) {
      count += 1
      if first < 0 || table.connection(stream >> 1).pointee.number < table.connection(first).pointee.number {
        first = stream >> 1
      }
    }
    guard count >= limits.connectionsPerAddresses else { return }
    if table.connection(first).pointee.list == .closed { table.remove(first) } else { close(first, .evicted) }
  }

  /// Whether a segment of the direction came, rather than word of it by the other side.
  private func wasSeen(_ stream: Int) -> Bool {
    let direction = table.direction(stream)
    return direction.pointee.sawSYN || direction.pointee.phase != .unknown && direction.pointee.phase != .hinted
  }

  private func fits(_ arrival: Arrival, _ stream: Int) -> Bool {
    let connection = table.connection(stream >> 1)
    let direction = table.direction(stream)
    let opposite = table.direction(stream ^ 1)
    let initial = arrival.segment.sequence.rawValue
    if let candidate = connection.pointee.candidate {
      if agrees(arrival, on: stream, with: candidate) { return true }
      if arrival.segment.flags.contains(.syn), candidate.initialSequence == initial,
        stream & 1 == Int(candidate.direction.rawValue)
      {
        return true
      }
    }
    if arrival.segment.flags.contains(.syn) {
      if direction.pointee.sawSYN { return direction.pointee.initialSequence == initial }
      if let acknowledgment = arrival.acknowledgment, opposite.pointee.sawSYN {
        return acknowledgment &- opposite.pointee.initialSequence &- 1 <= UInt32(clamping: opposite.pointee.highest)
      }
    }
    let inStream = isNear(arrival.sequence, direction.pointee)
    let acknowledges = arrival.acknowledgment.flatMap { isNear($0, opposite.pointee) }
    if arrival.segment.flags.contains(.rst) { return inStream == true || acknowledges == true }
    return inStream != false && acknowledges != false && (inStream ?? acknowledges) != nil
  }

  /// Whether a sequence number is near what is known of a stream; nil where nothing is.
  private func isNear(_ sequence: UInt32, _ direction: Direction) -> Bool? {
    if direction.phase == .unknown { return nil }
    func isNear(_ known: UInt32) -> Bool { Int32(bitPattern: sequence &- known).magnitude <= Self.reach }
    return isNear(direction.nextSequence)
      || isNear(direction.sequence(of: max(direction.highest, direction.acknowledged)))
  }
}
