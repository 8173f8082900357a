// JSON as other tools write it, asked for by name. In: a document. Out: values, nil where they are missing or of another
// type. Bounds: a member is looked for among its siblings only.

import ContentTree

/// A value of a document; its members by name, of which the last of equal names counts.
struct JSONValue {
  let document: JSONDocument
  let node: JSONNode

  init(_ document: JSONDocument, _ node: JSONNode) {
    self.document = document
    self.node = node
  }

  var kind: JSONKind { document.kind(of: node) }

  /// Nil where there is no such member, or it is null.
  subscript(_ name: StaticString) -> JSONValue? {
    guard kind == .object else { return nil }
    var found: JSONNode?
    for child in document.children(of: node) {
      guard let member = child.name else { continue }
      let isWanted = document.withText(of: member) { text in
        text.count == name.utf8CodeUnitCount
          && text.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
      }
      if isWanted { found = child.value }
    }
    guard let found, document.kind(of: found) != .null else { return nil }
    return JSONValue(document, found)
  }

  /// An array's elements; none of another type.
  var elements: [JSONValue] {
    kind == .array ? document.children(of: node).map { JSONValue(document, $0.value) } : []
  }

  /// A string's bytes (UTF-8), or a number's as spelt; nil of other types.
  var bytes: [UInt8]? {
    switch kind {
    case .string, .integer, .real: document.withText(of: node) { Array($0) }
    default: nil
    }
  }

  /// Base64 decoded; nil where it is none.
  var base64: [UInt8]? { kind == .string ? document.withText(of: node) { base64Decoded($0) } : nil }

  var string: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
  var number: Double? { string.flatMap(Double.init).flatMap { $0.isFinite ? $0 : nil } }
  /// A whole number; also one in a string, or with a fraction of zeros.
  var integer: Int64? { string.flatMap(Int64.init) ?? number.flatMap { Int64(exactly: $0) } }
  var bool: Bool? { kind == .true ? true : kind == .false ? false : nil }
}
