// Attempts as spans: each a child of the recorded request's span, with an identifier that follows from what it replays,
// so that nothing has to be remembered between sending and the answer.

public import HTTPModel

/// Which spans the attempts of one run are.
public struct AttemptTracing: Sendable {
  /// What the replayed request carries.
  public enum Propagation: String, CaseIterable, Sendable {
    /// The recorded fields.
    case keep
    /// Fields that make the shadow's spans children of the attempt's; requests without a trace begin one.
    case child
  }

  public let propagation: Propagation
  private let seed: UInt64
  private let targets: [String]
  private let besides: [AttemptRole: String]

  /// - Parameters:
  ///   - seed: different for each run.
  ///   - targets: names of the shadow's, by ``HTTPModel/Attempt/target``.
  ///   - besides: names of the primary and of the control, where they are asked.
  public init(
    _ propagation: Propagation, seed: UInt64, targets: [String], besides: [AttemptRole: String] = [:]
  ) {
    self.propagation = propagation
    self.seed = seed
    self.targets = targets
    self.besides = besides
  }

  /// Fields that a request is sent with in place of its own.
  public func fields(
    for request: HTTPRequest, _ id: ExchangeID, round: UInt32, role: AttemptRole = .shadow
  ) -> [(name: [UInt8], value: [UInt8])] {
    guard propagation == .child else { return [] }
    return parent(of: request, id, round).context.fields(forChild: spanID(id, round, role))
  }

  /// The span of an attempt; nil where the recorded trace is not sampled.
  public func span(of attempt: Attempt, _ request: HTTPRequest) -> AttemptSpan? {
    let (context, isRecorded) = parent(of: request, attempt.exchange, attempt.round)
    guard context.isSampled else { return nil }
    let names = attempt.role == .shadow ? targets : besides[attempt.role].map { [$0] } ?? []
    let target = Int(attempt.target) < names.count ? names[Int(attempt.target)] : "other"
    return AttemptSpan(
      context: context, hasParent: isRecorded, spanID: spanID(attempt.exchange, attempt.round, attempt.role),
      method: String(decoding: request.method.prefix(32), as: UTF8.self),
      path: String(decoding: request.target.prefix { $0 != 0x3f }.prefix(256), as: UTF8.self), target: target,
      role: attempt.role, start: attempt.sent ?? attempt.scheduled, end: attempt.end, scheduled: attempt.scheduled,
      exchange: attempt.exchange, outcome: attempt.outcome, status: attempt.response?.status)
  }

  private func parent(of request: HTTPRequest, _ id: ExchangeID, _ round: UInt32) -> (
    context: TraceContext, isRecorded: Bool
  ) {
    if let context = TraceContext(request.fields) { return (context, true) }
    let (high, low) = (mixed(id, round, 1), mixed(id, round, 2))
    return (TraceContext(root: high, low | 1, spanID: spanID(id, round, .shadow)), false)
  }

  /// The shadow's is that of the trace's root, where the recorded request has none.
  private func spanID(_ id: ExchangeID, _ round: UInt32, _ role: AttemptRole) -> UInt64 {
    mixed(id, round, role == .shadow ? 0 : 2 + UInt64(role.rawValue)) | 1
  }

  /// Three rounds of SplitMix64's finalizer over all that names an attempt.
  private func mixed(_ id: ExchangeID, _ round: UInt32, _ purpose: UInt64) -> UInt64 {
    var value = seed
    for part in [UInt64(id.connection) << 32 | UInt64(id.ordinal), UInt64(round) << 8 | purpose] {
      value = (value ^ part) &+ 0x9e37_79b9_7f4a_7c15
      value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
      value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
      value ^= value >> 31
    }
    return value
  }
}

/// One attempt, as a trace shows it.
public struct AttemptSpan: Sendable {
  var context: TraceContext
  var hasParent: Bool
  var spanID: UInt64
  var method: String
  var path: String
  var target: String
  var role: AttemptRole
  var start: Timestamp
  var end: Timestamp
  var scheduled: Timestamp
  var exchange: ExchangeID
  var outcome: AttemptOutcome
  var status: UInt16?
}
