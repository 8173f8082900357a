// Purpose: what a header section says about the rest of its message and about the connection.
// Input -> output: fields and their bytes -> body framing (RFC 9112, 6), persistence (9.3), Upgrade, Expect.

import HTTPModel

/// What a field's name makes it say about the message.
enum FieldMeaning: UInt8, Sendable {
  case none, host, expect, upgrade, connection, contentLength, transferEncoding

  /// - Parameter name: followed by a colon or white space.
  @inline(__always)
  init(_ name: Octets, _ length: Int) {
    self = .none
    guard length >= 4 else { return }
    // A name is told from the others by its length and its first four letters.
    let start = UnsafeRawPointer(name).loadUnaligned(as: UInt32.self)
    switch (length, UInt32(littleEndian: start) | 0x2020_2020) {
    case (4, 0x7473_6f68): if isName(name, 4, "host") { self = .host }
    case (6, 0x6570_7865): if isName(name, 6, "expect") { self = .expect }
    case (7, 0x7267_7075): if isName(name, 7, "upgrade") { self = .upgrade }
    case (10, 0x6e6e_6f63): if isName(name, 10, "connection") { self = .connection }
    case (14, 0x746e_6f63): if isName(name, 14, "content-length") { self = .contentLength }
    case (17, 0x6e61_7274): if isName(name, 17, "transfer-encoding") { self = .transferEncoding }
    default: break
    }
  }
}

/// What the fields of one section say, gathered in one pass.
struct MessageFraming {
  private(set) var contentLength: UInt64?
  private(set) var hasContentLength = false
  private(set) var hasTransferEncoding = false
  /// The last transfer coding is chunked, `identity` not counted.
  private(set) var isChunked = false
  private(set) var hasCodings = false
  private(set) var saysClose = false
  private(set) var saysKeepAlive = false
  private(set) var saysUpgrade = false
  private(set) var hasUpgrade = false
  private(set) var expectsContinue = false
  private(set) var hosts = 0
  private(set) var anomalies = AnomalySet()

  /// Of a section without fields.
  init() {}

  /// Of all fields of a section; ``conclude()`` is still to be called.
  init(_ base: Octets, _ ranges: [FieldRange]) {
    for range in ranges {
      let meaning = FieldMeaning(base + Int(range.nameStart), Int(range.nameEnd &- range.nameStart))
      if meaning != .none { note(base, range, meaning) }
    }
  }

  /// Takes note of the next field.
  mutating func note(_ base: Octets, _ range: FieldRange, _ meaning: FieldMeaning) {
    let start = Int(range.valueStart)
    let end = Int(range.valueEnd)
    switch meaning {
    case .none: break
    case .host: hosts += 1
    case .expect: if isName(base + start, end - start, "100-continue") { expectsContinue = true }
    case .upgrade: hasUpgrade = start < end
    case .connection:
      forEachElement(base, start, end) { first, count in
        switch count {
        case 5: if isName(base + first, 5, "close") { saysClose = true }
        case 7: if isName(base + first, 7, "upgrade") { saysUpgrade = true }
        case 10: if isName(base + first, 10, "keep-alive") { saysKeepAlive = true }
        default: break
        }
      }
    case .contentLength: noteContentLength(base, start, end)
    case .transferEncoding: noteTransferEncoding(base, start, end)
    }
  }

  /// After the last field.
  mutating func conclude() {
    if isChunked, hasContentLength { anomalies.insert(.http1ContentLengthAndChunked) }
  }

  /// RFC 9112, 6.3: a list of equal values, or repeated fields of one value, count as one. The first valid value is
  /// followed where they disagree.
  private mutating func noteContentLength(_ base: Octets, _ start: Int, _ end: Int) {
    hasContentLength = true
    var elements = 0
    forEachElement(base, start, end) { first, count in
      elements += 1
      guard let value = decimal(base + first, count) else {
        anomalies.insert(.http1ContentLengthInvalid)
        return
      }
      if let contentLength, contentLength != value { anomalies.insert(.http1ContentLengthConflict) }
      contentLength = contentLength ?? value
    }
    if elements == 0 { anomalies.insert(.http1ContentLengthInvalid) }
  }

  private mutating func noteTransferEncoding(_ base: Octets, _ start: Int, _ end: Int) {
    hasTransferEncoding = true
    forEachElement(base, start, end) { first, count in
      var length = 0
      while length < count, Octet.isToken(base[first + length]) { length += 1 }
      let name = base + first
      // What follows a coding's name is its parameters; anything else makes another name of it.
      var next = length
      while next < count, Octet.isBlank(name[next]) { next += 1 }
      let isPlain = next == count || name[next] == Octet.semicolon
      if isPlain, isName(name, length, "identity") { return }
      if isPlain, isName(name, length, "chunked") {
        isChunked = true
        return
      }
      if isChunked { anomalies.insert(.http1TransferEncodingUnknown) }
      isChunked = false
      hasCodings = true
      let known: [StaticString] = ["gzip", "x-gzip", "deflate", "compress", "x-compress"]
      if !isPlain || !known.contains(where: { isName(name, length, $0) }) {
        anomalies.insert(.http1TransferEncodingUnknown)
      }
    }
  }

  private func decimal(_ bytes: Octets, _ count: Int) -> UInt64? {
    var value: UInt64 = 0
    for index in 0..<count {
      guard Octet.isDigit(bytes[index]) else { return nil }
      let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflow) = product.addingReportingOverflow(UInt64(bytes[index] &- 0x30))
      if tooLarge || overflow { return nil }
      value = sum
    }
    return value
  }
}

extension MessageFraming {
  /// RFC 9112, 6.3, for a request.
  var ofRequest: BodyFraming {
    if isChunked { return .chunked }
    return contentLength == nil || hasCodings ? .none : .contentLength
  }

  /// RFC 9112, 6.3, for a response that may have a body.
  ///
  /// 205 has none (RFC 9110, 15.3.6); a server that sends no framing with it either keeps the connection, and then
  /// there is none, or closes it, which ends the same message.
  func ofResponse(status: UInt16) -> BodyFraming {
    if isChunked { return .chunked }
    if hasCodings { return .close }
    if contentLength != nil { return .contentLength }
    return status == 205 ? .none : .close
  }

  func closesConnection(after version: HTTPVersion) -> Bool {
    version == .http10 ? !saysKeepAlive || saysClose : saysClose
  }
}

/// The elements of a comma-separated list without the space around them; empty ones are left out (RFC 9110, 5.6.1).
@inline(__always)
private func forEachElement(
  _ base: Octets, _ start: Int, _ end: Int, _ body: (_ first: Int, _ count: Int) -> Void
) {
  func isPadding(_ byte: UInt8) -> Bool { Octet.isBlank(byte) || byte == Octet.cr || byte == Octet.lf }
  var from = start
  while from < end {
    var to = from
    while to < end, base[to] != Octet.comma { to += 1 }
    var stop = to
    while from < stop, isPadding(base[from]) { from += 1 }
    while stop > from, isPadding(base[stop - 1]) { stop -= 1 }
    if from < stop { body(from, stop - from) }
    from = to + 1
  }
}
