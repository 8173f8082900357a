/// Names an exchange within a session: the connection's number and the exchange's place on it.
///
/// The same capture read twice gives the same names.
public struct ExchangeID: Hashable, Comparable, Sendable, CustomStringConvertible, LosslessStringConvertible {
  /// Connections are numbered from 1 in the order in which they were first seen.
  public var connection: UInt32
  /// Exchanges of a connection are numbered from 1.
  public var ordinal: UInt32

  @inlinable
  public init(connection: UInt32, ordinal: UInt32) {
    self.connection = connection
    self.ordinal = ordinal
  }

  /// `7-3`: the third exchange of connection 7.
  public init?(_ description: String) {
    let parts = description.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let connection = UInt32(parts[0]), let ordinal = UInt32(parts[1]) else { return nil }
    self.init(connection: connection, ordinal: ordinal)
  }

  /// `7-3`: the third exchange of connection 7.
  public var description: String { "\(connection)-\(ordinal)" }

  @inlinable
  public static func < (a: ExchangeID, b: ExchangeID) -> Bool {
    (a.connection, a.ordinal) < (b.connection, b.ordinal)
  }
}

/// A request and the response that answers it; at least one of the two.
public struct Exchange: Hashable, Sendable {
  /// Its name within the session.
  public var id: ExchangeID
  /// Who opened the connection.
  public var client: TransportAddress
  /// Who answers.
  public var server: TransportAddress
  /// Decrypted from TLS.
  public var isTLS: Bool
  /// HTTP/2's stream; nil in HTTP/1.
  public var stream: UInt32?
  /// Nil where none was seen.
  public var request: HTTPRequest?
  /// The final response; nil where none was seen.
  public var response: HTTPResponse?
  /// What was odd about it.
  public var anomalies: AnomalySet
  /// Nil where there is nothing to say of it beyond its ends.
  public var connection: ConnectionFacts?
  var detailsBox: DetailsBox?

  public init(
    id: ExchangeID, client: TransportAddress, server: TransportAddress, isTLS: Bool = false, stream: UInt32? = nil,
    request: HTTPRequest? = nil, response: HTTPResponse? = nil, anomalies: AnomalySet = AnomalySet()
  ) {
    self.id = id
    self.client = client
    self.server = server
    self.isTLS = isTLS
    self.stream = stream
    self.request = request
    self.response = response
    self.anomalies = anomalies
    connection = nil
    detailsBox = nil
  }

  /// Without messages: a place to be filled.
  public init() {
    let nowhere = TransportAddress(address: IPAddress(v4: 0), port: 0)
    self.init(id: ExchangeID(connection: 0, ordinal: 0), client: nowhere, server: nowhere)
  }

  /// When the request began, or the response where no request was seen. The session's order.
  public var start: Timestamp { request?.timing.start ?? response?.timing.start ?? Timestamp(nanoseconds: 0) }

  /// When the last byte of either was seen.
  public var end: Timestamp {
    max(request?.timing.end ?? start, response?.timing.end ?? start)
  }

  /// Both messages are there, and of their bodies every byte was seen.
  public var isWhole: Bool {
    guard let request, let response else { return false }
    return request.body.isWhole && response.body.isWhole
  }

  /// The request's, or the response's where there is no request.
  public var version: HTTPVersion { request?.version ?? response?.version ?? .http11 }
}
