// Names a direction of a TLS connection by its sender. A value; nothing else.

/// One of the two ends of a TLS connection, as the sender of bytes.
public enum TLSSide: UInt8, Hashable, Sendable {
  /// The end that sends the ClientHello.
  case client = 0
  /// The end that answers with the ServerHello.
  case server = 1

  /// The other end.
  @inlinable public var other: TLSSide { self == .client ? .server : .client }
}
