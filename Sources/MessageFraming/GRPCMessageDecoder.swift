// Purpose: where the messages of a gRPC body begin and end (gRPC over HTTP/2, "Length-Prefixed-Message"; gRPC-Web).
// Input -> output: one direction's body bytes in order, with gaps named -> GRPCEvent, pulled one at a time.
// Owner: one body; not shared. Bounds: no payload is held or looked at; at most 64 places while boundaries are searched.
//
//   prefix ──5 bytes──▶ payload ──length bytes──▶ prefix
//     │ flag that does not exist, bytes missing     ▲
//     ▼                                             │ proof
//   lost ──a frame begins──▶ chain of prefixes ─────┘
//
// The protocol has no mark to find a boundary by. But senders begin a message at the start of a DATA frame and end one
// at the end of a frame, so a chain of plausible prefixes from the one to the other is taken for proof.

public import HTTPModel

/// A message's place in a body.
public struct GRPCMessage: Hashable, Sendable {
  /// Of its first byte behind the prefix, in body bytes, those in gaps counted.
  public var offset: UInt64
  /// As the prefix says.
  public var length: UInt32
  /// The prefix' first byte.
  public var flag: UInt8
  /// A part of it was never captured.
  public var isIncomplete = false

  public var isCompressed: Bool { flag & 1 != 0 }
  /// gRPC-Web's trailers: header fields as HTTP/1 writes them.
  public var isTrailers: Bool { flag & 0x80 != 0 }
}

/// What ``GRPCMessageDecoder/nextEvent(in:at:)`` found next.
public enum GRPCEvent: Hashable, Sendable {
  /// The next byte is the first of a message's prefix.
  case began
  /// All of a message has passed.
  case message(GRPCMessage)
  /// The body ended inside a message, or was lost there, of which so many bytes had passed, those in gaps counted.
  case truncated(GRPCMessage, passed: UInt32)
  case anomaly(Anomaly)
}

/// Finds the messages of a gRPC or gRPC-Web body. How the body is cut into calls does not change what is told.
///
/// Pull events until nil, which means that all bytes of the call are consumed. No input makes it fail. A payload costs
/// nothing: it is passed over, and stands in the body where the event says.
public struct GRPCMessageDecoder: Sendable {
  /// Bytes of the body so far, those in gaps counted.
  public private(set) var position: UInt64 = 0
  /// Message boundaries are known.
  public var isLocked: Bool {
    if case .lost = state { return false }
    return chain == nil
  }

  private enum State: Sendable {
    /// So many bytes of the prefix were seen.
    case prefix(Int)
    case payload(remaining: UInt32)
    case lost
  }

  private let isWeb: Bool
  private let messageLimit: UInt32
  private var state = State.prefix(0)
  /// What was seen of a prefix, the last byte lowest.
  private var partial: UInt64 = 0
  private var message = GRPCMessage(offset: 0, length: 0, flag: 0)
  private var isBegunTold = false
  private var areTrailersSeen = false
  private var isEnded = false
  private var pending: [GRPCEvent] = []
  /// While boundaries are being proven: the messages found since the frame's beginning.
  private var chain: [GRPCMessage]?

  private static let chainLimit = 64
  /// Messages with bytes in them that prove a chain by themselves; one does where its frame ends with it.
  private static let certainty = 3

  /// - Parameters:
  ///   - isWeb: the flag may also say that trailers follow.
  ///   - messageLimit: longer messages are told as an anomaly, and followed; while searching, none is believed.
  public init(isWeb: Bool = false, messageLimit: UInt32 = 64 << 20) {
    self.isWeb = isWeb
    self.messageLimit = messageLimit
  }

  /// The next event, or nil when all of `bytes` is consumed and more is needed.
  /// - Parameters:
  ///   - bytes: borrowed until return.
  ///   - offset: where to go on, at most `bytes.count`; moved over what is consumed.
  public mutating func nextEvent(in bytes: UnsafeRawBufferPointer, at offset: inout Int) -> GRPCEvent? {
    if !pending.isEmpty { return pending.removeFirst() }
    while offset < bytes.count {
      switch state {
      case .lost:
        advance(bytes.count &- offset, &offset)
      case .payload(let remaining):
        let step = min(Int(remaining), bytes.count &- offset)
        advance(step, &offset)
        let rest = remaining &- UInt32(truncatingIfNeeded: step)
        if rest > 0 {
          state = .payload(remaining: rest)
        } else if let event = endMessage() {
          return event
        }
      case .prefix(let seen):
        if !isBegunTold, chain == nil {
          isBegunTold = true
          return .began
        }
        let step = min(5 &- seen, bytes.count &- offset)
        for index in offset..<offset &+ step { partial = partial << 8 | UInt64(bytes[index]) }
        advance(step, &offset)
        state = .prefix(seen &+ step)
        if seen &+ step == 5, let event = readPrefix() { return event }
      }
    }
    return nil
  }

