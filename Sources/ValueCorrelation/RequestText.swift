// The texts of a request in which values are looked for, decoded, with the way back to the bytes that spell them.
// In: a request. Out: texts in the order of the wire. Owner: a pure function. Bounds: 1,024 texts, each of at most 8 KiB;
// a body of more than 1 MiB, or with a content coding, is passed over.

import ContentTree
import HTTPModel

struct RequestText {
  enum Origin {
    /// A segment of the path, and the one before it.
    case path(Int, before: ArraySlice<UInt8>)
    case query(ArraySlice<UInt8>)
    case field(ArraySlice<UInt8>)
    case cookie(ArraySlice<UInt8>)
    case json(JSONWalk)
    case form(ArraySlice<UInt8>)
  }

  var origin: Origin
  var section: RequestSection
  /// Where it stands in the section's bytes.
  var range: Range<Int>
  /// How a value is spelt in it.
  var encoding: ValueEncoding
  /// For each decoded byte and the end, where it begins in `range`; nil where nothing is encoded.
  var starts: [Int]?

  static let limit = 1024

  /// Where a part of the decoded text stands in the section's bytes.
  func place(of part: Range<Int>) -> Range<Int> {
    guard let starts else { return range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound }
    return range.lowerBound + starts[part.lowerBound]..<range.lowerBound + starts[part.upperBound]
  }

  var requestPlace: RequestPlace {
    switch origin {
    case .path(let index, _): .path(index)
    case .query(let name): .query(String(decoding: name, as: UTF8.self))
    case .field(let name): .field(String(decoding: name, as: UTF8.self).lowercased())
    case .cookie(let name): .cookie(String(decoding: name, as: UTF8.self))
    case .json(let walk): .json(walk.pointer)
    case .form(let name): .form(String(decoding: name, as: UTF8.self))
    }
  }

  /// The name of the parameter, member or field that holds it; nil of a path segment.
  var name: String? {
    switch origin {
    case .path: nil
    case .query(let name), .field(let name), .cookie(let name), .form(let name): String(decoding: name, as: UTF8.self)
    case .json(let walk): walk.names.first { _ in true }
    }
  }
}

/// Calls `body` with each text of a request and its decoded bytes.
struct RequestTexts {
  typealias Visitor = (UnsafeBufferPointer<UInt8>, RequestText) -> Void

  private let visitor: Visitor
  private var left = RequestText.limit

  static func visit(_ request: HTTPRequest, _ body: Visitor) {
    withoutActuallyEscaping(body) { visitor in
      var texts = RequestTexts(visitor: visitor)
      texts.visitTarget(of: request)
      texts.visitFields(of: request)
      texts.visitBody(of: request)
    }
  }

  private init(visitor: @escaping Visitor) { self.visitor = visitor }

  private mutating func put(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ section: RequestSection, _ encoding: ValueEncoding,
    _ origin: RequestText.Origin
  ) {
    guard !range.isEmpty, range.count <= ResponseText.lengthLimit, left > 0 else { return }
    left -= 1
    let raw = UnsafeBufferPointer(rebasing: bytes[range])
    let decoded: (bytes: [UInt8], starts: [Int])? =
      switch encoding {
      case .percent, .form: PercentEncoding.decode(raw, isForm: encoding == .form)
      case .jsonString: JSONStringSpelling.decode(raw)
      case .plain, .jsonNumber, .base64: nil
      }
    let text = RequestText(
      origin: origin, section: section, range: range, encoding: encoding, starts: decoded?.starts)
    if let decoded { decoded.bytes.withUnsafeBufferPointer { visitor($0, text) } } else { visitor(raw, text) }
  }

  // MARK: Head

