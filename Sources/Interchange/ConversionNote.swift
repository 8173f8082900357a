// What a format cannot carry, and what of a file could not be read: counted while converting, told once at the end.
//
// In: one count at a time. Out: sentences for a person. Owner: a reader or a writer. Bounds: one count a kind; the first
// ten places of damage.

/// Something that a conversion could not keep as it was.
public enum ConversionNote: Int, CaseIterable, Sendable {
  // Reading.
  case replayedResponses, orphanedResponses, repeatedIdentifiers, unterminatedRecord, skippedBytes
  case bodiesNotInFile, codingsUndone, lengthsCorrected, charsetsUnknown, entriesNotHTTP, entriesFromCache
  case http3AsHTTP2, fieldsSanitised, fieldsDropped, interimFieldsLost, entriesDamaged
  case flowsNotHTTP, flowsTooOld, flowsWithError, messagesOmitted
  // Writing.
  case responsesWithoutRequest, http2AsHTTP1, interimResponses, streamMessages, trailers, incompleteBodies
  case separatorInBody, notUTF8, unresolvedFields, attempts, unsendable

  /// What happened to each of those counted, after "12 ".
  public func sentence(_ count: UInt64) -> String {
    let (one, many, rest) = words
    return "\(count) \(count == 1 ? one : many) \(rest)"
  }

  private var words: (String, String, String) {
    switch self {
    case .replayedResponses: ("replayed response", "replayed responses", "left out: a session holds recorded ones")
    case .orphanedResponses: ("response", "responses", "without a request kept by themselves")
    case .repeatedIdentifiers: ("record", "records", "with an identifier that was used before kept apart")
    case .unterminatedRecord: ("record", "records", "without an end kept as far as it goes")
    case .skippedBytes: ("byte", "bytes", "that belong to no record passed over")
    case .bodiesNotInFile: ("body", "bodies", "of which only the size is in the file")
    case .codingsUndone:
      ("response body", "response bodies", "came without the content coding; Content-Encoding was taken out")
    case .lengthsCorrected: ("Content-Length", "Content-Length fields", "set to the length of the body in the file")
    case .charsetsUnknown: ("body", "bodies", "in a charset that is not known here kept as UTF-8")
    case .entriesNotHTTP: ("entry", "entries", "of other schemes than http left out (data:, blob: and the like)")
    case .entriesFromCache: ("entry", "entries", "that the browser's cache answered kept: no server was asked")
    case .http3AsHTTP2: ("HTTP/3 exchange", "HTTP/3 exchanges", "kept as HTTP/2")
    case .fieldsSanitised: ("header value", "header values", "with line ends in them written with spaces instead")
    case .fieldsDropped: ("header field", "header fields", "without a proper name left out")
    case .interimFieldsLost: ("interim (1xx) response", "interim (1xx) responses", "kept without their fields")
    case .entriesDamaged: ("entry", "entries", "that could not be read left out")
    case .flowsNotHTTP: ("flow", "flows", "of other protocols than HTTP (TCP, UDP, DNS) left out")
    case .flowsTooOld:
      (
        "flow", "flows",
        "in a format from before mitmproxy 7 left out; 'mitmdump -n -r OLD -w NEW' of a new mitmproxy rewrites them"
      )
    case .flowsWithError: ("flow", "flows", "that ended with an error kept without its text")
    case .messagesOmitted: ("WebSocket message", "WebSocket messages", "left out: those of one flow are over a limit")
    case .responsesWithoutRequest: ("response", "responses", "without a request left out: the format has no place")
    case .http2AsHTTP1: ("HTTP/2 exchange", "HTTP/2 exchanges", "written as HTTP/1.1")
    case .interimResponses: ("interim (1xx) response", "interim (1xx) responses", "left out")
    case .streamMessages: ("exchange", "exchanges", "written without the times of single messages (gRPC, WebSocket)")
    case .trailers: ("trailer section", "trailer sections", "left out")
    case .incompleteBodies: ("body", "bodies", "written as far as captured")
    case .separatorInBody:
      ("exchange", "exchanges", "left out: GoReplay's record separator stands in the body and would cut it")
    case .notUTF8: ("header value", "header values", "that are not UTF-8 written with replacement characters")
    case .unresolvedFields: ("exchange", "exchanges", "with header fields of which a part was never seen")
    case .attempts: ("replayed answer", "replayed answers", "left out: the format holds recorded ones")
    case .unsendable: ("exchange", "exchanges", "without a request written as a comment")
    }
  }
}

/// Counts of ``ConversionNote``, and where a file is damaged.
public struct ConversionNotes: Hashable, Sendable {
  /// Something in a file that could not be read, and where it stands.
  public struct Damage: Hashable, Sendable, CustomStringConvertible {
    /// From 1; nil where lines mean nothing.
    public var line: UInt64?
    /// Bytes before it.
    public var offset: UInt64
    /// For a person: what is wrong.
    public var problem: String

    public init(line: UInt64?, offset: UInt64, problem: String) {
      self.line = line
      self.offset = offset
      self.problem = problem
    }

    /// `line 7, byte 120: what is wrong`.
    public var description: String { "\(line.map { "line \($0), " } ?? "")byte \(offset): \(problem)" }
  }

  /// The most places that are kept; all are counted.
  public static let damageLimit = 10

  /// By kind; none of 0.
  public private(set) var counts: [ConversionNote: UInt64] = [:]
  /// The first places, in order.
  public private(set) var damage: [Damage] = []

  public init() {}

  /// How often it occurred.
  public subscript(note: ConversionNote) -> UInt64 { counts[note] ?? 0 }

  /// Counts it.
  public mutating func add(_ note: ConversionNote, _ count: UInt64 = 1) {
    if count > 0 { counts[note, default: 0] &+= count }
  }

  /// Notes a place, as long as there is room.
  public mutating func add(_ place: Damage) {
    if damage.count < Self.damageLimit { damage.append(place) }
  }

  /// Adds what another reader or writer noted.
  public mutating func add(_ other: ConversionNotes) {
    for (note, count) in other.counts { add(note, count) }
    for place in other.damage { add(place) }
  }

  /// One sentence for each kind that occurred.
  public var sentences: [String] {
    ConversionNote.allCases.compactMap { note in counts[note].map(note.sentence) }
  }
}
