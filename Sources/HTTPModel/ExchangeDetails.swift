// What only some exchanges have, apart from the exchange so that the many without it stay small.

/// A stream that was ended before its time (RFC 9113, 6.4).
public struct StreamReset: Hashable, Sendable {
  /// The error code as sent (RFC 9113, 7).
  public var code: UInt32
  /// Who gave the stream up.
  public var byClient: Bool

  @inlinable
  public init(code: UInt32, byClient: Bool) {
    self.code = code
    self.byClient = byClient
  }
}

/// A header or trailer field of which a part was never seen: it stands in a compression table that was filled before
/// the capture began, or in a gap. In the message that part is empty.
public struct UnresolvedField: Hashable, Sendable {
  /// Which of an exchange's field sections. The raw value is what a session file stores.
  public enum Section: UInt8, CaseIterable, Sendable {
    case request = 0
    case response = 1
    case requestTrailers = 2
    case responseTrailers = 3
  }

  /// Which field section it stands in.
  public var section: Section
  /// Index of the field in its section.
  public var field: UInt32
  /// Its name is not known either.
  public var isNameUnknown: Bool
  /// It was filled in from another connection's table: likely, and not certain.
  public var isAssumed: Bool

  @inlinable
  public init(section: Section, field: UInt32, isNameUnknown: Bool, isAssumed: Bool) {
    self.section = section
    self.field = field
    self.isNameUnknown = isNameUnknown
    self.isAssumed = isAssumed
  }
}

/// What an exchange has beyond two messages.
public struct ExchangeDetails: Hashable, Sendable {
  /// Nil where the stream ended by itself.
  public var reset: StreamReset?
  /// The stream by which the server promised this one (RFC 9113, 8.4): the client never asked for it.
  public var promisedBy: UInt32?
  /// Fields of which a part was never seen.
  public var unresolved: [UnresolvedField] = []
  /// The messages of a gRPC call or a WebSocket; nil where it is neither.
  public var messages: StreamMessages?

  @inlinable public init() {}

  /// There is nothing to say.
  public var isEmpty: Bool { reset == nil && promisedBy == nil && unresolved.isEmpty && messages == nil }
}

/// What is known of the connection that an exchange came over; one for all exchanges of a connection.
public final class ConnectionFacts: Hashable, Sendable {
  /// The tunnels and virtual networks around it, from the outside in: `vlan 42/vxlan 5001`. Empty where there were none.
  public let encapsulation: String
  /// Nil where it was not encrypted.
  public let tls: TLSFacts?

  public init(encapsulation: String = "", tls: TLSFacts? = nil) {
    self.encapsulation = encapsulation
    self.tls = tls
  }

  public static func == (a: ConnectionFacts, b: ConnectionFacts) -> Bool {
    a === b || a.encapsulation == b.encapsulation && a.tls == b.tls
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(encapsulation)
    hasher.combine(tls)
  }
}

/// What a TLS handshake agreed on.
public struct TLSFacts: Hashable, Sendable {
  /// As in `TLSv1.3`.
  public var version: String
  /// The suite's name in IANA's registry.
  public var suite: String
  /// The server name that the client asked for (RFC 6066, 3); nil where it named none.
  public var serverName: String?
  /// The application protocol (RFC 7301); nil where none was negotiated.
  public var applicationProtocol: String?

  public init(version: String, suite: String, serverName: String? = nil, applicationProtocol: String? = nil) {
    self.version = version
    self.suite = suite
    self.serverName = serverName
    self.applicationProtocol = applicationProtocol
  }
}

/// Where ``ExchangeDetails`` stand: nothing where there are none.
///
/// `@unchecked Sendable`: changed only by who holds the one reference to it.
@usableFromInline
final class DetailsBox: @unchecked Sendable, Hashable {
  @usableFromInline var details: ExchangeDetails

  @usableFromInline
  init(_ details: ExchangeDetails) { self.details = details }

  @usableFromInline
  static func == (a: DetailsBox, b: DetailsBox) -> Bool { a === b || a.details == b.details }

  @usableFromInline
  func hash(into hasher: inout Hasher) { hasher.combine(details) }
}

extension Exchange {
  /// What it has beyond its messages; empty for most.
  public var details: ExchangeDetails {
    get { detailsBox?.details ?? ExchangeDetails() }
    set { detailsBox = newValue.isEmpty ? nil : DetailsBox(newValue) }
    _modify {
      if detailsBox == nil {
        detailsBox = DetailsBox(ExchangeDetails())
      } else if !isKnownUniquelyReferenced(&detailsBox) {
        detailsBox = DetailsBox(detailsBox!.details)
      }
      defer { if detailsBox!.details.isEmpty { detailsBox = nil } }
      yield &detailsBox!.details
    }
  }

  /// ``details`` has something to say.
  public var hasDetails: Bool { detailsBox != nil }
}
