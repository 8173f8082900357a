// What an HTTP/2 stream brings, put into the exchange that it is.

import HTTP2Decoding
import HTTPModel
import MessageFraming

extension PendingExchange {
  /// - Parameter head: a request's; given other memory in exchange for its fields.
  mutating func beginRequest(_ head: inout HTTP2Head, timing: MessageTiming, limit: Int) {
    let pseudoFields = head.pseudoFields
    exchange.anomalies.formUnion(head.anomalies)
    note(head.marks, of: .request, before: pseudoFields.count)
    let framing: BodyFraming = head.endsStream ? .none : .stream
    swap(&exchange.request, &spareRequest)
    if exchange.request == nil {
      exchange.request = HTTPRequest(
        version: .http2, methodRange: head.method, targetRange: head.target, fields: HeaderFields(),
        body: HTTPBody(framing: framing), timing: timing)
    } else {
      exchange.request!.reuse(
        version: .http2, methodRange: head.method, targetRange: head.target, framing: framing, timing: timing)
    }
    swap(&exchange.request!.fields, &head.fields)
    exchange.request!.fields.ranges.insert(contentsOf: pseudoFields, at: 0)
    requestBody = OpenBody(limit: limit)
    requestBody!.reserve(head.contentLength, in: &exchange.request!.body)
    recording = MessageRecording.grpc(exchange.request!.fields, limit: limit)
  }

  /// - Parameter head: a response's; given other memory in exchange for its fields.
  mutating func beginResponse(_ head: inout HTTP2Head, timing: MessageTiming, limit: Int) {
    exchange.anomalies.formUnion(head.anomalies)
    note(head.marks, of: .response, before: 0)
    let framing: BodyFraming = head.endsStream ? .none : .stream
    // A head whose status was not known was an interim one after all: what it brought stays with the exchange.
    var informational = exchange.response?.informational ?? []
    informational += interim
    if !interim.isEmpty { interim = [] }
    if exchange.response == nil { swap(&exchange.response, &spareResponse) }
    if exchange.response == nil {
      exchange.response = HTTPResponse(
        version: .http2, status: head.status ?? 0, reasonRange: 0..<0, fields: HeaderFields(),
        body: HTTPBody(framing: framing), timing: timing)
    } else {
      exchange.response!.reuse(
        version: .http2, status: head.status ?? 0, reasonRange: 0..<0, framing: framing, timing: timing)
    }
    swap(&exchange.response!.fields, &head.fields)
    if !informational.isEmpty { exchange.response!.informational = informational }
    responseBody = OpenBody(limit: limit)
    if let kind = exchange.request?.fields.first(":protocol"),
      let handshake = WebSocketHandshake(
        request: exchange.request, response: exchange.response!, connectProtocol: kind)
    {
      recording = MessageRecording(handshake, limits: MessageRecording.limits(limit))
    } else if exchange.request == nil {
      recording = MessageRecording.grpc(exchange.response!.fields, limit: limit)
    }
    if framing == .stream { responseBody!.reserve(head.contentLength, in: &exchange.response!.body) }
  }

  mutating func addInformational(_ head: HTTP2Head, at time: Timestamp) {
    interim.append(InformationalResponse(status: head.status ?? 0, fields: head.fields, time: time))
  }

  mutating func setTrailers(_ trailers: HTTP2Trailers, ofRequest: Bool) {
    exchange.anomalies.formUnion(trailers.anomalies)
    note(trailers.marks, of: ofRequest ? .requestTrailers : .responseTrailers, before: 0)
    if ofRequest {
      exchange.request?.trailers = trailers.fields
    } else {
      exchange.response?.trailers = trailers.fields
    }
  }

  mutating func skip(_ range: BodyRange, inRequest: Bool) {
    if inRequest, requestBody != nil {
      skipInRequest(range)
    } else if !inRequest, responseBody != nil {
      skipInResponse(range)
    }
  }

  /// A message without its end lacks an unknown part from where it stands.
  mutating func cut(request: Bool) {
    let size = request ? exchange.request?.body.size : exchange.response?.body.size
    if let size { skip(BodyRange(lowerBound: size, upperBound: .max), inRequest: request) }
  }

  /// Its request is complete since before `time`, and there is no answer.
  func mayBeToldEarly(before time: Timestamp) -> Bool {
    !isToldEarly && requestBody == nil && awaitsResponse && exchange.request.map { $0.timing.end < time } ?? false
  }

  /// Fields of which a part was never seen, or was taken from another connection's table.
  private mutating func note(_ marks: [HPACKFieldMarks], of section: UnresolvedField.Section, before shift: Int) {
    for (index, marks) in marks.enumerated()
    where !marks.isDisjoint(with: [.nameUnresolved, .valueUnresolved, .assumed]) {
      exchange.details.unresolved.append(
        UnresolvedField(
          section: section, field: UInt32(index + shift), isNameUnknown: marks.contains(.nameUnresolved),
          isAssumed: marks.contains(.assumed)))
    }
  }
}

extension HTTP2Head {
  /// `:scheme`, `:authority` and `:protocol` as fields, where they were sent and are known: what HTTP/1's request line
  /// and Host would say. Method and path are named by the request itself.
  fileprivate var pseudoFields: [FieldRange] {
    // In the storage each value stands right after its name.
    [(scheme, ":scheme"), (authority, ":authority"), (`protocol`, ":protocol")].compactMap { value, name in
      guard let value, value.lowerBound >= UInt32(name.utf8.count) else { return nil }
      let start = value.lowerBound - UInt32(name.utf8.count)
      guard bytes(start..<value.lowerBound).elementsEqual(name.utf8) else { return nil }
      return FieldRange(
        nameStart: start, nameEnd: value.lowerBound, valueStart: value.lowerBound, valueEnd: value.upperBound)
    }
  }
}
