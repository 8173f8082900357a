// What reassembly tells the layer above.
// In: nothing. Out: values that `Reassembler.nextEvent()` hands over. Owner: whoever drains. Bounds: one segment's bytes each.

public import HTTPModel
public import PacketHeaders

/// Names a connection of one ``Reassembler``.
public struct ConnectionHandle: Hashable, Sendable {
  /// The slot in the connection table; used again once the connection is forgotten. Dense from 0, so that a layer above
  /// can keep its own state in an array.
  public let index: Int
  /// From 1, in the order in which connections were first seen; never used again within 2^32 connections.
  public let number: UInt32

  @inlinable
  public init(index: Int, number: UInt32) {
    self.index = index
    self.number = number
  }
}

/// One of a connection's two byte streams, named by its sender.
public enum StreamDirection: UInt8, CaseIterable, Sendable {
  /// From the sender of the SYN (or the receiver of the SYN-ACK); where neither was seen, from the first sender seen.
  case originator = 0
  case responder = 1

  /// The other direction.
  @inlinable public var opposite: StreamDirection { self == .originator ? .responder : .originator }
}

/// What is known of a connection when its first byte, gap or end is told.
public struct OpenedConnection: Hashable, Sendable {
  /// Who opened the connection, as far as that is known.
  public var originator: TransportAddress
  /// The other end.
  public var responder: TransportAddress
  /// A SYN or SYN-ACK was seen: offsets count from the stream's first byte. Otherwise capture joined in mid-connection
  /// and they count from the first byte seen.
  public var sawHandshake: Bool
  /// The virtual network of the addresses: the first that a segment of the connection was seen in. The two directions may
  /// have different ones, and copies of a segment too; see ``Reassembler``.
  public var encapsulation: Encapsulation

  @inlinable
  public init(
    originator: TransportAddress, responder: TransportAddress, sawHandshake: Bool,
    encapsulation: Encapsulation = .none
  ) {
    self.originator = originator
    self.responder = responder
    self.sawHandshake = sawHandshake
    self.encapsulation = encapsulation
  }
}

/// Where an event's bytes stand.
public enum StreamBytes: Hashable, Sendable {
  /// A range of the payload that was handed to the last ``Reassembler/receive(_:payload:at:)``: borrowed, to be used
  /// before that buffer goes away.
  case segment(Range<Int>)
  /// Bytes that had waited behind a hole; never empty.
  case held([UInt8])

  /// In bytes.
  @inlinable public var count: Int {
    switch self {
    case .segment(let range): range.count
    case .held(let bytes): bytes.count
    }
  }
}

/// Why bytes of a stream are missing.
public enum GapCause: UInt8, Sendable {
  /// Never captured: acknowledged by the receiver, passed over by the sender's FIN, or not seen for too long.
  case lost = 0
  /// Captured without the segment's tail.
  case snapLength = 1
  /// Given up before anything proved the loss, because a limit on held bytes or connections was reached.
  case evicted = 2
}

/// How a direction's stream ended.
public enum StreamEnd: UInt8, Sendable {
  case fin = 0
  case reset = 1
}

/// Why a connection is told of no more.
public enum CloseReason: UInt8, Sendable {
  /// Both directions ended with FIN.
  case finished = 0
  case reset = 1
  /// Idle for longer than the limit.
  case expired = 2
  /// Given up because the table was full.
  case evicted = 3
  /// The same pair of addresses began a new connection.
  case replaced = 4
  case captureEnded = 5
}

/// Something that happened to a byte stream.
///
/// For each connection: `opened` first, `closed` last, and in each direction offsets that rise without holes, every one
/// of them covered by exactly one `data` or `gap`. A connection that carries no byte and tells of no loss causes no
/// events at all; it is only counted.
public enum StreamEvent: Hashable, Sendable {
  case opened(ConnectionHandle, OpenedConnection)
  /// Bytes in order. `acknowledged` says how much of the opposite stream their sender had received when it sent them,
  /// as an offset in that stream; nil where its place is not known yet. `time` is the segment's packet time.
  case data(
    ConnectionHandle, StreamDirection, offset: UInt64, StreamBytes, acknowledged: UInt64?, time: Timestamp)
  /// Bytes that will not come: the stream goes on at `offset + length`.
  case gap(ConnectionHandle, StreamDirection, offset: UInt64, length: UInt64, GapCause)
  /// A segment carried other bytes than the copy that waits behind a hole, or was put together from IP fragments that
  /// disagreed. The first copy is kept. Bytes that were delivered already are not kept, so a retransmission of those is not
  /// compared.
  case overlapMismatch(ConnectionHandle, StreamDirection, offset: UInt64, length: UInt64)
  /// Told after all bytes and gaps before it. A reset ends both directions.
  case ended(ConnectionHandle, StreamDirection, StreamEnd)
  case closed(ConnectionHandle, CloseReason)
}
