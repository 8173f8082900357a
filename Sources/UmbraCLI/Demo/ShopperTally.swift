// What the demo's shopper asked and got.
// Owner: the run that fills it. Bounds: ShopperTally.complaintLimit complaints are kept, all are counted.

/// Counts of a shopper's run.
struct ShopperTally: Hashable, Sendable {
  /// Complaints that are kept in words.
  static let complaintLimit = 20

  var connections = 0
  /// Sent.
  var requests = 0
  /// Answered with a whole response.
  var answered = 0
  /// Answers by status.
  var statuses: [Int: Int] = [:]
  /// Of answers' bodies, after transfer coding.
  var bodyBytes = 0
  /// Answers that are missing or not what the primary says.
  var wrong = 0
  /// The first few of those: what was asked and what is wrong.
  private(set) var complaints: [String] = []

  mutating func complain(about request: ShopRequest, _ complaint: String) {
    wrong += 1
    if complaints.count < Self.complaintLimit {
      complaints.append("\(request.method) \(request.target): \(complaint)")
    }
  }

  mutating func add(_ other: ShopperTally) {
    connections += other.connections
    requests += other.requests
    answered += other.answered
    statuses.merge(other.statuses, uniquingKeysWith: +)
    bodyBytes += other.bodyBytes
    wrong += other.wrong
    complaints += other.complaints.prefix(Self.complaintLimit - complaints.count)
  }
}
