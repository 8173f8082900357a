import NIOCore

/// The requests of one connection: a recorded connection's, or one place of a pool.
///
/// Confined to the event loop. Requests recorded on HTTP/1 never overlap: what was pipelined in the recording waits here
/// for the answer before it, and its lateness counts. Those recorded on HTTP/2 go out when they are due, on one
/// connection with streams, or on as many as it takes where the target speaks HTTP/1. Without due times the recording
/// says what overlaps: a request waits for those that had ended in the recording before it began.
final class Lane {
  enum State {
    /// Nothing to send.
    case idle
    /// Has a request that waits for the cap on requests in flight or on open connections.
    case ready
    /// A request is connecting or in flight, and there is none that might go now.
    case busy
  }

  /// ``PlannedRequest/connectionKey``, or the place in the pool.
  let key: UInt64
  var state = State.idle
  /// Due requests in order; always empty in a pool, whose lanes share one queue.
  var queue = CircularBuffer<PlannedRequest>(initialCapacity: 2)
  /// Which target it goes to; of a recorded connection, as long as that is open.
  var target: Int
  /// Takes the next request: open, and not about to be closed.
  var connection: (any TargetConnection)?

  /// Its requests were recorded on HTTP/2, or in a pool: go to a target on HTTP/2.
  private(set) var overlaps: Bool
  /// Of those under way, when each had ended in the recording. Kept where ``overlaps``.
  private var recordedEnds: [Int64] = []
  /// Idle connections that speak HTTP/1, where ``overlaps``.
  var spare: [any TargetConnection] = []
  /// A connection is being made that may multiplex, and these wait for it.
  var isConnecting = false
  var awaiting: [PlannedRequest] = []
  /// In a pool: it is among the free ones.
  var isListed = false
  /// Where it stands among those of ``FreeStreams``.
  struct Listing {
    var list: Int
    var place: Int
  }
  var listing: Listing?

  init(key: UInt64, target: Int = 0, overlaps: Bool) {
    self.key = key
    self.target = target
    self.overlaps = overlaps
  }

  var active: Int { recordedEnds.count }

  /// Whether the next request needs no further connection.
  var hasConnection: Bool { connection != nil || isConnecting || !spare.isEmpty }

  /// In a pool: whether it may be given another request.
  var takesMore: Bool { active == 0 || overlaps && connection?.hasRoom ?? false }

  /// Whether a request may go before all that are under way have ended.
  func maySend(_ request: PlannedRequest) -> Bool {
    request.due != nil || !recordedEnds.contains { $0 <= request.recordedStart }
  }

  func begin(_ request: PlannedRequest) { if overlaps { recordedEnds.append(request.recordedEnd) } }

  func end(_ request: PlannedRequest) {
    guard overlaps, let place = recordedEnds.firstIndex(of: request.recordedEnd) else { return }
    recordedEnds.swapAt(place, recordedEnds.count - 1)
    recordedEnds.removeLast()
  }

  /// A place of a pool whose target turned out to speak HTTP/1.
  func becomeSequential() {
    overlaps = false
    recordedEnds = []
  }

  /// Lets its connections finish what they have; the next requests go to another target.
  func leaveTarget() {
    connection?.retire()
    for connection in spare { connection.retire() }
    spare = []
  }

  /// A connection takes no more requests.
  func letGo(_ connection: any TargetConnection) {
    if self.connection === connection {
      self.connection = nil
    } else if let place = spare.firstIndex(where: { $0 === connection }) {
      spare.remove(at: place)
    }
  }
}
