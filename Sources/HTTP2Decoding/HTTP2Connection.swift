// Purpose: the public face of HTTP/2 decoding and the state it keeps between calls.
// Input -> output: both directions' bytes with gaps named and packet times -> HTTP2Event, pulled one at a time.
// Owner: one connection; not shared. Bounds: HTTP2Limits. The transitions of a stream stand in
// HTTP2Connection+StateMachine.swift, frames are dispatched in HTTP2Connection+Frames.swift.

public import HTTPModel

/// Decodes an HTTP/2 connection (RFC 9113) from both sides' bytes, as seen by someone who only listens: from its start,
/// after an upgrade, or from its middle. No input makes it fail; what the rules forbid becomes an anomaly.
///
/// Pull steps, or events, until nil, which means that all bytes of the call are consumed:
/// ```swift
/// var offset = 0
/// while let step = connection.step(from: .originator, in: bytes, at: &offset, time: time) { … }
/// ```
/// Hand over the bytes of the two sides in causal order as far as it is known: what a sender had received comes before
/// what it sent then. Do the same after ``gap(_:from:time:)``, ``finish(_:time:)`` and ``close(time:)``, with no bytes.
/// The bytes of a call are borrowed until it returns. How streams are cut into calls does not change what is decoded.
public struct HTTP2Connection: Sendable {
  /// What it may hold.
  public let limits: HTTP2Limits

  /// Who is taken for the client.
  public internal(set) var client: HTTP2Side
  /// Something was sent that only a client, or only a server, sends.
  public internal(set) var clientIsCertain: Bool

  /// The last GOAWAY of each side: streams above `lastStream` that the other side began were not processed.
  public internal(set) var goaway: (originator: HTTP2GoAway?, responder: HTTP2GoAway?)
  /// DATA of messages whose head was not seen, counted in the directions' ``HTTP2ByteCounts/data``.
  public internal(set) var headlessBytes: UInt64 = 0

  /// By ``HTTP2Side/rawValue``, as all arrays of two here.
  var frames: [HTTP2FrameDecoder]
  var hpack: [HPACKDecoder]
  var peers: [PeerState]
  var streams = StreamTable()
  var fields = HPACKFieldList()
  /// What the last step told of.
  public var parts = HTTP2Parts()
  var queue: [HTTP2Step] = []
  /// How much of `queue` was handed out.
  var delivered = 0
  var resets = ResetRate()
  /// Streams that were reset lately: what crosses a reset is no fault (RFC 9113, 5.1).
  var recentResets: [UInt32] = []
  var now = Timestamp(nanoseconds: 0)

  /// - Parameters:
  ///   - client: who is the client, where it is known; else the likelier one.
  ///   - joinedMidstream: bytes of before were not seen. Who is the client is then found out, and frame boundaries too.
  public init(limits: HTTP2Limits = HTTP2Limits(), client: HTTP2Side = .originator, joinedMidstream: Bool = false) {
    self.limits = limits
    self.client = client
    clientIsCertain = !joinedMidstream
    func decoder(_ side: HTTP2Side) -> HTTP2FrameDecoder {
      HTTP2FrameDecoder(
        limits: limits, expectsPreface: !joinedMidstream && side == client, joinedMidstream: joinedMidstream)
    }
    frames = [decoder(.originator), decoder(.responder)]
    let table = HPACKDecoder(limits: limits.hpack, joinedMidstream: joinedMidstream)
    hpack = [table, table]
    let peer = PeerState(isBroken: joinedMidstream)
    peers = [peer, peer]
    if clientIsCertain { tellSearches() }
  }

  /// The connection was upgraded from HTTP/1.1 (RFC 7540, 3.2): call it before the first byte of either side after the
  /// 101. The request is stream 1, half-closed; its answer comes as any other's.
  /// - Parameters:
  ///   - settings: the value of the HTTP2-Settings field.
  ///   - isHead: the request's method is HEAD.
  /// - Returns: stream 1's slot.
  public mutating func beginUpgraded(settings: some Collection<UInt8>, isHead: Bool, time: Timestamp) -> Int {
    now = time
    if let payload = Base64URL.decode(settings), payload.count % 6 == 0 {
      // A 101 acknowledges them (3.2.1).
      var given = peers[client.rawValue].settings
      payload.withUnsafeBytes { readSettings($0, into: &given, from: client) }
      putInForce(given, of: client)
    } else {
      tell(.h2SettingInvalid, stream: 0, from: client)
    }
    let slot = insert(1, from: client, state: .halfClosed(client))
    streams[slot][client].phase = .ended
    streams[slot].answersHead = isHead
    return slot
  }

  /// The next step, or nil when all of `bytes` is consumed and more is needed.
  ///
  /// Allocates for heads and trailers where ``parts`` has no room, and for nothing else that is usual.
  /// - Parameters:
  ///   - sender: who sent the bytes.
  ///   - bytes: borrowed until return; ranges in the step are indices into it.
  ///   - offset: where to go on, at most `bytes.count`; moved over what is consumed.
  ///   - time: of the packet that brought them.
  public mutating func step(
    from sender: HTTP2Side, in bytes: UnsafeRawBufferPointer, at offset: inout Int, time: Timestamp
  ) -> HTTP2Step? {
    if delivered < queue.count { return nextQueued() }
    while let frame = frames[sender.rawValue].nextEvent(in: bytes, at: &offset, time: time) {
      now = frames[sender.rawValue].time
      if let step = receive(frame, from: sender, bytes) { return step }
      if delivered < queue.count { return nextQueued() }
    }
    return nil
  }

  /// `length` bytes of `sender`'s stream are missing here. Pull all events before it.
  public mutating func gap(_ length: UInt64, from sender: HTTP2Side, time: Timestamp) {
    guard length > 0 else { return }
    now = time
    tellSearches()
    switch frames[sender.rawValue].gap(length) {
    case .insideData(let header, let count): loseData(count, of: header, from: sender)
    case .insideFrame(let header):
      // Blocks say themselves that they are lost.
      if header.type == .settings || header.type == .windowUpdate { peers[sender.rawValue].isBroken = true }
      if header.type == .headers || header.type == .pushPromise || header.type == .continuation {
        hpack[sender.rawValue].loseTable()
      }
    case .lost(let data, let count):
      if let data, count > 0 { loseData(count, of: data, from: sender) }
      loseFrames(from: sender)
    }
  }

  /// `sender`'s stream has ended, or was cut by a reset of the connection.
  public mutating func finish(_ sender: HTTP2Side, time: Timestamp) {
    now = time
    frames[sender.rawValue].finish()
  }

  /// Nothing more will come from either side: every stream is told as closed.
  public mutating func close(time: Timestamp) {
    now = time
    for slot in 0..<streams.capacity where streams.isOpen(slot) {
      close(slot, .connectionClosed, from: client)
    }
  }

  // MARK: What is known

  /// Where a sender's bytes went.
  public func counts(of sender: HTTP2Side) -> HTTP2ByteCounts { frames[sender.rawValue].counts }

  /// Bytes that were handed over and are not in ``counts(of:)`` yet.
  public func heldBytes(of sender: HTTP2Side) -> Int { frames[sender.rawValue].heldBytes }

  /// Frame boundaries of this sender are known.
  public func isLocked(_ sender: HTTP2Side) -> Bool { frames[sender.rawValue].isLocked }

  /// Streams that are followed now.
  public var openStreams: Int { streams.count }

  /// What `sender` holds its peer to, as far as acknowledged.
  public func settings(of sender: HTTP2Side) -> HTTP2Settings { peers[sender.rawValue].settings }

