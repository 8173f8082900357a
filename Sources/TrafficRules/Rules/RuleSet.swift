// What rules files say, as values. In: made by RuleReader. Out: read by capture, mirror, replay and comparison.
// Owner: immutable once read; shared between threads.

public import ContentTree
public import HTTPModel

/// All rules of one or several files.
public struct RuleSet: Sendable {
  public var select: [SelectRule] = []
  public var sample: SampleRule?
  public var redact = RedactRule()
  public var rewrites: [RewriteRule] = []
  /// The first that matches a request holds for it.
  public var routes: [RouteRule] = []
  public var faults: [FaultRule] = []
  public var compare = CompareRules()
  /// The first that matches a request names its endpoint; others are learned.
  public var endpoints: [EndpointRule] = []

  public init() {}

  /// What an exchange is left out for: a rule that excludes it, or that none of those that include matches.
  public func selection(of exchange: borrowing Exchange) -> Selection {
    var (hasInclude, included): (Bool, SelectRule?) = (false, nil)
    for rule in select {
      if rule.isInclude {
        hasInclude = true
        if included == nil, rule.match.matches(exchange) { included = rule }
      } else if rule.match.matches(exchange) {
        return .excluded(by: rule)
      }
    }
    if let included { return .included(by: included) }
    return hasInclude ? .notIncluded : .unruled
  }

  /// Whether an exchange can be selected by its request alone.
  public var selectsByResponse: Bool { select.contains { $0.match.needsResponse } }

  public enum Selection: Sendable {
    case included(by: SelectRule)
    case unruled
    case excluded(by: SelectRule)
    /// No rule that includes matches it.
    case notIncluded

    public var isTaken: Bool {
      switch self {
      case .included, .unruled: true
      case .excluded, .notIncluded: false
      }
    }
  }
}

/// `select`: an exchange is taken where it matches an `include`, or there is none, and no `exclude`.
public struct SelectRule: Hashable, Sendable {
  public var isInclude: Bool
  public var match: ExchangeMatch
  public var place: RulePlace

  public init(isInclude: Bool, match: ExchangeMatch, place: RulePlace) {
    self.isInclude = isInclude
    self.match = match
    self.place = place
  }
}

/// `endpoints`: requests that belong together, whatever their paths look like.
public struct EndpointRule: Hashable, Sendable {
  /// `/users/{name}` or `GET /users/*/posts/**`.
  public var pattern: String
  public var place: RulePlace
}

/// `sample`.
public struct SampleRule: Hashable, Sendable {
  /// What is in or out as a whole.
  public enum Unit: Hashable, Sendable, CustomStringConvertible {
    case connection
    case request
    /// All requests with one value of this field (in lower case).
    case header(String)
    case cookie(String)

    /// `connection`, `request`, `header:NAME`, `cookie:NAME`.
    public init?(_ text: String) {
      switch text {
      case "connection": self = .connection
      case "request": self = .request
      default:
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "header": self = .header(parts[1].lowercased())
        case "cookie": self = .cookie(parts[1])
        default: return nil
        }
      }
    }

    public var description: String {
      switch self {
      case .connection: "connection"
      case .request: "request"
      case .header(let name): "header:\(name)"
      case .cookie(let name): "cookie:\(name)"
      }
    }
  }

  /// 0...1.
  public var share: Double
  public var unit: Unit
  /// Another one chooses others.
  public var seed: String

  public init(share: Double, unit: Unit = .connection, seed: String = "") {
    self.share = share
    self.unit = unit
    self.seed = seed
  }
}

/// `redact`: what is hidden beyond the well-known names, or instead of them.
public struct RedactRule: Sendable {
  /// What takes a value's place.
  public enum Style: String, CaseIterable, Sendable {
    /// Of the same length and kind of characters; equal for equal values under one key.
    case token
    case mask
    /// Fields and parameters go away; in a body, whose length is part of the message, nothing is left of the value.
    case remove
  }

  /// Kinds of text that are recognised wherever they stand.
  public enum TextKind: String, CaseIterable, Sendable {
    /// 13 to 19 digits, with blanks or hyphens between, whose last is their check digit (ISO/IEC 7812-1).
    case card
    case email
    /// What follows `Bearer` (RFC 6750).
    case bearer
    /// Three parts in base64url of which the first is a JSON object (RFC 7519).
    case jwt
  }

  /// Fields of gRPC messages.
  public struct GRPCFields: Sendable {
    /// `/package.Service/Method`; globs. nil for every method.
    public var method: TextPattern?
    /// Each a path of field numbers from the message down.
    public var fields: [[UInt32]]
    /// By name, which takes descriptors; as ``foldedName(_:)`` spells them.
    public var names: [JSONPointerPattern]
    public var place: RulePlace

    /// As names are compared: neither case nor `_` and `-` count.
    public static func foldedName(_ name: String) -> String {
      name.lowercased().filter { $0 != "_" && $0 != "-" }
    }
  }

