// What a body holds, and its bytes once its content codings are undone. Owner: pure functions.
// Bounds: a body, and what it decodes to, of more than 1 MiB is not looked into.

import ContentCoding
import HTTPModel

/// How a body is read for values.
enum ContentKind {
  case json, form, html, text, other

  /// Bytes of a body that are looked into, decoded.
  static let limit = 1 << 20

  init(_ fields: HeaderFields, body: [UInt8]) {
    guard let type = fields.first("content-type") else {
      let first = body.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0a && $0 != 0x0d }
      self = first == UInt8(ascii: "{") || first == UInt8(ascii: "[") ? .json : .other
      return
    }
    let name = String(decoding: type.prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 }, as: UTF8.self).lowercased()
    switch name {
    case "application/json", "text/json": self = .json
    case "application/x-www-form-urlencoded": self = .form
    case "text/html", "application/xhtml+xml": self = .html
    case "text/plain": self = .text
    default: self = name.hasSuffix("+json") ? .json : .other
    }
  }

  /// The content of a response's body; nil where it is not whole, too large or cannot be decoded.
  static func content(of response: HTTPResponse) -> [UInt8]? {
    let body = response.body
    guard body.isComplete, !body.bytes.isEmpty, body.bytes.count <= limit else { return nil }
    let indices = response.fields.indices(of: "content-encoding")
    if indices.isEmpty { return body.bytes }
    let names = ContentCoding.names(in: indices.map { response.fields.value(at: $0) })
    return try? ContentCoding.decode(body.bytes, codings: names, limit: limit)
  }
}
