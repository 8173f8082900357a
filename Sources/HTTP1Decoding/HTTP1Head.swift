public import HTTPModel

/// The start line and header section of a message, with what they say about the rest of it.
public struct HTTP1Head: Sendable {
  /// A request line or a status line (RFC 9112, 3 and 4).
  public enum StartLine: Hashable, Sendable {
    /// Ranges into `fields.storage`.
    case request(method: Range<UInt32>, target: Range<UInt32>)
    /// `status` is 0...999; the reason may be empty.
    case response(status: UInt16, reason: Range<UInt32>)
  }

  /// Ranges into the storage of ``fields``.
  public var startLine = StartLine.request(method: 0..<0, target: 0..<0)
  /// The nearest version that has a name; another one on the wire is the anomaly `http1.version-unknown`.
  public var version = HTTPVersion.http11
  /// Storage: the head exactly as on the wire, from the start line to the final empty line.
  public var fields = HeaderFields()
  /// How the body that follows is delimited (RFC 9112, 6.3).
  public var framing = BodyFraming.none
  /// What Content-Length says, where it is valid, also where it does not delimit (a response to HEAD).
  public var contentLength: UInt64?
  /// The sender will not use the connection after this message (RFC 9112, 9.3 and 9.6).
  public var closesConnection = false
  /// Of a request: it asks for another protocol (Upgrade, or CONNECT). Of a response: the protocol changes after it.
  public var switchesProtocol = false
  /// Of a request: `Expect: 100-continue`.
  public var expectsContinue = false
  /// What of the head the RFC does not allow.
  public var anomalies = AnomalySet()
  /// What the response to this request must know of it; of a response `.other`.
  public var answered = AnsweredMethod.other

  /// A place for a head to be read into.
  public init() {}

  /// A response's status; nil for a request.
  @inlinable public var status: UInt16? {
    guard case .response(let status, _) = startLine else { return nil }
    return status
  }

  /// An interim response, other than 101 (RFC 9110, 15.2): the final one is still to come.
  @inlinable public var isInterim: Bool {
    guard let status else { return false }
    return status >= 100 && status < 200 && status != 101
  }

  /// A request's method; empty for a response.
  public var method: ArraySlice<UInt8> {
    guard case .request(let method, _) = startLine else { return [] }
    return fields.storage[Int(method.lowerBound)..<Int(method.upperBound)]
  }

  /// The request that this head begins, its body empty so far; nil for a response's head. Storage is moved.
  public consuming func request(timing: MessageTiming) -> HTTPRequest? {
    guard case .request(let method, let target) = startLine else { return nil }
    return HTTPRequest(
      version: version, methodRange: method, targetRange: target, fields: fields,
      body: HTTPBody(framing: framing), timing: timing)
  }

  /// The response that this head begins, its body empty so far; nil for a request's head. Storage is moved.
  public consuming func response(timing: MessageTiming) -> HTTPResponse? {
    guard case .response(let status, let reason) = startLine else { return nil }
    return HTTPResponse(
      version: version, status: status, reasonRange: reason, fields: fields,
      body: HTTPBody(framing: framing), timing: timing)
  }

  /// The same, in the memory of another response where there is one, whose fields the head is left with.
  /// - Parameter response: takes the place of that other one; nil for a request's head.
  public mutating func moveResponse(timing: MessageTiming, into response: inout HTTPResponse?) {
    guard response != nil, case .response(let status, let reason) = startLine else {
      var moved = HTTP1Head()
      swap(&self, &moved)
      response = moved.response(timing: timing)
      return
    }
    response!.reuse(version: version, status: status, reasonRange: reason, framing: framing, timing: timing)
    swap(&response!.fields, &fields)
  }
}
