// A JSON text read without loss: numbers as text, members in order and number, strings decoded where they hold escapes.
// In: the bytes of one text. Out: nodes to walk. Owner: a value; the source bytes are shared, not copied.
// Bounds: JSONLimits. 20 bytes a node; a node is a value or a member's name, in the order of the text.

/// What a node is.
public enum JSONKind: UInt8, Sendable {
  case null, `false`, `true`
  /// A number without fraction and exponent, as spelt.
  case integer
  /// A number with a fraction or an exponent, as spelt.
  case real
  case string, array, object
}

/// A value, or a member's name, of a ``JSONDocument``.
public struct JSONNode: Hashable, Sendable {
  var index: Int
}

/// What is kept of a node.
struct JSONRecord: Sendable {
  /// In the source: a scalar's text (a string's without its quotes), a container's with its brackets.
  var offset: UInt32
  var length: UInt32
  /// Of a container: elements or members. Of a string with escapes: where its decoded form stands.
  var extra: UInt32
  /// The index just after this node and all below it.
  var next: UInt32
  var kind: JSONKind
  /// A string that holds escapes: its decoded form is in the side buffer.
  var isEscaped: Bool
}

/// A JSON text and the places of its values.
public struct JSONDocument: Sendable {
  /// The text as it came.
  public let bytes: [UInt8]
  let records: [JSONRecord]
  /// Decoded strings, each after its length in four bytes, little-endian. A lone surrogate stands as the three bytes
  /// that UTF-8's scheme would give it (WTF-8), so that strings that differ in one still differ.
  let decoded: [UInt8]

  /// Reads one JSON text (RFC 8259); a byte order mark before it is skipped.
  ///
  /// Bytes that are not UTF-8 are refused; an escaped lone surrogate is kept. Time and memory grow with the size alone.
  public init(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
    let result = bytes.withUnsafeBufferPointer { JSONReader.read($0, limits: limits) }
    (records, decoded) = try result.get()
    self.bytes = bytes
  }

  public var root: JSONNode { JSONNode(index: 0) }

  public func kind(of node: JSONNode) -> JSONKind { records[node.index].kind }

  /// Elements of an array, members of an object; 0 of others.
  public func count(of node: JSONNode) -> Int {
    let record = records[node.index]
    return record.kind == .array || record.kind == .object ? Int(record.extra) : 0
  }

  /// The elements of an array or the members of an object, in order; nothing of others.
  public func children(of node: JSONNode) -> JSONChildren { JSONChildren(document: self, node: node) }

  /// The decoded bytes of a string or a member's name (WTF-8), or the text of any other node as it stands in the source.
  ///
  /// Borrowed until return.
  public func withText<R>(of node: JSONNode, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    let record = records[node.index]
    guard record.isEscaped else {
      return bytes.withUnsafeBytes {
        body(UnsafeRawBufferPointer(rebasing: $0[Int(record.offset)..<Int(record.offset) + Int(record.length)]))
      }
    }
    return decoded.withUnsafeBytes {
      let place = Int(record.extra)
      let length = UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: UInt32.self))
      return body(UnsafeRawBufferPointer(rebasing: $0[place + 4..<place + 4 + Int(length)]))
    }
  }

  /// A string or a member's name decoded, or the text of any other node. A lone surrogate is written `\ud800`.
  public func text(of node: JSONNode) -> String {
    withText(of: node) { text in
      guard records[node.index].isEscaped else { return String(decoding: text, as: UTF8.self) }
      return String(decoding: spellingLoneSurrogates(in: text), as: UTF8.self)
    }
  }

  /// Where the node stands in ``bytes``: a string with its quotes, a container with its brackets.
  public func sourceRange(of node: JSONNode) -> Range<Int> {
    let record = records[node.index]
    let start = Int(record.offset)
    let end = start + Int(record.length)
    return record.kind == .string ? start - 1..<end + 1 : start..<end
  }
}

/// The children of an array or object, in the order of the text.
public struct JSONChildren: Sequence, IteratorProtocol, Sendable {
  public struct Child: Sendable {
    /// A member's name; nil of an array's element.
    public var name: JSONNode?
    public var value: JSONNode
  }

  private let document: JSONDocument
  private let isObject: Bool
  private var index: Int
  private var left: Int

  init(document: JSONDocument, node: JSONNode) {
    self.document = document
    isObject = document.kind(of: node) == .object
    index = node.index + 1
    left = document.count(of: node)
  }

  public mutating func next() -> Child? {
    guard left > 0 else { return nil }
    left -= 1
    let name = isObject ? JSONNode(index: index) : nil
    if isObject { index += 1 }
    let value = JSONNode(index: index)
    index = Int(document.records[index].next)
    return Child(name: name, value: value)
  }
}

/// WTF-8 to UTF-8: a surrogate's three bytes become the six characters of its escape.
func spellingLoneSurrogates(in text: UnsafeRawBufferPointer) -> [UInt8] {
  var spelt: [UInt8] = []
  spelt.reserveCapacity(text.count)
  var index = 0
  while index < text.count {
    if text[index] == 0xed, index + 2 < text.count, text[index + 1] >= 0xa0 {
      let unit = 0xd000 | UInt32(text[index + 1] & 0x3f) << 6 | UInt32(text[index + 2] & 0x3f)
      spelt.append(contentsOf: "\\u".utf8)
      spelt.append(contentsOf: String(unit, radix: 16).utf8)
      index += 3
    } else {
      spelt.append(text[index])
      index += 1
    }
  }
  return spelt
}
