// Purpose: a recorded request as the bytes of an HTTP/1.1 message, as recorded but for what a replay must change.
// Input -> output: HTTPRequest and edits -> bytes appended. Bounds: the request's own size; one pass, no copy between.

public import HTTPModel

/// What a replay changes in a request's head. Everything else keeps its bytes.
public struct HTTP1RequestEdits: Sendable {
  /// The target in place of the recorded one.
  public var target: [UInt8]?
  /// Field names (any case) and new values: the first field of the name takes the value in its place and spelling, others of the
  /// name go. A field that was not sent is added at the end.
  public var replaced: [(name: [UInt8], value: [UInt8])] = []
  /// Fields added before the empty line, whatever is there.
  public var appended: [(name: [UInt8], value: [UInt8])] = [] {
    didSet {
      appendedLines = []
      for field in appended { writeField(field.name, field.value, into: &appendedLines) }
    }
  }
  /// ``appended`` as it is written.
  fileprivate var appendedLines: [UInt8] = []
  /// Names (any case) of fields that are left out.
  public var removed: [[UInt8]] = []

  public init() {}
}

/// Appends `request` as it was sent: order, spelling and line ends of its head, the body in its recorded chunk sizes,
/// the trailers. Content-Length and Transfer-Encoding stay as they are; chunk extensions are not recorded.
///
/// A request without an HTTP/1 head of its own (HTTP/2, imports) gets one, pseudo-header fields left out.
/// - Parameter edits: changes to the head.
public func serialize(request: HTTPRequest, edits: HTTP1RequestEdits = HTTP1RequestEdits(), into out: inout [UInt8]) {
  out.reserveCapacity(out.count + request.fields.storage.count + request.body.bytes.count + 256)
  if hasWireHead(request) {
    writeRecordedHead(request, edits, into: &out)
  } else {
    writeComposedHead(request, edits, into: &out)
  }
  switch request.body.framing {
  case .chunked: writeChunks(request, into: &out)
  case .none, .contentLength, .close, .stream: out.append(contentsOf: request.body.bytes)
  }
}

private let lineEnd: [UInt8] = [Octet.cr, Octet.lf]

private func hasWireHead(_ request: HTTPRequest) -> Bool {
  let storage = request.fields.storage
  guard request.version != .http2, storage.last == Octet.lf else { return false }
  guard request.methodRange.upperBound <= request.targetRange.lowerBound else { return false }
  guard Int(request.targetRange.upperBound) < emptyLineStart(storage) else { return false }
  // An HTTP/0.9 request has no empty line to add fields before.
  guard storage[emptyLineStart(storage) - 1] == Octet.lf else { return false }
  // Every name begins a line: what was composed from fields has no line ends.
  return storage.withUnsafeBufferPointer { storage in
    request.fields.ranges.allSatisfy {
      $0.nameStart > 0 && $0.nameStart <= storage.count && storage[Int($0.nameStart) - 1] == Octet.lf
    }
  }
}

private func writeRecordedHead(_ request: HTTPRequest, _ edits: HTTP1RequestEdits, into out: inout [UInt8]) {
  let storage = request.fields.storage
  var copied = 0
  func copy(to end: Int) {
    if copied < end { out.append(contentsOf: storage[copied..<end]) }
    copied = max(copied, end)
  }
  if let target = edits.target {
    copy(to: Int(request.targetRange.lowerBound))
    out.append(contentsOf: target)
    copied = Int(request.targetRange.upperBound)
  }
  var done = Set<Int>()
  // Most requests are sent as they were, with a field more at their end.
  let ranges = edits.replaced.isEmpty && edits.removed.isEmpty ? [] : request.fields.ranges
  for (index, range) in ranges.enumerated() {
    switch change(request.fields.name(at: index), edits, &done) {
    case .keep: break
    case .remove:
      copy(to: Int(range.nameStart))
      copied = endOfField(storage, Int(range.valueEnd))
    case .replace(let value):
      copy(to: Int(range.valueStart))
      out.append(contentsOf: value)
      copied = Int(range.valueEnd)
    }
  }
  copy(to: emptyLineStart(storage))
  writeAdditions(edits, done, into: &out)
  copy(to: storage.count)
}