  /// Patterns of names; case does not count.
  public var headers: [TextPattern] = []
  public var cookies: [TextPattern] = []
  public var query: [TextPattern] = []
  public var form: [TextPattern] = []
  public var json: [JSONPointerPattern] = []
  public var text: Set<TextKind> = []
  /// What is hidden wherever it stands, as it is, percent-encoded or escaped for JSON; no file says it.
  public var values: [[UInt8]] = []
  public var grpc: [GRPCFields] = []
  public var style = Style.token
  /// Whether well-known names are hidden without being named.
  public var hasDefaults = true
  /// Names that are left as they are though they are well known; in lower case.
  public var keep: Set<String> = []

  public init() {}

  /// The first rule that names fields which only descriptors know.
  public var placeOfNamedFields: RulePlace? { grpc.first { !$0.names.isEmpty }?.place }
}

/// `rewrite`: what is changed in a request before it is sent.
public struct RewriteRule: Sendable {
  /// All requests where it has no conditions.
  public var match = ExchangeMatch()
  public var host: String?
  /// Applied one after the other to the path and query.
  public var path: [TextReplacement] = []
  public var setHeaders: [(name: String, value: String)] = []
  /// In lower case.
  public var removedHeaders: [String] = []
  public var place: RulePlace
}

/// `routes`: how requests of one kind are sent.
public struct RouteRule: Sendable {
  public enum Backoff: String, CaseIterable, Sendable { case none, constant, exponential }

  public var match: ExchangeMatch
  /// Nanoseconds.
  public var timeout: Int64?
  public var retries: UInt32?
  public var backoff: Backoff?
  /// Requests in flight.
  public var concurrency: Int?
  /// Sent though the method is not safe.
  public var allowsUnsafe: Bool?
  public var place: RulePlace
}

/// `faults`: what is made to go wrong on purpose.
public struct FaultRule: Sendable {
  public enum Kind: Hashable, Sendable {
    /// Nanoseconds.
    case delay(ClosedRange<Int64>)
    case abort(status: UInt16)
    case reset
    case throttle(bytesPerSecond: Int)
  }

  public var match: ExchangeMatch
  public var kind: Kind
  /// 0...1 of the requests that match.
  public var share: Double
  public var place: RulePlace
}

/// `compare`: which differences are none.
public struct CompareRules: Sendable {
  /// A place in a response: `status`, `header:NAME`, `trailer:NAME`, `body`, `body:/pointer`.
  public enum Location: Hashable, Sendable, CustomStringConvertible {
    case status
    case header(String)
    case trailer(String)
    case body(JSONPointerPattern)

    public var description: String {
      switch self {
      case .status: "status"
      case .header(let name): "header:\(name)"
      case .trailer(let name): "trailer:\(name)"
      case .body(let pattern): pattern.isRoot ? "body" : "body:\(pattern)"
      }
    }
  }

  /// What a value has to be that is otherwise not compared.
  public enum Shape: String, CaseIterable, Sendable { case any, time, uuid, number, string, token }

  public struct Ignored: Sendable {
    public var at: Location
    public var shape: Shape
    /// Of ``Shape/time``: nanoseconds that two may be apart; of ``Shape/number``: by how much they may differ.
    public var within: Double?
    public var reason: String?
    public var owner: String?
    /// The first day on which it holds no more.
    public var expires: RuleDate?
    public var match: ExchangeMatch
    public var place: RulePlace
  }

  public struct ArrayRule: Sendable {
    public enum Order: Hashable, Sendable {
      case list, set, multiset
      /// Elements belong together that have one value at this member.
      case key(String)
    }
    public var at: JSONPointerPattern
    public var order: Order
    public var place: RulePlace
  }

  public struct NumberRule: Sendable {
    public var at: JSONPointerPattern
    public var within: Double
    /// `within` is a share of the expected number.
    public var isRelative: Bool
    public var place: RulePlace
  }

  public var ignore: [Ignored] = []
  /// Those whose day has come: they let nothing pass, and are told in reports.
  public var expired: [Ignored] = []
  public var arrays: [ArrayRule] = []
  public var numbers: [NumberRule] = []

  public init() {}

  public var isEmpty: Bool { ignore.isEmpty && expired.isEmpty && arrays.isEmpty && numbers.isEmpty }
}

/// A day of the Gregorian calendar.
public struct RuleDate: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let year: Int
  public let month: Int
  public let day: Int

  /// Reads `2027-01-31`; nil where there is no such day.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard text.utf8.count == 10, parts.count == 3,
      parts.allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }),
      let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]), (1...12).contains(month)
    else { return nil }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    guard (1...days).contains(day) else { return nil }
    (self.year, self.month, self.day) = (year, month, day)
  }

  public static func < (a: RuleDate, b: RuleDate) -> Bool { (a.year, a.month, a.day) < (b.year, b.month, b.day) }

  public var description: String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(year)-\(two(month))-\(two(day))"
  }
}
