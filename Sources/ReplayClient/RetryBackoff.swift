/// How long to wait before a request is tried again: exponential backoff with full jitter.
///
///     wait(n) = random in 0 ... min(longest, first 2^n)
///
/// The jitter is over the whole range, so that requests that failed together do not come back together.
struct RetryBackoff {
  /// Nanoseconds.
  static let first: Int64 = 100_000_000
  static let longest: Int64 = 10_000_000_000

  /// - Parameters:
  ///   - tries: how often it was tried again before.
  ///   - random: all 64 bits of it.
  ///   - backoff: nothing is waited, always `first`, or as above.
  /// - Returns: nanoseconds.
  static func wait(tries: UInt32, random: UInt64, backoff: RequestRoute.Backoff = .exponential) -> Int64 {
    switch backoff {
    case .none: return 0
    case .constant: return first
    case .exponential: break
    }
    let bound = min(longest, first << Int64(min(tries, 20)))
    return Int64(random.multipliedFullWidth(by: UInt64(bound) + 1).high)
  }
}
