// One TLS connection, read from outside with the secrets that an end of it logged.
//
// In: the two TCP streams' bytes and gaps in order, packet times, a key log. Out: application data and findings, by
// `nextEvent()`. Owner: whoever owns the TCP connection, serial. Bounds: `TLSLimits`; at most `heldBytes` of ciphertext,
// one handshake message a direction, and the events until they are drained.
//
// Each direction is a queue of ciphertext with a reader of records at its head. The reader stops where it lacks something:
// the rest of a record, the other direction's hello, a secret. Whatever may have brought that moves both readers on.

public import HTTPModel

/// Decrypts TLS 1.2 (RFC 5246) and TLS 1.3 (RFC 8446) as a passive observer.
///
/// Nothing that the streams carry fails: what cannot be read is told as an event.
public struct TLSConnection: ~Copyable {
  /// May be changed at any time, for instance to share a total among connections; it holds from the next call on.
  public var limits: TLSLimits
  /// Bytes of ciphertext, headers included, that came to nothing so far: undecryptable, cut by gaps, or given up.
  public internal(set) var unreadBytes: UInt64 = 0
  /// Of records that were read, headers included; what was told of them is in ``plaintextBytes``.
  public internal(set) var recordBytes: UInt64 = 0
  /// Application data that was told.
  public internal(set) var plaintextBytes: UInt64 = 0

  let joinedMidstream: Bool
  /// The client's, then the server's. They stand outside, so that reading a record moves neither.
  private let directions: UnsafeMutablePointer<DirectionState>
  /// The handshakes of the connection: the first, and under TLS 1.2 renegotiations.
  var negotiations: [Negotiation] = []
  var events: [TLSEvent] = []
  var drained = 0
  var trials = 0
  /// The latest packet time that was told.
  var now = Timestamp(nanoseconds: .min)

  /// - Parameter joinedMidstream: the capture has no SYN of the connection; decides how a begin without a hello is told.
  public init(limits: TLSLimits = TLSLimits(), joinedMidstream: Bool = false) {
    self.limits = limits
    self.joinedMidstream = joinedMidstream
    directions = .allocate(capacity: 2)
    directions.initialize(repeating: DirectionState(), count: 2)
  }

  deinit {
    directions.deinitialize(count: 2)
    directions.deallocate()
  }

  /// What the first bytes of a direction look like; six decide.
  public static func recognise(_ bytes: UnsafeRawBufferPointer) -> TLSRecognition {
    if bytes.isEmpty { return .needsMore }
    guard (20...24).contains(bytes[0]) else { return .notTLS }
    if bytes.count > 1, bytes[1] != 3 { return .notTLS }
    if bytes.count > 2, bytes[2] > 4 { return .notTLS }
    guard bytes.count >= 6 else { return .needsMore }
    let length = Int(bytes[3]) << 8 | Int(bytes[4])
    guard length > 0, length <= RecordFrame.longestPayload else { return .notTLS }
    switch (bytes[0], bytes[5]) {
    case (22, 1): return .clientHello
    case (22, 2): return .serverHello
    default: return .laterRecord
    }
  }

  /// Takes the next bytes of a direction: they follow those, or the gap, of the call before. Behind its end there are none:
  /// such are counted as unread.
  ///
  /// - Parameters:
  ///   - bytes: borrowed until return.
  ///   - offset: their place in the direction's TCP stream; comes back with the plaintext.
  ///   - acknowledged: how much of the opposite stream the sender had received; comes back too.
  ///   - time: packet time. What goes backwards is taken as no time passed.
  public mutating func receive(
    _ bytes: UnsafeRawBufferPointer, from side: TLSSide, offset: UInt64, acknowledged: UInt64?, time: Timestamp,
    keys: borrowing KeyLog
  ) {
    guard !bytes.isEmpty else { return }
    advance(to: time)
    guard self[side].isReadable, !self[side].ended else { return countUnread(bytes.count) }
    let arrival = Arrival(offset: offset, acknowledged: acknowledged, time: time)
    var read = 0
    if self[side].held.isEmpty { read = readInPlace(bytes, from: side, arrival, keys: keys) }
    guard self[side].isReadable else { return countUnread(bytes.count - read) }
    if read < bytes.count {
      self[side].held.append(
        UnsafeRawBufferPointer(rebasing: bytes[read...]), arrival.moved(by: read))
    }
    readHeld(keys: keys)
    keepToLimit(keys: keys)
  }

