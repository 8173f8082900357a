// What came of asking again for a finding. In: a search that has ended. Out: sentences and commands for a report.
// Owner: a report. Bounds: a number of parts that are named; those of the commands.

public import ContentTree
public import HTTPModel

/// The smallest request that shows a finding now, or why there is none.
public struct SmallestRequest: Hashable, Sendable {
  /// What is known of the finding since it was asked for again.
  public enum State: String, CaseIterable, Sendable {
    case minimal, limited, intermittent
    case notReproduced = "not-reproduced"
    case notAsked = "not-asked"

    init(_ outcome: RequestShrinking.Outcome) {
      switch outcome {
      case .minimal: self = .minimal
      case .limited: self = .limited
      case .notReproduced: self = .notReproduced
      case .intermittent: self = .intermittent
      }
    }
  }

  /// What came of it.
  public var state: State
  /// Whose request it was; nil where none was asked.
  public var exchange: ExchangeID?
  /// How often it was asked: once of the shadow and twice of the primary.
  public var asked: Int
  /// Parts of the request that it takes.
  public var needed: [String]
  /// How many parts it does without.
  public var omitted: Int
  /// The shadow's command, and the primary's; nil where it did not show, or can't be written as one.
  public var command: String?
  /// See ``command``.
  public var primaryCommand: String?
  /// Plain sentences.
  public var explanation: String

  public init(
    state: State, exchange: ExchangeID?, asked: Int, needed: [String] = [], omitted: Int = 0, command: String? = nil,
    primaryCommand: String? = nil, explanation: String
  ) {
    self.state = state
    self.exchange = exchange
    self.asked = asked
    self.needed = needed
    self.omitted = omitted
    self.command = command
    self.primaryCommand = primaryCommand
    self.explanation = explanation
  }

  /// Nothing was asked.
  /// - Parameter reason: a sentence.
  public init(notAsked reason: String) { self.init(state: .notAsked, exchange: nil, asked: 0, explanation: reason) }

  /// Whom commands ask, and what they need to know.
  public struct Sides: Sendable {
    /// URLs.
    public var shadow: String
    /// See ``shadow``.
    public var primary: String
    /// Of gRPC's messages, and the file that holds them.
    public var types: (descriptors: ProtobufDescriptors, file: String)?

    public init(shadow: String, primary: String, types: (descriptors: ProtobufDescriptors, file: String)? = nil) {
      (self.shadow, self.primary, self.types) = (shadow, primary, types)
    }
  }

  /// - Parameters:
  ///   - search: that has ended.
  ///   - sight: what was seen last.
  ///   - hidden: where tokens stand in the request for what was hidden.
  ///   - injected: live credentials were put in their places.
  public init(
    _ search: RequestShrinking, of exchange: Exchange, sight: FindingWitness.Sight?, sides: Sides,
    hidden: [String] = [], injected: Bool = false
  ) {
    let request = search.smallest
    state = search.outcome.map { State($0) } ?? .limited
    self.exchange = exchange.id
    asked = search.asked
    let showed = state == .minimal || state == .limited && search.asked > 2
    needed = showed ? search.needed.map(\.text) : []
    omitted = showed ? search.omitted : 0
    explanation = SmallestRequest.sentence(search, state, sight)
    let places = hidden.joined(separator: ", ")
    if !places.isEmpty, !injected {
      explanation +=
        " It carries tokens for what was hidden in the capture (\(places)): --inject puts live values there."
    }
    guard showed else { return }
    if !places.isEmpty, injected { explanation += " The command has tokens in the places of live values (\(places))." }
    if GRPCComparison.isSpoken(request.fields) {
      (command, primaryCommand) = SmallestRequest.grpcurl(request, isTLS: exchange.isTLS, sides)
      if command == nil {
        explanation += " Its message's type is not known (--proto-descriptors), so there is no command."
      }
    } else {
      let curl = CurlCommand(request, isTLS: exchange.isTLS)
      (command, primaryCommand) = (curl.text(base: sides.shadow), curl.text(base: sides.primary))
    }
  }

  // MARK: Sentences

  private static let namedParts = 8

  private static func sentence(_ search: RequestShrinking, _ state: State, _ sight: FindingWitness.Sight?) -> String {
    let times = "Asked again \(search.asked == 2 ? "twice" : "\(Figures.count(UInt64(search.asked))) times")"
    let had = inventory(search.original)
    switch state {
    case .notAsked: return ""
    case .notReproduced:
      return "\(times), it does not show" + (sight.map { ": \($0.reason)." } ?? ".")
    case .intermittent:
      return "\(times), it shows with the same request one time and another time not, so that no part of it can be "
        + "told to be needed."
    case .limited where search.asked <= 2: return "\(times), which took all the time that there is for it."
    case .minimal where search.original.isEmpty:
      return "\(times), it shows; there is nothing to leave out of the request."
    case .minimal where search.needed.isEmpty: return "\(times): of \(had) it takes none."
    case .minimal where search.omitted == 0:
      return "\(times): it takes all of the request's \(had): \(named(search.needed))."
    case .minimal: return "\(times): of \(had) it takes only \(named(search.needed))."
    case .limited:
      return "\(times), which is the limit: of \(had) at most these are needed: \(named(search.needed))."
    }
  }

  /// `8 query parameters, 10 header fields and 2 cookies`.
  private static func inventory(_ parts: [RequestPart]) -> String {
    let counts = RequestPart.Kind.allCases.compactMap { kind -> String? in
      let count = parts.count { $0.kind == kind }
      return count == 0 ? nil : "\(count) \(count == 1 ? kind.noun : kind.plural)"
    }
    return counts.count < 2 ? counts.joined() : counts.dropLast().joined(separator: ", ") + " and " + counts.last!
  }

  private static func named(_ parts: [RequestPart]) -> String {
    let names = parts.prefix(namedParts).map(\.text).joined(separator: ", ")
    return parts.count > namedParts ? names + " and \(parts.count - namedParts) more" : names
  }

  // MARK: gRPC

  private static func grpcurl(_ request: HTTPRequest, isTLS: Bool, _ sides: Sides) -> (String?, String?) {
    guard let types = sides.types, let method = types.descriptors.method(at: request.target),
      request.body.bytes.count >= 5, request.body.bytes[0] == 0,
      let json = try? ProtobufMessage(Array(request.body.bytes[5...])).jsonText(as: method.input, in: types.descriptors)
    else { return (nil, nil) }
    let command = GRPCurlCommand(request, message: json, protoset: types.file)
    return (command.text(base: sides.shadow), command.text(base: sides.primary))
  }
}

extension RequestPart.Kind {
  fileprivate var noun: String {
    switch self {
    case .query: "query parameter"
    case .header: "header field"
    case .cookie: "cookie"
    case .body: "member of the body"
    }
  }

  fileprivate var plural: String { self == .body ? "members of the body" : noun + "s" }
}
