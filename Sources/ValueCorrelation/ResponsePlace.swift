// Where in a response a value stands, so that it can be taken from another response at the same place.

/// A part of a response that can hold a value.
public enum ResponsePlace: Hashable, Sendable {
  /// The first header field of this name, in lower case.
  case field(String)
  /// The value of the cookie that a Set-Cookie field of this name sets (RFC 6265, 4.1).
  case cookie(String)
  /// A value of a JSON body, by its RFC 6901 pointer.
  case json(String)
  /// Of an HTML body: the value of the first input, or the content of the first meta element, of this name.
  case control(String)
  /// A plain text body without white space around it.
  case text
}

/// What of the text at a place is the value.
public enum ValuePart: Hashable, Sendable {
  case whole
  /// One of its words, from 0, of so many: runs of letters, digits, `-`, `.`, `_` and `~`.
  case word(index: UInt16, count: UInt16)
}

/// Where a value is taken from in a response.
public struct ValueSource: Hashable, Sendable {
  public var place: ResponsePlace
  public var part: ValuePart
  /// The text is percent-encoded there, and the value is what that stands for.
  public var isPercentEncoded: Bool

  public init(_ place: ResponsePlace, part: ValuePart = .whole, isPercentEncoded: Bool = false) {
    self.place = place
    self.part = part
    self.isPercentEncoded = isPercentEncoded
  }
}

extension ResponsePlace: CustomStringConvertible {
  /// `header:etag`, `cookie:sid`, `body:/order/id`, `form:csrf_token`, `body`.
  public var description: String {
    switch self {
    case .field(let name): "header:\(name)"
    case .cookie(let name): "cookie:\(name)"
    case .json(let pointer): "body:\(pointer)"
    case .control(let name): "form:\(name)"
    case .text: "body"
    }
  }
}

extension ValueSource: CustomStringConvertible {
  /// The place; of a word, with its number from 1 behind a `#`.
  public var description: String {
    switch part {
    case .whole: "\(place)"
    case .word(let index, _): "\(place)#\(index + 1)"
    }
  }
}
