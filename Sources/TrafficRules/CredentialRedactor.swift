// Credentials never reach a file: before a record is written, the values of the fields that carry them become tokens.
//
// In: an exchange or a response as captured. Out: the same with other values in Authorization, Proxy-Authorization,
// Cookie and Set-Cookie, header and trailer alike. Owner: the writing stage; one redactor a session, because equal
// values give equal tokens only under one key. Bounds: work is linear in the values' length; see TokenMemory.

import Crypto
public import HTTPModel

/// Replaces credentials by tokens that keep equality: `Bearer eyJh…` becomes `Bearer redacted.4b1f7f3a9c02d6e8`.
///
/// A token is the first eight octets of HMAC-SHA256 (RFC 2104) over the value, in hex. What says how to read the value
/// stays: the scheme of an authorization (RFC 9110, 11.4), names of cookies, and the attributes of Set-Cookie (RFC 6265).
public struct CredentialRedactor {
  private var tokens: TokenMemory
  /// The head that is being written anew; it changes places with the one that was read.
  private var rebuilt: [UInt8] = []
  /// A larger one is given back.
  private static let rebuiltLimit = 64 << 10

  /// With a key of its own, so that tokens can't be compared between sessions nor turned back by guessing values.
  public init() { tokens = TokenMemory(key: SymmetricKey(size: .bits256)) }

  /// - Parameter key: any number of octets; the same key gives the same tokens.
  public init(key: [UInt8]) { tokens = TokenMemory(key: SymmetricKey(data: key)) }

  public mutating func redact(_ exchange: inout Exchange) {
    if exchange.request != nil {
      redact(&exchange.request!.fields)
      redact(&exchange.request!.trailers)
    }
    if exchange.response != nil { redact(&exchange.response!) }
  }

  public mutating func redact(_ response: inout HTTPResponse) {
    redact(&response.fields)
    redact(&response.trailers)
    for index in response.informational.indices { redact(&response.informational[index].fields) }
  }

  private mutating func redact(_ fields: inout HeaderFields) {
    guard let first = firstSecret(in: fields) else { return }
    rebuilt.removeAll(keepingCapacity: rebuilt.capacity <= Self.rebuiltLimit)
    let storage = fields.storage
    storage.withUnsafeBytes { rebuild(&fields, $0, from: first) }
    swap(&fields.storage, &rebuilt)
  }

  /// Writes `bytes`, which the fields point into, anew. Fields stand in rising order, so one pass moves them all.
  private mutating func rebuild(_ fields: inout HeaderFields, _ bytes: UnsafeRawBufferPointer, from first: Int) {
    var copied = 0
    for index in first..<fields.ranges.count {
      let kind = kind(of: index, in: fields)
      let (start, end) = (Int(fields.ranges[index].valueStart), Int(fields.ranges[index].valueEnd))
      fields.ranges[index].shift(by: rebuilt.count - copied)
      guard let kind, start < end else { continue }
      append(bytes, copied, start)
      let value = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
      switch kind {
      case .authorization: appendAuthorization(value)
      case .cookie: appendPairs(value, all: true)
      case .setCookie: appendPairs(value, all: false)
      }
      fields.ranges[index].valueEnd = UInt32(truncatingIfNeeded: rebuilt.count)
      copied = end
    }
    append(bytes, copied, bytes.count)
  }

  private enum Kind { case authorization, cookie, setCookie }

  private func firstSecret(in fields: borrowing HeaderFields) -> Int? {
    for index in 0..<fields.ranges.count where kind(of: index, in: fields) != nil { return index }
    return nil
  }

  /// By the name's length first, since nearly every field is none of these.
  @inline(__always)
  private func kind(of index: Int, in fields: borrowing HeaderFields) -> Kind? {
    let range = fields.ranges[index]
    switch range.nameEnd &- range.nameStart {
    case 6: return fields.matches(index, "cookie") ? .cookie : nil
    case 10: return fields.matches(index, "set-cookie") ? .setCookie : nil
    case 13: return fields.matches(index, "authorization") ? .authorization : nil
    case 19: return fields.matches(index, "proxy-authorization") ? .authorization : nil
    default: return nil
    }
  }

  /// `SCHEME SP credentials`; without a space all of it is secret.
  private mutating func appendAuthorization(_ value: UnsafeRawBufferPointer) {
    let scheme = value.firstIndex(of: 0x20).map { $0 + 1 } ?? 0
    append(value, 0, scheme)
    appendToken(of: value[scheme...])
  }

  /// `name=value; name=value`. A pair without `=` is a value. Set-Cookie's pairs after the first are attributes.
  private mutating func appendPairs(_ value: UnsafeRawBufferPointer, all: Bool) {
    var from = 0
    while true {
      let pair = value[from...].prefix { $0 != 0x3b }
      if all || from == 0 {
        let content = pair.drop { $0 == 0x20 || $0 == 0x09 }
        // A pair without a name is all value.
        let secret = content.firstIndex(of: 0x3d).map { content[($0 + 1)...] } ?? content
        append(value, from, secret.startIndex)
        if !secret.isEmpty { appendToken(of: secret) }
      } else {
        append(value, from, pair.endIndex)
      }
      from = pair.endIndex
      if from == value.count { return }
      rebuilt.append(0x3b)
      from += 1
    }
  }

  private mutating func appendToken(of secret: Slice<UnsafeRawBufferPointer>) {
    let digest = tokens.digest(of: UnsafeRawBufferPointer(rebasing: secret))
    let prefix: StaticString = "redacted."
    withUnsafeTemporaryAllocation(byteCount: prefix.utf8CodeUnitCount + 16, alignment: 1) { token in
      token.copyMemory(from: UnsafeRawBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount))
      for position in 0..<16 {
        let digit = UInt8(truncatingIfNeeded: digest >> UInt64(60 - position * 4)) & 15
        token[prefix.utf8CodeUnitCount + position] = digit < 10 ? 0x30 + digit : 0x57 + digit
      }
      append(UnsafeRawBufferPointer(token), 0, token.count)
    }
  }

  private mutating func append(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) {
    rebuilt.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
  }
}

extension FieldRange {
  fileprivate mutating func shift(by shift: Int) {
    let shift = UInt32(truncatingIfNeeded: shift)
    nameStart &+= shift
    nameEnd &+= shift
    valueStart &+= shift
    valueEnd &+= shift
  }
}
