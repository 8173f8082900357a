import HTTPModel
import Synchronization

/// What the threads of a capture share: the wish to end, and how much there is.
final class CaptureControl: Sendable {
  private let stopRequested = Atomic<Bool>(false)
  private let capturing = Atomic<Bool>(false)
  private let count = Atomic<UInt64>(0)
  private let limit: UInt64

  init(maxExchanges: UInt64?) { limit = maxExchanges ?? .max }

  /// Ends the capture soon.
  func stop() { stopRequested.store(true, ordering: .relaxed) }

  var mustStop: Bool { Interruption.isRequested || stopRequested.load(ordering: .relaxed) }

  /// Whether a live capture has begun to see packets' copies.
  var isCapturing: Bool {
    get { capturing.load(ordering: .acquiring) }
    set { capturing.store(newValue, ordering: .releasing) }
  }

  var exchanges: UInt64 { count.load(ordering: .relaxed) }

  /// - Returns: false where that was the last that is wanted.
  func countExchange() -> Bool { count.add(1, ordering: .relaxed).newValue < limit }
}
