// Messages made from what another format says of them: start line and fields in, a request or response out.
//
// An HTTP/1 message gets a head as it would stand on the wire, so that sending it is writing those bytes. What cannot
// stand in a head is taken out here, whatever a file says: a line end in a value would end the field, and let a file
// smuggle requests into a replay. Owner: a reader. Bounds: linear in the fields.

import HTTPModel

/// A head that is put together.
struct MessageComposition {
  var version = HTTPVersion.http11
  var fields: [(name: [UInt8], value: [UInt8])] = []

  /// The first value under a name in lower case.
  func first(_ name: String) -> [UInt8]? {
    fields.first { asciiCaseInsensitiveEqual($0.name, name.utf8) }?.value
  }

  mutating func remove(_ name: String) {
    fields.removeAll { asciiCaseInsensitiveEqual($0.name, name.utf8) }
  }

  /// Gives the first field of this name another value, or adds one; others of the name go.
  mutating func set(_ name: String, _ value: [UInt8]) {
    guard let index = fields.firstIndex(where: { asciiCaseInsensitiveEqual($0.name, name.utf8) }) else {
      fields.append((Array(name.utf8), value))
      return
    }
    fields[index].value = value
    let kept = fields[index].name
    var isFirst = true
    fields.removeAll { field in
      guard asciiCaseInsensitiveEqual(field.name, kept) else { return false }
      defer { isFirst = false }
      return !isFirst
    }
  }

  /// Takes out what cannot stand in a head.
  /// - Parameter keepsUnknownNames: an empty name stands for one that was never seen (HTTP/2, `unresolved`).
  mutating func sanitise(_ notes: inout ConversionNotes, keepsUnknownNames: Bool = false) {
    var dropped: UInt64 = 0
    fields.removeAll { field in
      if keepsUnknownNames, version == .http2, field.name.isEmpty { return false }
      let name = field.name.first == UInt8(ascii: ":") && version == .http2 ? field.name.dropFirst() : field.name[...]
      let isProper = !name.isEmpty && name.allSatisfy(isToken)
      if !isProper { dropped += 1 }
      return !isProper
    }
    notes.add(.fieldsDropped, dropped)
    for index in fields.indices {
      fields[index].value = trimmed(fields[index].value)
      guard fields[index].value.contains(where: { $0 == 0 || $0 == 0x0a || $0 == 0x0d }) else { continue }
      notes.add(.fieldsSanitised)
      for place in fields[index].value.indices where [0, 0x0a, 0x0d].contains(fields[index].value[place]) {
        fields[index].value[place] = 0x20
      }
      fields[index].value = trimmed(fields[index].value)
    }
  }

  /// How a request's body is delimited; Content-Length is mended where need be, so that the request can be sent as it is.
  mutating func settleRequestFraming(_ body: HTTPBody, _ notes: inout ConversionNotes) -> BodyFraming {
    if version != .http2, isChunked { return .chunked }
    let length = Array("\(body.size)".utf8)
    let given = first("content-length")
    if given != nil, given != length {
      notes.add(.lengthsCorrected)
      set("Content-Length", length)
    }
    if version == .http2 { return .stream }
    if given == nil, body.size == 0 { return .none }
    if given == nil { fields.append((Array("Content-Length".utf8), length)) }
    return .contentLength
  }

  /// How the body of a response that has one is delimited in HTTP/1.
  var responseFraming: BodyFraming {
    if isChunked { return .chunked }
    return first("content-length") == nil ? .close : .contentLength
  }

  private var isChunked: Bool {
    first("transfer-encoding").map { String(decoding: $0, as: UTF8.self).lowercased().hasSuffix("chunked") } ?? false
  }