  /// Since when a sender cannot send on a stream because of flow control; nil where it can, or where windows are not
  /// known (frames were lost).
  /// - Parameter slot: of a stream that is followed.
  public func blocking(_ slot: Int, sender: HTTP2Side) -> HTTP2Blocking? {
    guard areWindowsKnown, slot < streams.capacity, streams.isOpen(slot) else { return nil }
    if let since = streams[slot][sender].blockedSince { return HTTP2Blocking(since: since, isOfConnection: false) }
    return peers[sender.rawValue].blockedSince.map { HTTP2Blocking(since: $0, isOfConnection: true) }
  }

  /// The header table of `sender` as known now.
  public func headerTable(of sender: HTTP2Side) -> HPACKTable { hpack[sender.rawValue].table }

  /// How much of ``headerTable(of:)`` is known.
  public func headerTableKnowledge(of sender: HTTP2Side) -> HPACKDecoder.TableKnowledge {
    hpack[sender.rawValue].knowledge
  }

  /// Fills what was never seen of a sender's header table from another connection's; see ``HPACKDecoder/assume(_:)``.
  public mutating func assumeHeaderTable(_ table: HPACKTable, of sender: HTTP2Side) {
    hpack[sender.rawValue].assume(table)
  }

  // MARK: The queue

  private mutating func nextQueued() -> HTTP2Step {
    let step = queue[delivered]
    delivered += 1
    if delivered == queue.count {
      queue.removeAll(keepingCapacity: true)
      delivered = 0
    }
    return step
  }

  @inline(__always)
  mutating func tell(_ content: HTTP2Step.Content, _ stream: UInt32, _ slot: Int, from sender: HTTP2Side) {
    queue.append(HTTP2Step(content: content, stream: stream, slot: slot, sender: sender, time: now))
  }

  mutating func tell(_ anomaly: Anomaly, stream: UInt32, from sender: HTTP2Side) {
    tell(.anomaly(anomaly), stream, stream == 0 ? -1 : streams.slot(of: stream), from: sender)
  }

  /// Tells the searches for frame boundaries what they may go by.
  mutating func tellSearches() {
    let highest = max(peers[0].highestStream, peers[1].highestStream)
    for side in HTTP2Side.allCases {
      frames[side.rawValue].highestStream = highest
      frames[side.rawValue].senderIsClient = clientIsCertain ? side == client : nil
    }
  }

  /// Nothing of either side is missing.
  var isWhole: Bool { !peers[0].isBroken && !peers[1].isBroken }
  var areWindowsKnown: Bool { isWhole }
}

/// RFC 9113, 6.8.
public struct HTTP2GoAway: Hashable, Sendable {
  /// The last stream that the sender of the frame took up.
  public var lastStream: UInt32
  /// Why.
  public var code: HTTP2ErrorCode
  /// Packet time of the frame.
  public var time: Timestamp
}

/// What is kept of one side beside its frames and header table.
struct PeerState: Sendable {
  /// What this side holds its peer to, acknowledged.
  var settings = HTTP2Settings()
  /// What it has sent and the peer has not acknowledged.
  var pendingSettings: [HTTP2Settings] = []
  /// Acknowledgements by the peer that came before the SETTINGS were seen.
  var earlyAcknowledgements = 0
  var sawFrame = false
  /// Bytes are missing, or the stream was joined in its middle.
  var isBroken: Bool
  /// The highest stream that this side began.
  var highestStream: UInt32 = 0
  /// Streams of it that are open.
  var openStreams = 0
  /// What this side may still send on the connection.
  var window: Int64 = 65_535
  var blockedSince: Timestamp?

  init(isBroken: Bool) { self.isBroken = isBroken }
}

/// Counts resets within a second of packet time.
struct ResetRate: Sendable {
  private var start = Timestamp(nanoseconds: 0)
  private var count = 0
  private var isTold = false

  /// True once, where there are too many.
  mutating func add(at time: Timestamp, limit: Int) -> Bool {
    let age = time.nanoseconds(since: start)
    if age < 0 || age > 1_000_000_000 {
      start = time
      count = 0
    }
    count += 1
    guard count > limit, !isTold else { return false }
    isTold = true
    return true
  }
}