  private mutating func visitTarget(of request: HTTPRequest) {
    request.fields.storage.withUnsafeBufferPointer { head in
      let end = Int(request.targetRange.upperBound)
      var index = Int(request.targetRange.lowerBound)
      guard index < end, end <= head.count, !request.method.elementsEqual("CONNECT".utf8) else { return }
      // The absolute form (RFC 9112, 3.2.2).
      if head[index] != UInt8(ascii: "/") {
        guard let found = head[index..<end].firstRange(of: "://".utf8) else { return }
        index = head[found.upperBound..<end].firstIndex(of: UInt8(ascii: "/")) ?? end
      }
      let pathEnd =
        head[index..<end].firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? end
      var number = 0
      var before: Range<Int> = index..<index
      while index < pathEnd {
        // At a slash.
        let start = index + 1
        let segmentEnd = head[start..<pathEnd].firstIndex(of: UInt8(ascii: "/")) ?? pathEnd
        put(
          head, start..<segmentEnd, .head, .percent,
          .path(number, before: request.fields.storage[before]))
        before = start..<segmentEnd
        number += 1
        index = segmentEnd
      }
      if pathEnd < end, head[pathEnd] == UInt8(ascii: "?") {
        visitPairs(head, request.fields.storage, pathEnd + 1..<end, .head) { .query($0) }
      }
    }
  }

  /// `name=value&name=value`.
  private mutating func visitPairs(
    _ bytes: UnsafeBufferPointer<UInt8>, _ storage: [UInt8], _ range: Range<Int>, _ section: RequestSection,
    _ origin: (ArraySlice<UInt8>) -> RequestText.Origin
  ) {
    var index = range.lowerBound
    while index < range.upperBound, left > 0 {
      let end = bytes[index..<range.upperBound].firstIndex(of: UInt8(ascii: "&")) ?? range.upperBound
      if let mark = bytes[index..<end].firstIndex(of: UInt8(ascii: "=")) {
        put(bytes, mark + 1..<end, section, .form, origin(storage[index..<mark]))
      }
      index = end + 1
    }
  }

  private mutating func visitFields(of request: HTTPRequest) {
    let fields = request.fields
    fields.storage.withUnsafeBufferPointer { head in
      for index in fields.ranges.indices where !fields.isPseudoField(index) {
        let range = Int(fields.ranges[index].valueStart)..<Int(fields.ranges[index].valueEnd)
        if fields.matches(index, "cookie") {
          visitCookies(head, fields.storage, range)
        } else if !FieldNames.areGeneral(fields.name(at: index), of: .request) {
          put(head, range, .head, .plain, .field(fields.name(at: index)))
        }
      }
    }
  }

  /// `name=value; name=value` (RFC 6265, 4.2).
  private mutating func visitCookies(_ head: UnsafeBufferPointer<UInt8>, _ storage: [UInt8], _ range: Range<Int>) {
    var index = range.lowerBound
    while index < range.upperBound, left > 0 {
      let end = head[index..<range.upperBound].firstIndex(of: UInt8(ascii: ";")) ?? range.upperBound
      let start = head[index..<end].firstIndex { $0 != 0x20 && $0 != 0x09 } ?? end
      if let mark = head[start..<end].firstIndex(of: UInt8(ascii: "=")) {
        put(head, mark + 1..<end, .head, .plain, .cookie(storage[start..<mark]))
      }
      index = end + 1
    }
  }

  // MARK: Body

  private mutating func visitBody(of request: HTTPRequest) {
    let body = request.body
    guard body.isComplete, !body.bytes.isEmpty, body.bytes.count <= ContentKind.limit,
      request.fields.first("content-encoding") == nil
    else { return }
    body.bytes.withUnsafeBufferPointer { bytes in
      switch ContentKind(request.fields, body: body.bytes) {
      case .form: visitPairs(bytes, body.bytes, 0..<bytes.count, .body) { .form($0) }
      case .json:
        guard let walk = JSONWalk(body.bytes, limit: RequestText.limit) else { return }
        walk.visitScalars { node, kind in
          let range = walk.document.sourceRange(of: node)
          if kind == .string {
            put(bytes, range.lowerBound + 1..<range.upperBound - 1, .body, .jsonString, .json(walk))
          } else {
            put(bytes, range, .body, .jsonNumber, .json(walk))
          }
        }
      case .html, .text, .other: return
      }
    }
  }
}
