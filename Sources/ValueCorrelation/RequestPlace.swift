// Where in a request a value stands, and how it is spelt there.

/// A part of a request that can hold a value.
public enum RequestPlace: Hashable, Sendable {
  /// A segment of the path, from 0.
  case path(Int)
  case query(String)
  /// In lower case.
  case field(String)
  case cookie(String)
  /// By its RFC 6901 pointer.
  case json(String)
  case form(String)
}

/// How a value is spelt where it stands in a request.
public enum ValueEncoding: UInt8, CaseIterable, Sendable {
  case plain = 0
  /// RFC 3986, 2.1.
  case percent = 1
  /// As in forms and in queries that forms make: a space is a plus sign (WHATWG URL, 5.1).
  case form = 2
  /// Inside the quotes of a JSON string (RFC 8259, 7).
  case jsonString = 3
  case jsonNumber = 4
  /// RFC 4648 in either alphabet: the value is all of what is encoded, or a part of it.
  case base64 = 5

  /// The stable name.
  public var identifier: String {
    switch self {
    case .plain: "plain"
    case .percent: "percent"
    case .form: "form"
    case .jsonString: "json-string"
    case .jsonNumber: "json-number"
    case .base64: "base64"
    }
  }
}

/// The two byte strings that a request is made of.
enum RequestSection: UInt8, Sendable { case head, body }

extension RequestPlace: CustomStringConvertible {
  /// `path/2`, `query:token`, `header:x-csrf-token`, `cookie:sid`, `body:/order/id`, `form:csrf_token`.
  public var description: String {
    switch self {
    case .path(let index): "path/\(index + 1)"
    case .query(let name): "query:\(name)"
    case .field(let name): "header:\(name)"
    case .cookie(let name): "cookie:\(name)"
    case .json(let pointer): "body:\(pointer)"
    case .form(let name): "form:\(name)"
    }
  }
}
