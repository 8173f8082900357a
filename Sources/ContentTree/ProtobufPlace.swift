// Where a value stands in a protobuf message, and what an editor of messages says of it. In: made by ProtobufWalk.
// Out: read by editors. Owner: one walk. Bounds: the nesting of the message.

/// A place in a message, from the message down.
public struct ProtobufPlace: Sendable {
  /// A step of the JSON that the message is shown as.
  public struct Step: Hashable, Sendable {
    /// A field's name as in the .proto file, a map's key, or an element's index.
    public var text: String
    public var isIndex: Bool
  }

  /// Field numbers as they stand on the wire, those of map entries among them.
  public internal(set) var numbers: [UInt32] = []
  /// The place by names; of no use where not ``isNamed``.
  public internal(set) var steps: [Step] = []
  /// Fields above, this one included, that no type knows.
  var unnamed = 0

  public init() {}

  /// A type knows every field on the way.
  public var isNamed: Bool { unnamed == 0 }

  /// The last name or key; nil where there is none.
  public var name: String? { isNamed ? steps.last { !$0.isIndex }?.text : nil }
}

/// What a value is, as far as changing its bytes in place goes.
public enum ProtobufLeaf: Sendable {
  /// A string, or bytes of unknown type that are characters.
  case text
  case bytes
  /// One varint, or several packed ones.
  case varints
  /// Numbers of fixed width.
  case fixed
  /// What can't be read as fields: the rest of a message that is cut or damaged.
  case damage
}

/// What is to become of a field.
public enum ProtobufChoice: Sendable {
  /// Its values are looked at one by one.
  case pass
  /// The same, and a value of unknown type is a message, whole or not.
  case enter
  /// As ``pass``, and all values are chosen.
  case choose
  /// The field goes away, tag and all.
  case remove
  /// A length-delimited value becomes empty; a number is as with ``choose``.
  case empty
}

/// Looks at a message's fields and changes values.
public protocol ProtobufEditor {
  /// Asked once for each field that is not chosen already, and for each entry of a map.
  mutating func choice(at place: borrowing ProtobufPlace) -> ProtobufChoice
  /// Handed each value, to be left or written over; its length stays.
  mutating func edit(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ leaf: ProtobufLeaf, isChosen: Bool, at place: borrowing ProtobufPlace)
}
