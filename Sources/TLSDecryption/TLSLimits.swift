// What a connection may hold and try while it is read.
// In: the caller's choice. Out: bounds that `TLSConnection` keeps. Owner: the connection. Bounds: all of it is.

/// Bounds of one ``TLSConnection``.
public struct TLSLimits: Hashable, Sendable {
  /// Ciphertext that one connection holds while it waits for secrets, in bytes; more and the connection is given up.
  /// A record that is not complete yet counts, so a value below 20,000 lets long records through only in part.
  public var heldBytes: Int
  /// How long ciphertext waits for its secrets, in nanoseconds of packet time.
  public var waitNanoseconds: Int64
  /// The longest handshake message whose content is looked at, in bytes; longer ones are passed over.
  public var handshakeMessageBytes: Int
  /// Record numbers tried against the tag of one record after a gap.
  public var trialsPerRecord: Int
  /// Record numbers tried in the life of a connection; after that a direction with a gap is given up.
  public var trialsPerConnection: Int
  /// Early data that the server may have refused, in bytes of ciphertext, skipped in search of the handshake.
  public var skippedEarlyDataBytes: Int

  public init(
    heldBytes: Int = 4 << 20, waitNanoseconds: Int64 = 30_000_000_000, handshakeMessageBytes: Int = 1 << 17,
    trialsPerRecord: Int = 4096, trialsPerConnection: Int = 1 << 16, skippedEarlyDataBytes: Int = 1 << 20
  ) {
    self.heldBytes = heldBytes
    self.waitNanoseconds = waitNanoseconds
    self.handshakeMessageBytes = handshakeMessageBytes
    self.trialsPerRecord = trialsPerRecord
    self.trialsPerConnection = trialsPerConnection
    self.skippedEarlyDataBytes = skippedEarlyDataBytes
  }
}
