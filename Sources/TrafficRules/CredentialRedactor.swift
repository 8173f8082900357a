// Credentials never reach a file: before a record is written, the values of the fields that carry them become tokens.
//
// In: an exchange or a response as captured. Out: the same with other values in Authorization, Proxy-Authorization,
// Cookie and Set-Cookie, header and trailer alike. Owner: the writing stage; one redactor a session, because equal
// values give equal tokens only under one key. Bounds: work is linear in the values' length; 4,096 values of up to 1 KB
// are remembered in memory and nowhere else.

import Crypto
public import HTTPModel

/// Replaces credentials by tokens that keep equality: `Bearer eyJh…` becomes `Bearer redacted.4b1f7f3a9c02d6e8`.
///
/// A token is the first eight octets of HMAC-SHA256 (RFC 2104) over the value, in hex. What says how to read the value
/// stays: the scheme of an authorization (RFC 9110, 11.4), names of cookies, and the attributes of Set-Cookie (RFC 6265).
public struct CredentialRedactor {
  /// Keyed, before any data: a copy of it saves two of the four blocks that a short value costs.
  private let keyed: HMAC<SHA256>
  /// Tokens of values seen lately: clients send the same ones again and again.
  private var known: [[UInt8]: [UInt8]] = [:]
  private static let knownLimit = 4096
  private static let knownLength = 1024

  /// With a key of its own, so that tokens can't be compared between sessions nor turned back by guessing values.
  public init() { keyed = HMAC(key: SymmetricKey(size: .bits256)) }

  /// - Parameter key: any number of octets; the same key gives the same tokens.
  public init(key: [UInt8]) { keyed = HMAC(key: SymmetricKey(data: key)) }

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
    var replacements: [(index: Int, value: [UInt8])] = []
    for index in fields.ranges.indices {
      guard let kind = kind(of: index, in: fields) else { continue }
      let value = fields.value(at: index)
      if value.isEmpty { continue }
      switch kind {
      case .authorization: replacements.append((index, authorization(value)))
      case .cookie: replacements.append((index, pairs(value, all: true)))
      case .setCookie: replacements.append((index, pairs(value, all: false)))
      }
    }
    fields.replaceValues(replacements)
  }

  private enum Kind { case authorization, cookie, setCookie }

  /// By the name's length first, since nearly every field is none of these.
  private func kind(of index: Int, in fields: HeaderFields) -> Kind? {
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
  private mutating func authorization(_ value: ArraySlice<UInt8>) -> [UInt8] {
    guard let space = value.firstIndex(of: 0x20) else { return token(value) }
    return value[...space] + token(value[(space + 1)...])
  }

  /// `name=value; name=value`. A pair without `=` is a value. Set-Cookie's pairs after the first are attributes.
  private mutating func pairs(_ value: ArraySlice<UInt8>, all: Bool) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(value.count + 32)
    var rest = value
    var isFirst = true
    while true {
      let pair = rest.prefix { $0 != 0x3b }
      if all || isFirst {
        let blanks = pair.prefix { $0 == 0x20 || $0 == 0x09 }
        let content = pair.dropFirst(blanks.count)
        result += blanks
        // A pair without a name is all value.
        let secret = content.firstIndex(of: 0x3d).map { content[($0 + 1)...] } ?? content
        result += content[..<secret.startIndex]
        if !secret.isEmpty { result += token(secret) }
      } else {
        result += pair
      }
      rest = rest.dropFirst(pair.count)
      if rest.isEmpty { return result }
      result.append(0x3b)
      rest = rest.dropFirst()
      isFirst = false
    }
  }

  private mutating func token(_ secret: ArraySlice<UInt8>) -> [UInt8] {
    let value = Array(secret)
    if let token = known[value] { return token }
    var code = keyed
    code.update(data: value)
    var text = Array("redacted.".utf8)
    for byte in code.finalize().prefix(8) {
      text.append(Self.digit(byte >> 4))
      text.append(Self.digit(byte & 15))
    }
    if value.count <= Self.knownLength {
      if known.count == Self.knownLimit { known.removeAll(keepingCapacity: true) }
      known[value] = text
    }
    return text
  }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
}
