// Purpose: what a header block says once it is read as a message (RFC 9113, 8.2 and 8.3).
// Input -> output: made by HTTP2Connection+Heads.swift -> the shared nouns. Owner: whoever got the event.

public import HTTPModel

/// A request's or response's head.
public struct HTTP2Head: Sendable {
  /// Fields without the pseudo-header fields. Its storage holds those too: the ranges below point into it.
  public var fields = HeaderFields()
  /// Of a request; empty where absent or not known.
  public var method: Range<UInt32> = 0..<0
  /// Of a request; nil where there is none.
  public var scheme: Range<UInt32>?
  /// Of a request; nil where there is none.
  public var authority: Range<UInt32>?
  /// Of a request; nil where there is none.
  public var path: Range<UInt32>?
  /// `:protocol` of an extended CONNECT (RFC 8441).
  public var `protocol`: Range<UInt32>?
  /// Of a response; nil for a request, and where it stands in a table entry that was never seen.
  public var status: UInt16?
  /// False of a response.
  public var isRequest = true
  /// END_STREAM came with it: the message has no body. ``HTTP2Event/Content/end(_:)`` is told all the same.
  public var endsStream = false
  /// What Content-Length says, where it is valid.
  public var contentLength: UInt64?
  /// Packet time of the first byte of its frame.
  public var start = Timestamp(nanoseconds: 0)
  /// What of it the RFC does not allow.
  public var anomalies = AnomalySet()
  /// One for each of ``fields``; empty where no field has a mark.
  public var marks: [HPACKFieldMarks] = []
  /// Of fields whose name or value was never seen: for ``HPACKTable``. Indices are those of ``fields``.
  public var unresolved: [HPACKUnresolvedReference] = []
  /// Pseudo-header fields that were sent and whose value, or whose name too, was never seen. An absent
  /// ``authority``, ``path``, ``scheme`` or ``method`` may be among them.
  public var unresolvedPseudoFields: [HPACKUnresolvedReference] = []

  public init() {}

  var hasMarks: Bool { !marks.isEmpty || !unresolved.isEmpty || !unresolvedPseudoFields.isEmpty }

  mutating func forgetMarks() {
    marks = []
    unresolved = []
    unresolvedPseudoFields = []
  }

  /// Method and what it is applied to are known, so that the request can be sent again.
  public var isResolved: Bool {
    guard isRequest else { return status != nil }
    return !method.isEmpty && (path != nil || isConnect) && authority != nil
  }

  /// An interim response (RFC 9110, 15.2).
  public var isInterim: Bool { status.map { $0 >= 100 && $0 < 200 } ?? false }

  /// The method is CONNECT.
  public var isConnect: Bool { bytes(method).elementsEqual("CONNECT".utf8) }

  /// The bytes of one of the ranges above.
  public func bytes(_ range: Range<UInt32>) -> ArraySlice<UInt8> {
    fields.storage[Int(range.lowerBound)..<Int(range.upperBound)]
  }

  /// The request target in HTTP/1's terms: the path, or the authority of a CONNECT.
  public var target: Range<UInt32> { path ?? (isConnect ? authority : nil) ?? 0..<0 }

  /// The request that this head begins, its body empty so far; nil for a response's head. Storage is moved. Scheme and
  /// authority have no place in it: take them from here.
  public consuming func request(timing: MessageTiming) -> HTTPRequest? {
    guard isRequest else { return nil }
    let (method, target) = (method, target)
    return HTTPRequest(
      version: .http2, methodRange: method, targetRange: target, fields: fields,
      body: HTTPBody(framing: endsStream ? .none : .stream), timing: timing)
  }

  /// The response that this head begins, its body empty so far; nil for a request's head. Status 0 where it is not
  /// known. Storage is moved.
  public consuming func response(timing: MessageTiming) -> HTTPResponse? {
    guard !isRequest else { return nil }
    return HTTPResponse(
      version: .http2, status: status ?? 0, reasonRange: 0..<0, fields: fields,
      body: HTTPBody(framing: endsStream ? .none : .stream), timing: timing)
  }
}

/// A trailer section (RFC 9113, 8.1).
public struct HTTP2Trailers: Sendable {
  /// In the order in which they were sent.
  public var fields = HeaderFields()
  /// What of it the RFC does not allow.
  public var anomalies = AnomalySet()
  /// One for each of ``fields``; empty where no field has a mark.
  public var marks: [HPACKFieldMarks] = []
  /// Of fields whose name or value was never seen.
  public var unresolved: [HPACKUnresolvedReference] = []

  public init() {}
}
