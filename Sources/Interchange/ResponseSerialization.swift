// A recorded response as the bytes of an HTTP/1.1 message. In: a response. Out: bytes appended. Bounds: its own size.

import HTTPModel

/// Appends `response` as it was sent: its head, the body in its recorded chunk sizes, trailers. One without an HTTP/1
/// head of its own (HTTP/2, imports) gets one. A chunked body that was not captured whole lacks the last chunk.
func serialize(response: HTTPResponse, into out: inout [UInt8]) {
  let storage = response.fields.storage
  let isWire =
    response.version != .http2 && storage.starts(with: "HTTP/".utf8) && storage.last == 0x0a
    && response.fields.ranges.allSatisfy { $0.nameStart > 0 && storage[Int($0.nameStart) - 1] == 0x0a }
  if isWire {
    out += storage
  } else {
    out += Array("HTTP/1.1 \(response.status) ".utf8) + response.reason + Array("\r\n".utf8)
    for index in response.fields.ranges.indices where !response.fields.isPseudoField(index) {
      append(response.fields.name(at: index), response.fields.value(at: index), to: &out)
    }
    let needsLength = response.body.framing == .stream && response.fields.first("content-length") == nil
    let mayHaveBody = response.status >= 200 && response.status != 204 && response.status != 304
    if needsLength, mayHaveBody { append("Content-Length".utf8, "\(response.body.bytes.count)".utf8, to: &out) }
    out += "\r\n".utf8
  }
  guard response.body.framing == .chunked else {
    out += response.body.bytes
    return
  }
  let body = response.body.bytes
  var start = 0
  func chunk(to end: Int) {
    out += Array("\(String(end - start, radix: 16))\r\n".utf8) + body[start..<end] + Array("\r\n".utf8)
    start = end
  }
  for size in response.body.chunkSizes where size > 0 && start < body.count {
    chunk(to: min(start + Int(size), body.count))
  }
  if start < body.count { chunk(to: body.count) }
  guard response.body.isComplete else { return }
  out += "0\r\n".utf8
  for index in response.trailers.ranges.indices {
    append(response.trailers.name(at: index), response.trailers.value(at: index), to: &out)
  }
  out += "\r\n".utf8
}

private func append(_ name: some Sequence<UInt8>, _ value: some Sequence<UInt8>, to out: inout [UInt8]) {
  out.append(contentsOf: name)
  out += ": ".utf8
  out.append(contentsOf: value)
  out += "\r\n".utf8
}
