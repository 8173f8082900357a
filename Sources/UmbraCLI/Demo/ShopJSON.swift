// JSON as the demo shop writes it: members in the order given.
// Owner: a value. Bounds: what it is built from.

import HTTPModel

/// A JSON value to be written (RFC 8259).
enum ShopJSON: Hashable, Sendable, ExpressibleByStringLiteral {
  case object([Member])
  case array([ShopJSON])
  case string(String)
  case integer(Int)
  case decimal(Double)

  struct Member: Hashable, Sendable {
    var name: String
    var value: ShopJSON

    init(_ name: String, _ value: ShopJSON) {
      self.name = name
      self.value = value
    }
  }

  init(stringLiteral value: String) { self = .string(value) }

  /// A number by its digits; the prices of the catalogue have a point or none, as their currency wants.
  static func number(_ digits: String) -> ShopJSON { Int(digits).map { .integer($0) } ?? .decimal(Double(digits) ?? 0) }

  /// UTF-8 without white space.
  var bytes: [UInt8] {
    var writer = JSONWriter()
    write(to: &writer)
    return writer.bytes
  }

  private func write(to writer: inout JSONWriter) {
    switch self {
    case .object(let members):
      writer.beginObject()
      for member in members {
        writer.key(member.name)
        member.value.write(to: &writer)
      }
      writer.endObject()
    case .array(let elements):
      writer.beginArray()
      for element in elements { element.write(to: &writer) }
      writer.endArray()
    case .string(let text): writer.string(text)
    case .integer(let value): writer.number(value)
    case .decimal(let value): writer.number(value)
    }
  }
}
