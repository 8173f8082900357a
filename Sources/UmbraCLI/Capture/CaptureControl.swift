import HTTPModel
import Synchronization

/// What the threads of a capture share: the wish to end, and how much there is.
final class CaptureControl: Sendable {
  private let stopRequested = Atomic<Bool>(false)
  private let capturing = Atomic<Bool>(false)
  private let count = Atomic<UInt64>(0)
  private let limit: UInt64
  private let keepsRest: Bool

  /// - Parameters:
  ///   - maxExchanges: ends the capture.
  ///   - keepsRest: what has begun by then is still wanted: a shadow has its request already.
  init(maxExchanges: UInt64?, keepsRest: Bool = false) {
    limit = maxExchanges ?? .max
    self.keepsRest = keepsRest
  }

  /// Ends the capture soon.
  func stop() { stopRequested.store(true, ordering: .relaxed) }

  var mustStop: Bool { Interruption.isRequested || stopRequested.load(ordering: .relaxed) }

  /// Whether a live capture has begun to see packets' copies.
  var isCapturing: Bool {
    get { capturing.load(ordering: .acquiring) }
    set { capturing.store(newValue, ordering: .releasing) }
  }

  var exchanges: UInt64 { count.load(ordering: .relaxed) }

  /// Nothing more is wanted.
  var isFull: Bool { !keepsRest && exchanges >= limit }

  /// Counts an exchange that is wanted; the last of them ends the capture.
  /// - Returns: false where there were enough before it.
  func countExchange() -> Bool {
    let number = count.add(1, ordering: .relaxed).newValue
    if number >= limit { stop() }
    guard number > limit, !keepsRest else { return true }
    count.subtract(1, ordering: .relaxed)
    return false
  }
}
