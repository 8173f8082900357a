// What tells one session from another, so that shards of one replay can be told from shards of two.

import HTTPModel

extension ExchangeSource {
  /// The number of its exchanges and the time of the first and the last; the same on every machine.
  var identity: String {
    let range = timeRange.map { "\($0.lowerBound.nanoseconds)-\($0.upperBound.nanoseconds)" } ?? "none"
    return "\(range)-\(total)"
  }
}