  /// - Parameters:
  ///   - method: what is no token becomes `-`.
  ///   - target: bytes that end a target (white space, controls) are percent-encoded.
  func request(method: [UInt8], target: [UInt8], body: HTTPBody, timing: MessageTiming) -> HTTPRequest {
    let method = method.isEmpty ? Array("GET".utf8) : method.map { isToken($0) ? $0 : UInt8(ascii: "-") }
    let target = MessageComposition.encoded(target)
    var storage: [UInt8] = method
    let methodRange = 0..<UInt32(method.count)
    if version != .http2 { storage.append(0x20) }
    let targetStart = UInt32(storage.count)
    storage += target
    let targetRange = targetStart..<UInt32(storage.count)
    return HTTPRequest(
      version: version, methodRange: methodRange, targetRange: targetRange,
      fields: section(after: storage, line: version == .http10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n"), body: body,
      timing: timing)
  }

  func response(
    status: UInt16, reason: [UInt8], informational: [InformationalResponse] = [], body: HTTPBody, timing: MessageTiming
  ) -> HTTPResponse {
    let digits = String(status)
    let line =
      "HTTP/1.\(version == .http10 ? 0 : 1) \(String(repeating: "0", count: 3 - min(3, digits.count)))\(digits) "
    var storage = version == .http2 ? [] : Array(line.utf8)
    let reasonStart = UInt32(storage.count)
    if version != .http2 { storage += reason.map { $0 < 0x20 && $0 != 0x09 || $0 == 0x7f ? 0x20 : $0 } }
    return HTTPResponse(
      version: version, status: status, reasonRange: reasonStart..<UInt32(storage.count),
      fields: section(after: storage, line: "\r\n"), informational: informational, body: body, timing: timing)
  }

  /// The fields of a trailer section.
  static func trailers(_ fields: [(name: [UInt8], value: [UInt8])], _ notes: inout ConversionNotes) -> HeaderFields {
    guard !fields.isEmpty else { return HeaderFields() }
    var composition = MessageComposition(fields: fields)
    composition.sanitise(&notes)
    return composition.section(after: [], line: "")
  }

  /// HTTP/1: lines as on the wire; HTTP/2: names and values one after another.
  private func section(after start: [UInt8], line: String) -> HeaderFields {
    var section = HeaderFields(storage: start)
    guard version != .http2 else {
      for field in fields { section.append(name: field.name, value: field.value) }
      return section
    }
    section.storage += line.utf8
    for field in fields {
      let nameStart = UInt32(section.storage.count)
      section.storage += field.name
      let nameEnd = UInt32(section.storage.count)
      section.storage += ": ".utf8
      let valueStart = UInt32(section.storage.count)
      section.storage += field.value
      section.ranges.append(
        FieldRange(
          nameStart: nameStart, nameEnd: nameEnd, valueStart: valueStart, valueEnd: UInt32(section.storage.count)))
      section.storage += "\r\n".utf8
    }
    section.storage += "\r\n".utf8
    return section
  }

  private static func encoded(_ target: [UInt8]) -> [UInt8] {
    if target.isEmpty { return [UInt8(ascii: "/")] }
    guard target.contains(where: { $0 <= 0x20 || $0 == 0x7f }) else { return target }
    return target.flatMap { byte -> [UInt8] in
      byte <= 0x20 || byte == 0x7f ? Array("%".utf8) + [upperHex(byte >> 4), upperHex(byte & 15)] : [byte]
    }
  }

  private func trimmed(_ value: [UInt8]) -> [UInt8] {
    guard let first = value.first, let last = value.last else { return value }
    guard first == 0x20 || first == 0x09 || last == 0x20 || last == 0x09 else { return value }
    let start = value.firstIndex { $0 != 0x20 && $0 != 0x09 } ?? value.endIndex
    let end = value.lastIndex { $0 != 0x20 && $0 != 0x09 } ?? start
    return start < value.endIndex ? Array(value[start...end]) : []
  }
}

/// RFC 9110, 5.6.2.
func isToken(_ byte: UInt8) -> Bool {
  switch byte {
  case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x21, 0x23...0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x5e...0x60, 0x7c, 0x7e: true
  default: false
  }
}

func upperHex(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }
