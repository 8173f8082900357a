// How far one direction of a connection has been read.
//
// In and out: nothing of its own; `TLSConnection` moves it. Owner: `TLSConnection`. Bounds: one handshake message.

import HTTPModel

/// Which keys protect the records of a direction.
enum Epoch: Hashable {
  case plaintext
  /// TLS 1.3: CLIENT_EARLY_TRAFFIC_SECRET.
  case early
  /// TLS 1.3: the handshake traffic secret.
  case handshake
  /// TLS 1.3: the application traffic secret, in whichever generation.
  case application
  /// TLS 1.2, after the ChangeCipherSpec of the negotiation with this index.
  case changed(Int)
}

/// What a reader of records stops for.
enum Obstacle: Hashable {
  case secrets
  /// The opposite direction has to be read first.
  case peer
  /// What the opposite direction sent before waits for secrets: no answer is told before its request.
  case order
}

enum ReaderState: Hashable {
  case reading
  case blocked(Obstacle, since: Timestamp)
  case dead(TLSUnreadable)
}

/// What is known of a hole in a direction while its next record's number is unknown.
struct LostPlace {
  /// Ciphertext that was not read since the last record that was, in bytes.
  var bytes: UInt64
}

struct DirectionState {
  var held = HeldCiphertext()
  var reader = ReaderState.reading
  var epoch = Epoch.plaintext
  /// nil where the epoch has none, or it was not made yet.
  var protection: RecordProtection?
  /// Of the next record in its epoch.
  var sequence: UInt64 = 0
  var handshake = HandshakeStream()
  /// The handshake stream has a hole: its messages are passed over until the epoch ends.
  var handshakeIsCut = false
  /// Set from a gap to the next record that opens.
  var lost: LostPlace?
  /// Records that do not open are passed over, silently: the early data that the server refused, or the handshake where
  /// only the application secret is known. Counts their bytes.
  var skipped: Int?
  var badInARow = 0
  var hasOpened = false
  var hasRecord = false
  var closeNotified = false
  var ended = false
  var endTime = Timestamp(nanoseconds: .min)
  var endTold = false

  var isReadable: Bool {
    if case .dead = reader { return false }
    return true
  }

  /// Something is held, or the end is still to be told.
  var hasWork: Bool { !held.isEmpty || ended && !endTold }

  mutating func enter(_ epoch: Epoch, _ protection: RecordProtection? = nil) {
    self.epoch = epoch
    self.protection = protection
    sequence = 0
    handshakeIsCut = false
    handshake = HandshakeStream()
  }
}
