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
  @usableFromInline var index: Int
  @inlinable init(index: Int) { self.index = index }
}

/// One place where a number, string, array or object begins and ends.
@usableFromInline
struct JSONRecord: Sendable {
  /// In the source: a scalar's text (a string's without quotes), a container's with its brackets.
  @usableFromInline var offset: UInt32
  @usableFromInline var length: UInt32
  /// Of a container: elements or members. Of a string with escapes: where its decoded form stands.
  @usableFromInline var extra: UInt32
  /// The index just after this node and all below it.
  @usableFromInline var next: UInt32
  @usableFromInline var kind: JSONKind
  /// A string that holds escapes: its decoded form is in the side buffer.
  @usableFromInline var isEscaped: Bool

  @inlinable
  init(offset: UInt32, length: UInt32, extra: UInt32, next: UInt32, kind: JSONKind, isEscaped: Bool) {
    self.offset = offset
    self.length = length
    self.extra = extra
    self.next = next
    self.kind = kind
    self.isEscaped = isEscaped
  }
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
    fatalError()
  }

  public var root: JSONNode { JSONNode(index: 0) }

  public func kind(of node: JSONNode) -> JSONKind { records[node.index].kind }

  /// Elements of an array, members of an object; 0 of others.
  public func count(of node: JSONNode) -> Int { fatalError() }

  /// The elements of an array or the members of an object, in order; nothing of others.
  public func children(of node: JSONNode) -> JSONChildren { fatalError() }

  /// The decoded bytes of a string or a member's name (WTF-8), or a scalar's text. Borrowed until return.
  public func withText<R>(of node: JSONNode, _ body: (UnsafeRawBufferPointer) -> R) -> R { fatalError() }

  /// A string or a member's name decoded, or a scalar's text. A lone surrogate is written `\ud800`.
  public func text(of node: JSONNode) -> String { fatalError() }

  /// Where the node stands in ``bytes``: a string with its quotes, a container with its brackets.
  public func sourceRange(of node: JSONNode) -> Range<Int> { fatalError() }
}

/// The children of an array or object.
public struct JSONChildren: Sequence, IteratorProtocol {
  public struct Child: Sendable {
    /// A member's name; nil of an array's element.
    public var name: JSONNode?
    public var value: JSONNode
  }

  public mutating func next() -> Child? { fatalError() }
}
