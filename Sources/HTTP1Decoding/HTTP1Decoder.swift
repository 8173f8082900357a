// Purpose: the public face of the HTTP/1 decoder and the state it keeps between calls.
// Input -> output: stream bytes in order, with gaps named -> HTTP1Event, pulled one at a time.
// Owner: one direction of one connection; not shared. Bounds: HTTP1Limits; holds at most one partial head or line.
// The transitions stand in HTTP1Decoder+StateMachine.swift.

import HTTPModel

/// Decodes one direction of an HTTP/1 connection (RFC 9112), forgivingly: it follows what clients and servers do, names
/// what the rules forbid as anomalies, and finds the next message after damage. No input makes it fail.
///
/// Pull events until nil, which means that all bytes of the call are consumed:
/// ```swift
/// var offset = 0
/// while let event = decoder.nextEvent(in: bytes, at: &offset) { … }
/// ```
/// How a stream is cut into calls does not change what is decoded, only how bodies and skipped bytes are cut into events.
/// The bytes of a call are borrowed until it returns.
public struct HTTP1Decoder: Sendable {
  /// Which direction of a connection is read.
  public enum Role: Sendable { case request, response }

  /// Whose messages it reads.
  public let role: Role
  /// What it may hold.
  public let limits: HTTP1Limits

  /// Of a response decoder: what the next final response answers. Looked at when its head is complete; set it whenever
  /// no message is being read. Interim responses leave it alone.
  public var answering: AnsweredMethod = .unknown

  /// The extension of the chunk that was begun last, from its `;` on as sent; empty where there is none.
  public internal(set) var chunkExtension: [UInt8] = []

  /// Where every consumed byte went.
  public internal(set) var counts = HTTP1ByteCounts()

  /// Bytes taken over from earlier calls that are not in ``counts`` yet.
  public var heldBytes: Int { held.count }

  /// Between messages, with nothing of the next one seen.
  public var isIdle: Bool {
    if case .between = state { return held.isEmpty }
    return false
  }

  /// The next byte may be a message's first: between messages, or on the search for one, with nothing of it seen.
  ///
  /// Inlined, because it is asked before each step and a call would be handed a copy of the decoder.
  @inlinable public var awaitsMessage: Bool {
    switch state {
    case .between, .searching: held.isEmpty
    default: false
    }
  }

  @usableFromInline var state: State
  /// A partial head, chunk line, trailer section, or what may be the start of a start line while searching.
  @usableFromInline var held: [UInt8] = []
  /// What was seen of the last line in `held`; decides where a section ends.
  var section = SectionEnd()
  /// The start line in `held` was complete and good.
  var startLineKnown = false
  /// Oddities before the start line, for the next head.
  var early = AnomalySet()
  /// Something of HTTP was seen, or the stream was joined in its middle: bad bytes are skipped, not a verdict.
  var established: Bool
  /// Some head was decoded; until then the search has a budget.
  var messageSeen = false
  /// Body bytes of the current message so far, seen or missing.
  var bodyPosition: UInt64 = 0
  /// Oddities of the message being read that were told, and those that are still to be.
  var told = AnomalySet()
  var queued = AnomalySet()
  /// The body may be left out; see ``declineBody()``.
  var mayBeDeclined = false
  /// What of the last head later bytes are judged by.
  var last = LastHead()
  /// The last byte that was skipped; a line end where the search begins afresh.
  var previousByte: UInt8 = 0x0a

  /// - Parameters:
  ///   - joinedMidstream: the stream's first byte is not its beginning: search for a message instead of giving up.
  public init(role: Role, limits: HTTP1Limits = HTTP1Limits(), joinedMidstream: Bool = false) {
    self.role = role
    self.limits = limits
    established = joinedMidstream
    state = joinedMidstream ? .searching(pastFirst: false) : .between
  }
}

/// What of a head still matters after its message.
struct LastHead: Sendable {
  var closesConnection = false
  /// A request that offered to switch protocols: bytes that are no start line are then the new protocol.
  var offersSwitch = false
  /// A response that must not have a body: bytes that are no start line are then a body all the same.
  var forbidsBody = false
  /// Another protocol follows the message.
  var switches = false
}
