// What was hidden is not compared by its value: a capture and a replay have keys of their own. Owner: one comparison.

import HTTPModel
import TrafficRules

/// Makes secrets and their tokens the same on both sides, so that their presence and type are still compared.
struct ComparisonBlanking {
  private var redactor: Redactor

  /// - Parameter rule: what was hidden on either side.
  init(_ rule: RedactRule = RedactRule()) { redactor = Redactor.blanking(rule) }

  mutating func applied(to replayed: ReplayedExchange) -> ReplayedExchange {
    guard
      replayed.attempts.contains(where: { attempt in
        guard let expected = replayed.exchange.response, let response = attempt.response else { return true }
        return redactor.mayHideDifference(between: expected, and: response)
      })
    else { return replayed }
    var blanked = replayed
    if blanked.exchange.response != nil { redactor.redact(&blanked.exchange.response!) }
    for index in blanked.attempts.indices where blanked.attempts[index].response != nil {
      redactor.redact(&blanked.attempts[index].response!)
    }
    return blanked
  }
}
