import NIOCore

/// The requests that follow each other on one connection: a recorded connection's, or one place of a pool.
///
/// Confined to the event loop. Requests of a lane never overlap: what was pipelined in the recording waits here for the
/// answer before it, and its lateness counts.
final class Lane {
  enum State {
    /// Nothing to send.
    case idle
    /// Has a request that waits for the cap on requests in flight or on open connections.
    case ready
    /// A request is connecting or in flight.
    case busy
  }

  /// ``PlannedRequest/connectionKey``, or the place in the pool.
  let key: UInt64
  var state = State.idle
  /// Due requests in order; always empty in a pool, whose lanes share one queue.
  var queue = CircularBuffer<PlannedRequest>(initialCapacity: 2)
  /// Which target it goes to; of a recorded connection, as long as that is open.
  var target: Int
  /// Open, and not about to be closed.
  var connection: TargetConnection?

  init(key: UInt64, target: Int = 0) {
    self.key = key
    self.target = target
  }
}
