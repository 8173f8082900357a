import HTTPModel
import ReplaySchedule

/// A request on its way through the replay: read, due, sent, ended, delivered.
///
/// `@unchecked Sendable`: the reading thread makes it and hands it over under ``Handover``'s lock, the event loop alone
/// touches it until it hands it back under the same lock. At no time do two threads hold it.
final class PlannedRequest: @unchecked Sendable {
  // What the event loop looks at each time stands together, so that few cache lines go from one thread to the other.

  /// As it is sent: the recorded one, with the target's own values where it needs some.
  var request: HTTPRequest
  /// What its answer may be read into.
  var spareAnswer: HTTPResponse?
  /// A large recorded body, which its answer may repeat; else empty.
  private var recordedBody: [UInt8] = []
  /// Where it is sent from while it is connecting or in flight.
  var lane: Lane?
  /// Fields that are sent with other values than the recorded ones.
  var replaced: [(name: [UInt8], value: [UInt8])] = []
  /// Exchanges whose answers it needs.
  var needs: [ExchangeID] = []
  /// Index of the target that it was given to.
  var target = 0
  /// Monotonic times; 0 while unknown. `released`: found to be due; `ready`: nothing of its connection before it is
  /// without an answer; `started`: under the caps.
  var scheduled: Int64 = 0
  var released: Int64 = 0
  var ready: Int64 = 0
  var started: Int64 = 0
  var sent: Int64 = 0
  var firstByte: Int64 = 0
  /// The recorded connection ends with it.
  let closesConnection: Bool
  /// Its body waits for `100 (Continue)` (RFC 9110, 10.1.1).
  let awaitsContinue: Bool
  /// It was recorded on HTTP/2, where requests overlap.
  let wasHTTP2: Bool
  /// Others need its answer.
  var isNeeded = false
  /// It waits for answers that it needs: in its lane, or aside; nobody has what it needs; it has been given it.
  var isHeld = false
  var isBlocked = false
  var isSubstituted = false
  /// It was sent again after a kept connection turned out to be closed.
  var isResent = false
  /// What its target's breaker has admitted it as.
  var ticket: CircuitBreaker.Ticket?
  /// Set once, when the attempt has ended.
  var attempt: Attempt?
  /// How it failed before, how often it was tried again, and how often a target has sent it back untouched.
  var failure: AttemptOutcome?
  var retries: UInt32 = 0
  var refusals: UInt32 = 0
  /// The recorded exchange.
  let id: ExchangeID
  let round: UInt32
  /// Nanoseconds from the schedule's start; nil where the pacing has no due times.
  let due: Int64?
  var fault: InjectedFault?
  /// What limits it in place of the options.
  var route: RequestRoute?

  // What is of the reading thread, or of few requests.

  /// Moved in when it is planned and out when it is delivered, rather than copied.
  var exchange: Exchange?
  /// The recorded connection; rounds are apart.
  let connectionKey: UInt64
  /// What it counts against the memory limit.
  var heldBytes: Int
  /// Its place in the plan, which the parts of one exchange share; how many these are, and whose this is.
  var sequence: UInt64 = 0
  var parts = 1
  var side = 0
  /// In which order the sides are sent their parts.
  var order: [Int] = []
  var heldLane: Lane?
  var holdLimit: Int64 = 0

  init(exchange: borrowing Exchange, request: HTTPRequest, round: UInt32, due: Int64?, closesConnection: Bool) {
    self.request = request
    id = exchange.id
    self.round = round
    self.due = due
    self.closesConnection = closesConnection || PlannedRequest.endsConnection(request)
    awaitsContinue =
      request.version != .http10 && request.body.size > 0
      && request.fields.first("expect").map { asciiCaseInsensitiveEqual($0, "100-continue".utf8) } ?? false
    wasHTTP2 = request.version == .http2
    connectionKey = UInt64(round) << 32 | UInt64(exchange.id.connection)
    heldBytes = PlannedRequest.size(of: exchange)
    if let response = exchange.response, response.body.bytes.count > PlannedRequest.smallBody {
      recordedBody = response.body.bytes
    }
  }

  /// Bodies up to this size are read into the memory of others before: there is less to be saved.
  private static let smallBody = 4096

  /// Moves the recorded body out.
  func takeRecordedBody() -> [UInt8] {
    var body: [UInt8] = []
    swap(&body, &recordedBody)
    return body
  }

  /// When the recorded exchange began and ended, in nanoseconds since the epoch.
  var recordedStart: Int64 { request.timing.start.nanoseconds }
  var recordedEnd: Int64 { exchange?.end.nanoseconds ?? request.timing.end.nanoseconds }

  /// Nanoseconds that the recorded exchange takes at this pacing.
  func recordedLength(at pacing: Pacing) -> Int64 {
    let length = max(0, recordedEnd &- recordedStart)
    return switch pacing {
    case .recorded(let speed): speed.dividing(length)
    case .profile, .maximum: min(length, Pacing.horizon)
    }
  }

  /// Bytes of both messages, and a round figure for the rest.
  static func size(of exchange: borrowing Exchange) -> Int {
    var size = 1024
    if let request = exchange.request { size += request.fields.storage.count + request.body.bytes.count }
    if let response = exchange.response { size += response.fields.storage.count + response.body.bytes.count }
    return size
  }

  /// Whether the client said that it would send nothing more on the connection (RFC 9112, 9.3 and 9.6).
  private static func endsConnection(_ request: HTTPRequest) -> Bool {
    var keepsAlive = false
    for index in request.fields.ranges.indices where request.fields.matches(index, "connection") {
      for option in request.fields.value(at: index).split(separator: 0x2c) {
        let name = option.drop { $0 == 0x20 || $0 == 0x09 }.prefix { $0 != 0x20 && $0 != 0x09 }
        if asciiCaseInsensitiveEqual(name, "close".utf8) { return true }
        if asciiCaseInsensitiveEqual(name, "keep-alive".utf8) { keepsAlive = true }
      }
    }
    return request.version == .http10 && !keepsAlive
  }
}