  /// Tells that `length` bytes of a direction will not come.
  public mutating func gap(_ length: UInt64, from side: TLSSide, time: Timestamp, keys: borrowing KeyLog) {
    advance(to: time)
    guard length > 0, self[side].isReadable, !self[side].ended else { return }
    self[side].held.appendGap(length)
    readHeld(keys: keys)
    keepToLimit(keys: keys)
  }

  /// Tells that a direction's TCP stream ended, by FIN or reset.
  public mutating func end(_ side: TLSSide, time: Timestamp, keys: borrowing KeyLog) {
    advance(to: time)
    guard !self[side].ended else { return }
    self[side].ended = true
    self[side].endTime = time
    readHeld(keys: keys)
  }

  /// Goes on where the key log may have grown or time has passed: decrypts what can be, gives up what waited too long.
  /// Cheap where nothing waits.
  public mutating func retry(keys: borrowing KeyLog, time: Timestamp) {
    readHeld(keys: keys)
    advance(to: time)
    // What waited for a direction that was given up now.
    readHeld(keys: keys)
  }

  /// Tells that nothing more will come, no secret either; what is still held is given up.
  public mutating func close(time: Timestamp, keys: borrowing KeyLog) {
    readHeld(keys: keys)
    advance(to: time)
    for side in [TLSSide.client, .server] where !self[side].ended {
      self[side].ended = true
      self[side].endTime = time
    }
    readHeld(keys: keys)
    abandonBlocked(since: .max)
    readHeld(keys: keys)
    abandonBlocked(since: .max)
  }

  /// Gives the connection up and forgets what is held: for a caller whose own total is exceeded.
  public mutating func abandon() { giveUp(nil, .holdLimit) }

  /// The next event in order, nil when all were handed over.
  public mutating func nextEvent() -> TLSEvent? {
    guard drained < events.count else { return nil }
    // The event leaves its place, so that the plaintext has one owner.
    var event = TLSEvent.gap(.client, time: now)
    swap(&event, &events[drained])
    drained += 1
    if drained == events.count {
      events.removeAll(keepingCapacity: drained <= 64)
      drained = 0
    }
    return event
  }

  /// What the two ends agreed on, once the ServerHello was seen. The suite is `0x....` where it has no name here; the
  /// application protocol of TLS 1.3 is known once EncryptedExtensions was decrypted.
  public var facts: TLSFacts? { negotiations.first?.facts }

  /// The name that the client asked for, once the ClientHello was seen.
  public var serverName: String? { negotiations.first?.hello.serverName }

  /// The random that the key log names the connection by, 32 bytes.
  public var clientRandom: [UInt8]? { negotiations.first?.hello.random }

  public var state: TLSState {
    switch (client.reader, server.reader) {
    case (.dead(let reason), .dead): .unreadable(reason)
    case (.blocked(.secrets, _), _), (_, .blocked(.secrets, _)): .waitingForSecrets
    default: negotiations.first?.answer == nil ? .handshake : .open
    }
  }

  /// Something is waited for, a secret or the other direction: ``retry(keys:time:)`` may have something to do.
  public var isBlocked: Bool {
    if case .blocked = client.reader { return true }
    if case .blocked = server.reader { return true }
    return false
  }

  /// Ciphertext that waits, in bytes of the streams: with ``recordBytes`` and ``unreadBytes`` all that was handed over.
  public var heldCiphertext: Int { client.held.count + server.held.count }

  /// Memory that waiting ciphertext takes, in bytes.
  public var heldBytes: Int { client.held.footprint + server.held.footprint }

  subscript(side: TLSSide) -> DirectionState {
    @inline(__always) unsafeAddress { UnsafePointer(directions + Int(side.rawValue)) }
    @inline(__always) nonmutating unsafeMutableAddress { directions + Int(side.rawValue) }
  }

  var client: DirectionState {
    @inline(__always) unsafeAddress { UnsafePointer(directions) }
    @inline(__always) nonmutating unsafeMutableAddress { directions }
  }

  var server: DirectionState {
    @inline(__always) unsafeAddress { UnsafePointer(directions + 1) }
    @inline(__always) nonmutating unsafeMutableAddress { directions + 1 }
  }
}