private func writeComposedHead(_ request: HTTPRequest, _ edits: HTTP1RequestEdits, into out: inout [UInt8]) {
  out.append(contentsOf: request.method)
  out.append(Octet.space)
  out.append(contentsOf: edits.target ?? Array(request.target))
  out.append(contentsOf: " HTTP/1.1\r\n".utf8)
  var done = Set<Int>()
  let cookies = request.version == .http2 ? request.fields.indices(of: "cookie") : []
  for index in request.fields.ranges.indices where !request.fields.isPseudoField(index) {
    switch change(request.fields.name(at: index), edits, &done) {
    case .keep:
      if cookies.count > 1, cookies.contains(index) {
        // HTTP/2 may send them in pieces, HTTP/1.1 must not (RFC 9113, 8.2.3).
        guard index == cookies[0] else { continue }
        let value = cookies.map { request.fields.value(at: $0) }.joined(separator: "; ".utf8)
        writeField(request.fields.name(at: index), value, into: &out)
      } else {
        writeField(request.fields.name(at: index), request.fields.value(at: index), into: &out)
      }
    case .remove: break
    case .replace(let value): writeField(request.fields.name(at: index), value, into: &out)
    }
  }
  // HTTP/2 carries both outside its fields.
  if request.fields.first("host") == nil, let authority = request.fields.first(":authority") {
    writeField("Host".utf8, authority, into: &out)
  }
  if request.body.framing == .stream, !request.body.bytes.isEmpty, request.fields.first("content-length") == nil {
    writeField("Content-Length".utf8, String(request.body.bytes.count).utf8, into: &out)
  }
  writeAdditions(edits, done, into: &out)
  out.append(contentsOf: lineEnd)
}

private enum FieldChange { case keep, remove, replace([UInt8]) }

/// - Parameter done: the replacements that found their field.
private func change(_ name: ArraySlice<UInt8>, _ edits: HTTP1RequestEdits, _ done: inout Set<Int>) -> FieldChange {
  if edits.removed.contains(where: { asciiCaseInsensitiveEqual($0, name) }) { return .remove }
  guard let index = edits.replaced.firstIndex(where: { asciiCaseInsensitiveEqual($0.name, name) }) else { return .keep }
  return done.insert(index).inserted ? .replace(edits.replaced[index].value) : .remove
}

private func writeAdditions(_ edits: HTTP1RequestEdits, _ done: Set<Int>, into out: inout [UInt8]) {
  for (index, field) in edits.replaced.enumerated() where !done.contains(index) {
    writeField(field.name, field.value, into: &out)
  }
  out.append(contentsOf: edits.appendedLines)
}

private func writeField(_ name: some Sequence<UInt8>, _ value: some Sequence<UInt8>, into out: inout [UInt8]) {
  out.append(contentsOf: name)
  out.append(Octet.colon)
  out.append(Octet.space)
  out.append(contentsOf: value)
  out.append(contentsOf: lineEnd)
}

/// After the field's last line, lines that fold it included.
private func endOfField(_ storage: [UInt8], _ valueEnd: Int) -> Int {
  var index = valueEnd
  repeat {
    while index < storage.count, storage[index] != Octet.lf { index += 1 }
    index = min(index + 1, storage.count)
  } while index < storage.count && Octet.isBlank(storage[index])
  return index
}

private func emptyLineStart(_ storage: [UInt8]) -> Int {
  let end = storage.count - 1
  return end > 0 && storage[end - 1] == Octet.cr ? end - 1 : end
}

private func writeChunks(_ request: HTTPRequest, into out: inout [UInt8]) {
  let body = request.body.bytes
  var start = 0
  func writeChunk(_ end: Int) {
    out.append(contentsOf: String(end - start, radix: 16).utf8)
    out.append(contentsOf: lineEnd)
    out.append(contentsOf: body[start..<end])
    out.append(contentsOf: lineEnd)
    start = end
  }
  for size in request.body.chunkSizes where start < body.count && size > 0 {
    writeChunk(min(start + Int(size), body.count))
  }
  if start < body.count { writeChunk(body.count) }
  out.append(contentsOf: "0\r\n".utf8)
  if request.trailers.storage.last == Octet.lf {
    out.append(contentsOf: request.trailers.storage)
    return
  }
  for index in request.trailers.ranges.indices {
    writeField(request.trailers.name(at: index), request.trailers.value(at: index), into: &out)
  }
  out.append(contentsOf: lineEnd)
}
