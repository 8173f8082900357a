/// How an attempt to send a request to a target ended. The raw value is stored in run files and never reused.
public enum AttemptOutcome: UInt8, CaseIterable, Sendable {
  /// A whole response came.
  case answered = 0
  case connectionRefused = 1
  case connectTimeout = 2
  /// The response was not whole when the time was up.
  case timeout = 3
  case connectionReset = 4
  /// The target closed before the response was whole.
  case closedEarly = 5
  /// What came was not HTTP.
  case malformedResponse = 6
  case nameNotResolved = 7
  case connectFailed = 8
  /// The run was ended before an answer came.
  case interrupted = 9
  /// No authority that is trusted here has signed the target's certificate, or its time is over.
  case certificateUntrusted = 10
  /// The target's certificate is for other names.
  case certificateNameMismatch = 11
  /// TLS was not agreed on for another reason.
  case tlsHandshakeFailed = 12
  /// TLS agreed, and not on the application protocol that was asked for (RFC 7301).
  case protocolNotAgreed = 13
  /// The target speaks TLS where plain HTTP was sent.
  case targetSpeaksTLS = 14
  /// The target does not speak TLS where TLS was asked for.
  case targetSpeaksPlain = 15
  /// The target gave up the stream (RFC 9113, 6.4).
  case streamReset = 16
  /// Given up by the client at the moment at which the recorded client had given it up.
  case cancelled = 17
  /// Never sent: what it needs of another request's answer did not come.
  case blocked = 18

  /// The stable name.
  public var identifier: String {
    switch self {
    case .answered: "answered"
    case .connectionRefused: "connection-refused"
    case .connectTimeout: "connect-timeout"
    case .timeout: "timeout"
    case .connectionReset: "connection-reset"
    case .closedEarly: "closed-early"
    case .malformedResponse: "malformed-response"
    case .nameNotResolved: "name-not-resolved"
    case .connectFailed: "connect-failed"
    case .interrupted: "interrupted"
    case .certificateUntrusted: "certificate-untrusted"
    case .certificateNameMismatch: "certificate-name-mismatch"
    case .tlsHandshakeFailed: "tls-handshake-failed"
    case .protocolNotAgreed: "protocol-not-agreed"
    case .targetSpeaksTLS: "target-speaks-tls"
    case .targetSpeaksPlain: "target-speaks-plain"
    case .streamReset: "stream-reset"
    case .cancelled: "cancelled"
    case .blocked: "blocked"
    }
  }
}

/// Whom an attempt asked. The raw value is stored in run files and never reused.
public enum AttemptRole: UInt8, CaseIterable, Sendable {
  /// What is judged.
  case shadow = 0
  /// The live primary: its answer, not the recorded one, is what the others are held against.
  case primary = 1
  /// A second instance of the primary: what differs between the two is noise.
  case control = 2

  /// The stable name.
  public var identifier: String {
    switch self {
    case .shadow: "shadow"
    case .primary: "primary"
    case .control: "control"
    }
  }
}

/// One request sent to one target, and what came of it.
///
/// All times are on one clock: monotonic, shifted once to the epoch at the run's start.
public struct Attempt: Hashable, Sendable {
  /// The recorded exchange that was sent again.
  public var exchange: ExchangeID
  /// Which round through the session, from 0.
  public var round: UInt32
  /// Index into the run's targets; 0 for the primary and the control, of which there is one each.
  public var target: UInt16
  /// Whom it was sent to.
  public var role: AttemptRole
  /// When the schedule wanted it sent. Lateness is ``sent`` minus this.
  public var scheduled: Timestamp
  /// When its first byte was handed to the kernel; nil where no connection was made.
  public var sent: Timestamp?
  /// Of the answer; nil where none came.
  public var firstByte: Timestamp?
  /// The answer's last byte, or when it was given up.
  public var end: Timestamp
  /// What came of it.
  public var outcome: AttemptOutcome
  /// As far as it came; its body is cut at the run's body limit.
  public var response: HTTPResponse?

  public init(
    exchange: ExchangeID, round: UInt32 = 0, target: UInt16 = 0, role: AttemptRole = .shadow, scheduled: Timestamp,
    sent: Timestamp?, firstByte: Timestamp?, end: Timestamp, outcome: AttemptOutcome, response: HTTPResponse?
  ) {
    self.exchange = exchange
    self.round = round
    self.target = target
    self.role = role
    self.scheduled = scheduled
    self.sent = sent
    self.firstByte = firstByte
    self.end = end
    self.outcome = outcome
    self.response = response
  }
}

/// A recorded exchange and what came of sending its request again: one attempt for each target that was asked.
///
/// Attempts of one ``Attempt/round`` belong together: the shadow's are held against the primary's where there is one,
/// and so is the control's.
///
/// The unit of a run file. Comparing is done from it, at the end of a run or again later under other rules.
public struct ReplayedExchange: Hashable, Sendable {
  /// What was recorded.
  public var exchange: Exchange
  /// What came of sending it again, by role.
  public var attempts: [Attempt]

  public init(exchange: Exchange, attempts: [Attempt]) {
    self.exchange = exchange
    self.attempts = attempts
  }

  /// When the last of its attempts ended; nil where there is none.
  public var end: Timestamp? {
    var latest: Timestamp?
    for index in attempts.indices { latest = max(latest ?? attempts[index].end, attempts[index].end) }
    return latest
  }
}
