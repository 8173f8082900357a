public import HTTPModel

/// Sends a session's requests to a target as a schedule wants, and hands back what came.
///
/// The thread that calls ``run(next:closesConnection:deliver:)`` reads the session and takes the results, one event loop
/// on a thread of its own does the network; a slow disk therefore delays no request. Both sides are joined by a bounded
/// handover, so memory does not grow with the session.
public final class Replayer: Sendable {
  public let target: ReplayTarget
  public let options: ReplayOptions

  public init(target: ReplayTarget, options: ReplayOptions = ReplayOptions()) {
    self.target = target
    self.options = options
  }

  /// Carries out the schedule; returns when the last attempt has ended and was delivered. Once for each instance.
  ///
  /// - Parameters:
  ///   - next: the session's exchanges of a round (from 0) in order of request start, one a call, nil at the end. The
  ///     first call with a new round begins again at the session's start. Called on this thread, ahead of sending.
  ///   - closesConnection: whether an exchange is the last of its recorded connection, where the caller knows; its
  ///     connection is then closed with it. Without it a connection closes after `options.idleTimeout`.
  ///   - deliver: takes each exchange that was sent with its one attempt, in the order in which attempts end. Called on
  ///     this thread. Withheld exchanges are only counted.
  /// - Throws: ``ReplayError`` before anything was sent where the options, the name or the target are at fault;
  ///   later only where `next` or `deliver` throws, after requests in flight were given up.
  public func run(
    next: (_ round: UInt32) throws -> Exchange?, closesConnection: (ExchangeID) -> Bool = { _ in false },
    deliver: (ReplayedExchange) throws -> Void
  ) throws(ReplayError) -> ReplayOutcome {
    try options.validate()
    fatalError("the engine is being written")
  }

  /// Ends the run: nothing more is sent, answers have `options.interruptGrace` to come, the rest is `interrupted`.
  ///
  /// From any thread, at any time, any number of times; not from within a signal handler.
  public func interrupt() {}

  /// The counts of the moment, from any thread.
  public var progress: ReplayProgress { ReplayProgress() }
}
