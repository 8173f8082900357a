public import HTTP2Decoding
public import TLSDecryption

/// What bounds the assembly of exchanges, and what it is told beforehand.
public struct AssemblyLimits: Sendable {
  /// Bytes of a body that are kept; the rest is counted and hashed.
  public var bodyBytes: Int
  /// Bytes of unfinished bodies over all connections; beyond it no more body bytes are kept.
  public var heldBytes: Int
  /// Requests of one connection that may wait for an answer; beyond it the oldest is told as unanswered.
  public var pendingRequests: Int
  /// Of each HTTP/2 connection.
  public var http2 = HTTP2Limits()
  /// Of each TLS connection.
  public var tls = TLSLimits()
  /// TLS is read with secrets that are handed in; without it such connections are counted as not readable at once.
  public var readsTLS = false
  /// Requests are told as soon as they are whole, by ``WireDecoder/takeRequests()``, and again with their exchange.
  public var tellsRequests = false
  /// What was never seen of an HTTP/2 connection's header tables is taken from another connection between the same two
  /// hosts; fields that come from there are marked.
  public var assumesHeaderTables = false

  /// Ports that are known to be servers': they tell client from server where neither handshake nor content does.
  public var serverPorts: [ClosedRange<UInt16>]

  public init(
    bodyBytes: Int = 10_000_000, heldBytes: Int = 128 << 20, pendingRequests: Int = 1024,
    serverPorts: [ClosedRange<UInt16>] = []
  ) {
    self.bodyBytes = bodyBytes
    self.heldBytes = heldBytes
    self.pendingRequests = pendingRequests
    self.serverPorts = serverPorts
  }

  func isServerPort(_ port: UInt16) -> Bool { serverPorts.contains { $0.contains(port) } }
}
