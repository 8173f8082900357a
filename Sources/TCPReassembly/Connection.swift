// What is remembered of a connection and of each of its two streams.
// Owner: ConnectionTable, in plain memory; nothing here allocates. Bounds: about 130 + 2 * 56 bytes a connection.

import HTTPModel
import PacketHeaders

/// What a direction knows of its stream's place in sequence space.
///
///     unknown --ACK--> hinted --payload--> joining --enough seen--> flowing --end reached--> ended
///        |                |                                            ^
///        +---SYN----------+--------------------------------------------+
///
/// RFC 9293 has no states for an observer that comes late: `hinted` and `joining` are its own.
enum StreamPhase: UInt8 {
  /// Nothing was seen.
  case unknown
  /// The other side's ACK told what it expects next; ``Direction/next`` stands for that, biased.
  case hinted
  /// Joined in the middle: first bytes wait for older ones; offsets are biased.
  case joining
  /// Offsets count from the stream's first byte.
  case flowing
  /// Everything up to ``Direction/end`` was told.
  case ended
}

/// One direction's stream. Sequence numbers are widened to 64-bit offsets as soon as they are read.
struct Direction {
  /// Added to offsets while the stream's first byte is not known, so that older bytes have a place too.
  static let bias: UInt64 = 1 << 32
  /// A segment further away than this from the stream's position is not believed.
  static let window: Int64 = 1 << 30
  /// How much older than the first segment seen others may be when joining.
  static let joinWindow: Int64 = 1 << 20

  var phase: StreamPhase = .unknown
  /// ``initialSequence`` was seen.
  var sawSYN = false
  /// The last advance of ``acknowledged`` was by one: where no byte was seen, that is a FIN that was not captured.
  var acknowledgedOne = false
  /// ``next`` was told by an ACK while hinted or joining: a first byte there has none before it.
  var hasHint = false
  var initialSequence: UInt32 = 0
  /// The sequence number of the byte at ``next``.
  var nextSequence: UInt32 = 0
  /// Offset of the next byte to be told.
  var next: UInt64 = 0
  /// End of the furthest byte seen.
  var highest: UInt64 = 0
  /// The furthest offset that the receiver acknowledged; may count a FIN.
  var acknowledged: UInt64 = 0
  /// Offset of FIN; `UInt64.max` until one was seen.
  var end: UInt64 = .max
  /// Present only while there is a hole.
  var held: HeldSegments?

  /// The offset of a sequence number, if it is near the stream's position or near what the receiver acknowledged.
  ///
  /// The second matters where capture missed more than the window.
  @inline(__always)
  func offset(of sequence: UInt32) -> Int64? {
    let delta = Int64(Int32(bitPattern: sequence &- nextSequence))
    if delta <= Direction.window, delta >= -Direction.window { return Int64(bitPattern: next) &+ delta }
    let fromACK = Int64(Int32(bitPattern: sequence &- self.sequence(of: acknowledged)))
    guard acknowledged > next, fromACK <= Direction.window, fromACK >= -Direction.window else { return nil }
    return Int64(bitPattern: acknowledged) &+ fromACK
  }

  /// The offset that an acknowledgment number stands for, or nil where it is too far ahead to be believed.
  ///
  /// Measured from the last acknowledgment, so that a direction of which no byte is captured is followed too.
  @inline(__always)
  func acknowledgedOffset(of number: UInt32) -> Int64? {
    let reference = max(next, acknowledged)
    let delta = Int64(Int32(bitPattern: number &- sequence(of: reference)))
    return delta <= Direction.window ? Int64(bitPattern: reference) &+ delta : nil
  }

  @inline(__always)
  func sequence(of offset: UInt64) -> UInt32 { nextSequence &+ UInt32(truncatingIfNeeded: offset &- next) }

  /// Sets the stream's first byte; nothing was told yet.
  mutating func begin(at sequence: UInt32) {
    phase = .flowing
    nextSequence = sequence
    (next, highest, acknowledged) = (0, 0, 0)
  }

  /// Sets a place from which to measure until the first byte is known.
  mutating func measure(from sequence: UInt32, as phase: StreamPhase) {
    self.phase = phase
    nextSequence = sequence
    (next, highest, acknowledged) = (Direction.bias, Direction.bias, Direction.bias)
  }

  /// Makes the biased offset `origin` the stream's first byte.
  mutating func rebase(to origin: UInt64) {
    nextSequence = sequence(of: origin)
    next = 0
    highest = highest > origin ? highest &- origin : 0
    acknowledged = acknowledged > origin ? acknowledged &- origin : 0
    if end != .max { end = end > origin ? end &- origin : 0 }
    held?.rebase(by: origin)
    phase = .flowing
  }
}

/// A SYN that may begin a new connection on the addresses of a living one, until a later segment agrees with it.
///
/// A live endpoint answers such a SYN with a challenge ACK (RFC 9293, 3.10.7.4), so one alone proves nothing.
struct ConnectionCandidate {
  var direction: StreamDirection
  var initialSequence: UInt32
  /// The payload in the SYN, which an ACK may count.
  var payloadLength: UInt32
  /// Of a SYN-ACK.
  var acknowledgment: UInt32?
}

/// The lists that a slot of the table can stand in, each in order of time.
enum ConnectionList: Int, CaseIterable {
  case halfOpen = 0
  case open = 1
  case closed = 2
}

struct Connection {
  // The originator's and responder's addresses, flat so that a look-up compares words.
  var originatorHigh: UInt64 = 0
  var originatorLow: UInt64 = 0
  var responderHigh: UInt64 = 0
  var responderLow: UInt64 = 0
  /// Originator's port, responder's port, and whether each is IPv6, in one word.
  var ports: UInt64 = 0
  /// Fingerprints of the virtual network that each direction was seen in first; until a direction was seen, of the other
  /// one's.
  var originatorNetwork: UInt32 = 0
  var responderNetwork: UInt32 = 0
  var hash: UInt32 = 0
  var number: UInt32 = 0
  var previous: UInt32 = .max
  var following: UInt32 = .max
  var list: ConnectionList = .halfOpen
  /// In the table; else the slot is free.
  var isUsed = false
  /// ``StreamEvent/opened(_:_:)`` was told.
  var isTold = false
  /// A RST was believed; the connection closes when its holes are settled.
  var isReset = false
  var segments: UInt32 = 0
  /// Clock of the last segment, to a 64th of the idle timeout; of a closed connection, of its closing.
  var touched: Int64 = 0
  var candidate: ConnectionCandidate?
  /// The first that is not empty.
  var encapsulation = Encapsulation.none

  /// - Parameter side: 0 or 1, as in the number of a stream.
  func network(of side: Int) -> UInt32 { side == 0 ? originatorNetwork : responderNetwork }

  /// Segments go through ``Reassembler/admit(_:found:)`` first.
  @inline(__always) var needsCare: Bool { list == .closed || candidate != nil }

  var originator: TransportAddress {
    TransportAddress(
      address: ports & 1 << 33 != 0
        ? IPAddress(v6High: originatorHigh, v6Low: originatorLow)
        : IPAddress(v4: UInt32(truncatingIfNeeded: originatorLow)),
      port: UInt16(truncatingIfNeeded: ports >> 16))
  }

  var responder: TransportAddress {
    TransportAddress(
      address: ports & 1 << 32 != 0
        ? IPAddress(v6High: responderHigh, v6Low: responderLow)
        : IPAddress(v4: UInt32(truncatingIfNeeded: responderLow)),
      port: UInt16(truncatingIfNeeded: ports))
  }
}