  /// Bytes of the body were never captured. Pull events again, of no bytes.
  /// - Parameter count: nil where it is not known: then nothing after it has a place, and nothing more is told.
  public mutating func gap(_ count: UInt64?) {
    if count == 0 { return }
    let (sum, isOver) = position.addingReportingOverflow(count ?? .max)
    guard let count, !isOver else {
      endInside()
      lose()
      isEnded = true
      return
    }
    position = sum
    if case .payload(let remaining) = state {
      message.isIncomplete = true
      if count < remaining {
        state = .payload(remaining: remaining &- UInt32(truncatingIfNeeded: count))
        return
      }
      // Where it ends is known even where what follows is not.
      if chain == nil, let event = endMessage() {
        pending.append(event)
        if count == remaining { return }
      }
    }
    lose()
  }

  /// A DATA frame ended and another begins: senders let messages begin and end there. Only looked at after a loss.
  public mutating func frameBoundary() {
    if isLocked || isEnded { return }
    if let chain, case .prefix(0) = state, chain.contains(where: { $0.length > 0 }) {
      acceptChain()
    } else if chain == nil {
      chain = []
      partial = 0
      state = .prefix(0)
    }
  }

  /// The body has ended: what that makes of the message being read. Pull events again, of no bytes.
  public mutating func finish() {
    if let chain, case .prefix(0) = state, chain.contains(where: { $0.length > 0 }) { acceptChain() }
    if isLocked {
      endInside()
      if case .prefix(0) = state {} else { pending.append(.anomaly(.messageTruncated)) }
    }
    state = .lost
    isEnded = true
  }

  /// Tells of a message whose end will not come.
  private mutating func endInside() {
    guard chain == nil, case .payload(let remaining) = state else { return }
    pending.append(.truncated(message, passed: message.length &- remaining))
  }

  @inline(__always)
  private mutating func advance(_ count: Int, _ offset: inout Int) {
    offset &+= count
    position &+= UInt64(count)
  }

  /// A prefix is whole; nil where there is nothing to tell of it.
  private mutating func readPrefix() -> GRPCEvent? {
    let flag = UInt8(truncatingIfNeeded: partial >> 32)
    let length = UInt32(truncatingIfNeeded: partial)
    partial = 0
    guard flag & (isWeb ? 0x7e : 0xfe) == 0, chain == nil || length <= messageLimit else {
      let wasLocked = isLocked
      lose()
      if wasLocked { pending.insert(.anomaly(.grpcFlagInvalid), at: 0) }
      return pending.isEmpty ? nil : pending.removeFirst()
    }
    message = GRPCMessage(offset: position, length: length, flag: flag)
    if chain == nil {
      if length > messageLimit { pending.append(.anomaly(.messageOverLimit)) }
      if areTrailersSeen { pending.append(.anomaly(.grpcTrailersMisplaced)) }
    }
    areTrailersSeen = message.isTrailers
    state = .payload(remaining: length)
    if length == 0, let event = endMessage() { pending.append(event) }
    return pending.isEmpty ? nil : pending.removeFirst()
  }

  private mutating func endMessage() -> GRPCEvent? {
    state = .prefix(0)
    isBegunTold = false
    guard chain != nil else { return .message(message) }
    chain!.append(message)
    if chain!.count > Self.chainLimit {
      lose()
    } else if chain!.reduce(0, { $0 + ($1.length > 0 ? 1 : 0) }) >= Self.certainty {
      acceptChain()
      return pending.removeFirst()
    }
    return nil
  }

  private mutating func acceptChain() {
    pending.append(contentsOf: (chain ?? []).map(GRPCEvent.message))
    chain = nil
    isBegunTold = false
  }

  private mutating func lose() {
    if isLocked { pending.append(.anomaly(.messageBoundaryLost)) }
    chain = nil
    partial = 0
    state = .lost
  }
}
