import NIOCore

/// A connection to the target: requests in, the ends of their attempts to the engine.
///
/// Confined to the event loop. It ends each attempt that it was given exactly once, or hands it back as not processed.
protocol TargetConnection: AnyObject {
  /// Where the engine lists it; below 0 while it does not.
  var slot: Int { get set }
  /// Nil once it takes no more requests.
  var lane: Lane? { get }
  /// When ``deadlinePassed(now:)`` is to be called, or earlier.
  var deadline: Int64 { get }
  /// Nothing is in flight, since ``idleSince``.
  var isIdle: Bool { get }
  var idleSince: Int64 { get }
  /// Whether requests may overlap on it.
  var multiplexes: Bool { get }
  /// Whether another request would not have to wait on it.
  var hasRoom: Bool { get }

  /// Sends a request; it must be open, and without ``multiplexes`` also idle.
  func send(_ request: PlannedRequest, now: Int64)
  func deadlinePassed(now: Int64)
  /// What was postponed has its time.
  func moveOn(now: Int64)
  /// Gives up what is in flight, and closes.
  func interrupt(now: Int64)
  /// Takes no more requests, and closes when those in flight have ended.
  func retire()
  /// Lets go of its lane and closes. Nothing may be in flight.
  func close()
  /// Closes a connection that was made after the run had ended, before it was given anything.
  func abandon()
  /// Hands what was written to the system.
  func flush()
}
