// The values of a flow: what stands in a tnetstring, by the type that is asked for; nil for another.
//
// In: payloads. Out: numbers, text, times, lists. Bounds: linear; nothing is looked into deeper than it is asked for.

import HTTPModel

extension FlowValue {
  init(type: UInt8, bytes: [UInt8]) {
    self.init(type: type, content: HTTPBody(bytes: bytes, size: UInt64(bytes.count)))
  }

  /// None is written where mitmproxy has no value.
  var isNothing: Bool { type == UInt8(ascii: "~") }

  var isTrue: Bool { type == UInt8(ascii: "!") && content.bytes.elementsEqual("true".utf8) }

  /// Of bytes and text; empty for other types.
  var bytes: [UInt8] { type == UInt8(ascii: ",") || type == UInt8(ascii: ";") ? content.bytes : [] }

  var text: String? {
    type == UInt8(ascii: ",") || type == UInt8(ascii: ";") ? String(decoding: content.bytes, as: UTF8.self) : nil
  }

  var integer: Int64? { type == UInt8(ascii: "#") ? Int64(String(decoding: content.bytes, as: UTF8.self)) : nil }

  /// Bytes of a message; nil for another type.
  var body: HTTPBody? { isNothing || type == UInt8(ascii: ",") || type == UInt8(ascii: ";") ? content : nil }

  /// Seconds since the epoch. Read digit by digit: as a double, a date of today is not exact to 100 ns.
  var time: Timestamp? {
    guard type == UInt8(ascii: "^") || type == UInt8(ascii: "#") else { return nil }
    let text = content.bytes
    let whole = text.prefix { $0 >= 0x30 && $0 <= 0x39 }
    let fraction = text[whole.endIndex...].dropFirst()
    let isPlain = fraction.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    guard !whole.isEmpty, whole.count <= 10, isPlain, whole.endIndex == text.endIndex || text[whole.endIndex] == 0x2e,
      let seconds = Int64(String(decoding: whole, as: UTF8.self)), seconds > 0, seconds < 9_000_000_000
    else { return nil }
    let digits = (Array(fraction) + Array(repeating: 0x30, count: 9)).prefix(9)
    return Timestamp(seconds: seconds, nanoseconds: digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) })
  }

  /// What a list holds; up to the first that is damaged. Of a list that was cut, the last may be the beginning of bytes.
  var elements: [FlowValue] {
    guard type == UInt8(ascii: "]") else { return [] }
    var found: [FlowValue] = []
    var rest = content.bytes[...]
    while let (type, payload) = Self.first(in: rest) {
      found.append(FlowValue(type: type, bytes: Array(payload)))
      rest = rest[(payload.endIndex + 1)...]
    }
    if !content.isComplete, let start = Self.payloadStart(in: rest) {
      found.append(FlowValue(type: UInt8(ascii: ","), bytes: Array(rest[start.index...])))
    }
    return found
  }

  /// A dictionary's member; nil where there is none, or nothing.
  subscript(_ name: StaticString) -> FlowValue? {
    guard type == UInt8(ascii: "}") else { return nil }
    let wanted = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    var rest = content.bytes[...]
    while let key = Self.first(in: rest), let member = Self.first(in: rest[(key.payload.endIndex + 1)...]) {
      if key.payload.elementsEqual(wanted) {
        return member.type == UInt8(ascii: "~") ? nil : FlowValue(type: member.type, bytes: Array(member.payload))
      }
      rest = rest[(member.payload.endIndex + 1)...]
    }
    return nil
  }

  /// The tnetstring that begins here; its type stands behind the payload. Nil where none is whole.
  private static func first(in bytes: ArraySlice<UInt8>) -> (type: UInt8, payload: ArraySlice<UInt8>)? {
    guard let start = payloadStart(in: bytes), start.length < bytes.endIndex - start.index else { return nil }
    let end = start.index + start.length
    return (bytes[end], bytes[start.index..<end])
  }

  private static func payloadStart(in bytes: ArraySlice<UInt8>) -> (index: Int, length: Int)? {
    let digits = bytes.prefix(12).prefix { $0 >= 0x30 && $0 <= 0x39 }
    guard !digits.isEmpty, digits.endIndex < bytes.endIndex, bytes[digits.endIndex] == UInt8(ascii: ":") else {
      return nil
    }
    return (digits.endIndex + 1, digits.reduce(0) { $0 * 10 + Int($1 - 0x30) })
  }

  /// Header or trailer fields: pairs of a name and a value. Nil where it is no such list, or was cut.
  var fields: [(name: [UInt8], value: [UInt8])]? {
    guard type == UInt8(ascii: "]"), content.isComplete else { return nil }
    var found: [(name: [UInt8], value: [UInt8])] = []
    for pair in elements {
      let parts = pair.elements
      guard parts.count == 2 else { return nil }
      found.append((parts[0].bytes, parts[1].bytes))
    }
    return found
  }

  /// A pair of host and port; nil where the host is a name. An IPv4 address that a socket for both families reports as
  /// an IPv6 one is the former again.
  var address: TransportAddress? {
    let parts = elements
    guard parts.count >= 2, let host = parts[0].text, let port = parts[1].integer.flatMap({ UInt16(exactly: $0) }),
      var address = IPAddress(host.prefix { $0 != "%" })
    else { return nil }
    if address.isIPv6, address.high == 0, address.low >> 32 == 0xffff {
      address = IPAddress(v4: UInt32(truncatingIfNeeded: address.low))
    }
    return TransportAddress(address: address, port: port)
  }
}

/// A cipher suite's name in IANA's registry from OpenSSL's: `ECDHE-RSA-AES128-GCM-SHA256` is
/// `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`. A name that follows no such rule stays as it is.
func registeredCipherSuite(_ name: String) -> String {
  let parts = name.split(separator: "-").map(String.init)
  guard !name.isEmpty, !name.hasPrefix("TLS_"),
    let cipher = parts.firstIndex(where: { $0.hasPrefix("AES") || $0 == "CHACHA20" }), let last = parts.last
  else { return name }
  var exchange = parts[..<cipher].joined(separator: "_")
  if exchange.isEmpty { exchange = "RSA" }
  if parts[cipher] == "CHACHA20" { return "TLS_\(exchange)_WITH_CHACHA20_POLY1305_SHA256" }
  let rest = parts[(cipher + 1)...]
  guard !rest.isEmpty else { return name }
  // What names no mode is CBC.
  let mode = rest.count > 1 || last.hasPrefix("CCM") ? rest.joined(separator: "_") : "CBC_\(last)"
  return "TLS_\(exchange)_WITH_AES_\(parts[cipher].dropFirst(3))_\(mode)"
}
