// What decryption tells the layer above.
// In: nothing. Out: values that `TLSConnection.nextEvent()` hands over. Owner: whoever drains. Bounds: one record each.

public import HTTPModel

/// Something that a TLS connection carried, or what became of it.
public enum TLSEvent: Hashable, Sendable {
  /// Application data of one record, in the order of its direction; never empty, at most 16,384 bytes unless the peers
  /// broke the rule. `offset` is the place of the record's first byte of ciphertext in its direction's TCP stream.
  /// `acknowledged` is what came with that byte: how much of the opposite TCP stream its sender had received. `time` is that
  /// of the record's last byte, before which no receiver could read it.
  case plaintext(TLSSide, [UInt8], offset: UInt64, acknowledged: UInt64?, time: Timestamp)
  /// An unknown amount of application data of this direction is missing here.
  case gap(TLSSide, time: Timestamp)
  /// The sender's close_notify: it sends no more.
  case closed(TLSSide, time: Timestamp)
  /// Any other alert. RFC 8446 section 6.
  case alert(TLSSide, level: UInt8, description: UInt8)
  case anomaly(Anomaly)
  /// The TCP end that ``TLSConnection/end(_:time:keys:)`` was told of, in its place behind what came before it.
  case ended(TLSSide, time: Timestamp)
  /// What is held and what follows will not be read: of one direction, or of both where the side is nil. Told at most once
  /// for each direction.
  case unreadable(TLSSide?, TLSUnreadable, serverName: String?)
}

/// Why a connection, or one direction of it, is not read.
public enum TLSUnreadable: Hashable, Sendable {
  /// The key log has none of its secrets, or not those of this direction, and the wait is over.
  case noSecrets
  /// More ciphertext waited for secrets than the limit allows.
  case holdLimit
  /// The secrets are those of another connection, or the records were damaged.
  case badRecordMAC
  /// Its handshake was before the capture.
  case joinedInMidConnection
  /// A part of the handshake that the keys depend on was not captured.
  case handshakeLost
  /// The records or the handshake keep to no rule.
  case malformed
  /// After a gap no record number within the limits fitted.
  case recordNumberLost
  /// A version that is not read: `SSLv3`, `TLSv1.0`, `TLSv1.1`, a draft of TLS 1.3.
  case version(String)
  /// A cipher suite that is not read, by its IANA name, or `0x....` where it has none here.
  case suite(String)

  /// A short name that does not change, for the ledger and for scripts: `no-secrets`, `version`, `suite`.
  public var identifier: String {
    switch self {
    case .noSecrets: "no-secrets"
    case .holdLimit: "hold-limit"
    case .badRecordMAC: "bad-record-mac"
    case .joinedInMidConnection: "joined-in-mid-connection"
    case .handshakeLost: "handshake-lost"
    case .malformed: "malformed"
    case .recordNumberLost: "record-number-lost"
    case .version: "version"
    case .suite: "suite"
    }
  }
}

/// What the first bytes of one direction look like.
public enum TLSRecognition: Hashable, Sendable {
  /// The client's direction of a connection from its begin.
  case clientHello
  /// The server's direction of a connection from its begin.
  case serverHello
  /// A record of a later moment: the capture joined in mid-connection, or the server refused with an alert.
  case laterRecord
  /// So far as it goes it could be a record: ask again with six bytes.
  case needsMore
  case notTLS
}

/// How far a connection has got.
public enum TLSState: Hashable, Sendable {
  /// ClientHello and ServerHello have not both been read.
  case handshake
  /// Ciphertext is held; the key log lacks what would open it.
  case waitingForSecrets
  /// At least one direction is being decrypted and none waits.
  case open
  case unreadable(TLSUnreadable)
}
