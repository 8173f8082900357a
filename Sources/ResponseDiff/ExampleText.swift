// A whole answer as text: head and decoded body, pretty-printed where it is JSON.
// In: a response. Out: valid UTF-8. Owner: PlaceTable. Bounds: the limit, in bytes.

import ContentCoding
import ContentTree
import HTTPModel

struct ExampleText {
  let options: ComparisonOptions
  let limit: Int

  func text(_ response: HTTPResponse) -> String {
    var head = Array("\(versionText(response.version)) \(response.status)".utf8)
    if !response.reason.isEmpty { head += [0x20] + response.reason }
    head.append(0x0a)
    append(response.fields, to: &head)
    head.append(0x0a)
    if head.count >= limit { return excerptText(head, limit: limit) }
    var text = excerptText(head, limit: limit) + body(response, limit: limit - head.count)
    if !response.trailers.isEmpty {
      var trailers: [UInt8] = [0x0a]
      append(response.trailers, to: &trailers)
      let room = limit - text.utf8.count
      if room > 0 { text += excerptText(trailers, limit: room) }
    }
    return text
  }

  /// An attempt that brought no whole answer.
  func text(_ attempt: Attempt) -> String {
    let reason = "no answer: \(attempt.outcome.identifier)\n"
    return attempt.response.map { reason + "\n" + text($0) } ?? reason
  }

  private func versionText(_ version: HTTPVersion) -> String {
    switch version {
    case .http10: "HTTP/1.0"
    case .http11: "HTTP/1.1"
    case .http2: "HTTP/2"
    }
  }

  private func append(_ fields: HeaderFields, to text: inout [UInt8]) {
    for index in 0..<fields.count {
      if text.count > limit { return }
      text += fields.name(at: index)
      text += Array(": ".utf8)
      text += fields.value(at: index)
      text.append(0x0a)
    }
  }

  private func body(_ response: HTTPResponse, limit: Int) -> String {
    let body = response.body
    var note = ""
    if !body.isComplete { note = "[\(body.bytes.count) of \(body.size) bytes kept]\n" }
    var bytes = body.bytes
    let codings = response.fields.contentCodings
    if !codings.isEmpty, body.isComplete {
      guard let decoded = try? ContentCoding.decode(bytes, codings: codings, limit: options.decodedBodyLimit) else {
        return note + "[\(bytes.count) bytes that cannot be decoded: \(codings.joined(separator: ", "))]"
      }
      bytes = decoded
    }
    let mayBeJSON = bytes.first { $0 > 0x20 }.map { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "[") } ?? false
    if mayBeJSON, let tree = try? JSONDocument(bytes, limits: options.json) {
      return note + tree.prettyText(of: tree.root, limit: limit)
    }
    if bytes.prefix(limit).contains(0) || (bytes.count <= limit && String(validating: bytes, as: UTF8.self) == nil) {
      return note + "[\(bytes.count) bytes that are not text]"
    }
    return note + excerptText(bytes, limit: limit)
  }
}
