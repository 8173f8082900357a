/// What a run's answers were held against, and what noise was measured with.
public struct ComparisonEvidence: Hashable, Sendable {
  /// The primary was asked again, at the same time; else its recorded answers count.
  public var hasLivePrimary: Bool
  /// The recorded answers were given while the shadow was asked, by the service that is mirrored.
  public var isMirrored: Bool
  /// Where it was: pairs that were nevertheless held against the recorded answer, because their request may change
  /// something and was not sent to the primary.
  public var recorded: UInt64
  /// Requests that the primary gave no whole answer to, or was not sent though it might have been: they are in no pair.
  public var primaryFailed: UInt64
  /// Pairs in which a control answered too.
  public var controlled: UInt64
  /// Of those, the pairs in which the control gave no answer or one of another status class.
  public var strayed: UInt64
  /// Places whose differences were tested against the control.
  public var tested: UInt64
  /// The run whose findings are known; nil where there is none.
  public var baseline: String?

  public init(
    hasLivePrimary: Bool = false, isMirrored: Bool = false, recorded: UInt64 = 0, primaryFailed: UInt64 = 0,
    controlled: UInt64 = 0, strayed: UInt64 = 0, tested: UInt64 = 0, baseline: String? = nil
  ) {
    self.hasLivePrimary = hasLivePrimary
    self.isMirrored = isMirrored
    self.recorded = recorded
    self.primaryFailed = primaryFailed
    self.controlled = controlled
    self.strayed = strayed
    self.tested = tested
    self.baseline = baseline
  }
}
