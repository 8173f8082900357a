// What a field's value means when two are compared (RFC 9110; RFC 6265 for cookies, RFC 9111 for caching).
// In: a field's name in lower case. Out: how to compare. Owner: a pure function.

/// How values of a field are compared.
enum FieldMeaning {
  /// Says something about this connection, this moment or this transfer: not compared.
  ///
  /// Date and Age are the clock's. Connection, Keep-Alive, Proxy-Connection, TE, Trailer, Transfer-Encoding and Upgrade
  /// belong to one connection (RFC 9110, 7.6.1), and so does what Connection lists. HTTP/2's pseudo-fields are no fields.
  case transient
  /// Tells the size of a body that is compared itself.
  case contentLength
  /// Undone before bodies are compared: a difference is worth telling, and harmless.
  case contentCoding
  /// A comma-separated list in which order and repetition mean nothing.
  case set(ignoresCase: Bool)
  /// A list of directives that semicolons separate, in any order.
  case directives
  /// A media type with its parameters.
  case mediaType
  /// A point in time that is meant relative to Date.
  case expiry
  /// A point in time, in any of HTTP's three spellings.
  case date
  case cookie
  /// Any other: the value as it is. ETag is among them.
  case opaque

  init(name: ArraySlice<UInt8>) {
    self = name.first == UInt8(ascii: ":") ? .transient : Self.table[String(decoding: name, as: UTF8.self)] ?? .opaque
  }

  private static let table: [String: FieldMeaning] = {
    var table: [String: FieldMeaning] = [
      "content-length": .contentLength, "content-encoding": .contentCoding, "content-type": .mediaType,
      "expires": .expiry, "set-cookie": .cookie, "last-modified": .date, "sunset": .date, "retry-after": .date,
      "strict-transport-security": .directives, "content-security-policy": .directives,
      "content-security-policy-report-only": .directives,
    ]
    for name in [
      "date", "age", "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ] { table[name] = .transient }
    for name in ["allow", "access-control-allow-methods"] { table[name] = .set(ignoresCase: false) }
    for name in [
      "vary", "cache-control", "cdn-cache-control", "surrogate-control", "pragma", "accept-ranges", "content-language",
      "access-control-allow-headers", "access-control-expose-headers", "accept-ch", "accept-patch", "accept-post",
      "clear-site-data", "accept", "accept-encoding", "accept-language", "accept-query", "timing-allow-origin",
    ] { table[name] = .set(ignoresCase: true) }
    return table
  }()
}

/// The elements of a comma-separated list, without the white space around them; commas in quoted strings do not
/// separate (RFC 9110, 5.6.1 and 5.6.4). Empty elements are left out.
func listElements(_ value: ArraySlice<UInt8>, separator: UInt8 = UInt8(ascii: ",")) -> [ArraySlice<UInt8>] {
  var elements: [ArraySlice<UInt8>] = []
  var start = value.startIndex
  var isQuoted = false
  var index = value.startIndex
  while index < value.endIndex {
    let byte = value[index]
    if isQuoted, byte == UInt8(ascii: "\\") {
      index += 1
    } else if byte == UInt8(ascii: "\"") {
      isQuoted.toggle()
    } else if byte == separator, !isQuoted {
      elements.append(trimmed(value[start..<index]))
      start = index + 1
    }
    index += 1
  }
  elements.append(trimmed(value[start..<value.endIndex]))
  return elements.filter { !$0.isEmpty }
}

func trimmed(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
  var value = value
  while let first = value.first, first == 0x20 || first == 0x09 { value.removeFirst() }
  while let last = value.last, last == 0x20 || last == 0x09 { value.removeLast() }
  return value
}

/// A-Z become a-z.
func lowercased(_ bytes: some Sequence<UInt8>) -> [UInt8] {
  bytes.map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 }
}

/// A media type in one spelling: names and charset in lower case, parameters sorted (RFC 9110, 8.3.1).
struct MediaType: Hashable {
  var type: [UInt8]
  var parameters: [[UInt8]]

  init(_ value: ArraySlice<UInt8>) {
    let parts = listElements(value, separator: UInt8(ascii: ";"))
    type = lowercased(parts.first ?? [])
    parameters = parts.dropFirst().map { parameter in
      guard let mark = parameter.firstIndex(of: UInt8(ascii: "=")) else { return lowercased(parameter) }
      let name = lowercased(trimmed(parameter[..<mark]))
      var value = trimmed(parameter[(mark + 1)...])
      if value.count >= 2, value.first == UInt8(ascii: "\""), value.last == UInt8(ascii: "\"") {
        value = value.dropFirst().dropLast()
      }
      let folded = name.elementsEqual("charset".utf8) ? lowercased(value) : Array(value)
      return name + [UInt8(ascii: "=")] + folded
    }.sorted { $0.lexicographicallyPrecedes($1) }
  }
}

/// What a Content-Type says a body is, without taking its parameters apart.
struct MediaTypeName {
  private let name: ArraySlice<UInt8>

  /// - Parameter value: of the field; nil where there is none.
  init(_ value: ArraySlice<UInt8>?) {
    name = value.map { trimmed($0.prefix { $0 != UInt8(ascii: ";") }) } ?? []
  }

  /// `application/json`, `text/json` and everything that ends in `+json` (RFC 6839, 3.1).
  var isJSON: Bool {
    ends(with: "/json") && (has("application/json") || has("text/json")) || ends(with: "+json")
  }

  /// `application/grpc`, `application/grpc+proto`, `application/grpc-web+proto`; not the text of gRPC-Web.
  var isGRPC: Bool {
    begins(with: "application/grpc") && !begins(with: "application/grpc-web-text")
  }

  /// A single message, as some services send it without gRPC.
  var isProtobuf: Bool {
    has("application/protobuf") || has("application/x-protobuf") || has("application/vnd.google.protobuf")
  }

  var isHTML: Bool { has("text/html") }

  /// RFC 7303.
  var isXML: Bool { has("application/xml") || has("text/xml") || ends(with: "+xml") }

  var isForm: Bool { has("application/x-www-form-urlencoded") }

  private func has(_ lowercase: StaticString) -> Bool {
    name.count == lowercase.utf8CodeUnitCount && ends(with: lowercase)
  }

  private func begins(with lowercase: StaticString) -> Bool { holds(lowercase, at: 0) }

  private func ends(with lowercase: StaticString) -> Bool {
    holds(lowercase, at: name.count - lowercase.utf8CodeUnitCount)
  }

  private func holds(_ lowercase: StaticString, at start: Int) -> Bool {
    let count = lowercase.utf8CodeUnitCount
    guard start >= 0, name.count - start >= count else { return false }
    return name.withUnsafeBufferPointer { bytes in
      for offset in 0..<count {
        let byte = bytes[start + offset]
        if (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) != lowercase.utf8Start[offset] { return false }
      }
      return true
    }
  }
}
