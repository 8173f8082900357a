// What was hidden is not compared by its value: a capture and a replay have keys of their own. Owner: one comparison.

import ContentTree
import HTTPModel
import ResponseDiff
import TrafficRules

/// Makes secrets and their tokens the same on both sides, so that their presence and type are still compared.
struct ComparisonBlanking {
  private var redactor: Redactor
  private let rule: RedactRule

  /// - Parameter rule: what was hidden on either side.
  init(_ rule: RedactRule = RedactRule(), descriptors: ProtobufDescriptors? = nil) {
    self.rule = rule
    redactor = Redactor.blanking(rule, descriptors: descriptors)
  }

  /// The answers as they are compared; nil where that is as they are.
  mutating func applied(to replayed: ReplayedExchange) -> ReplayedExchange? {
    guard mayHideDifference(in: replayed) else { return nil }
    var blanked = replayed
    let request = replayed.exchange.request
    if blanked.exchange.response != nil { redactor.redact(&blanked.exchange.response!, to: request) }
    for index in blanked.attempts.indices where blanked.attempts[index].response != nil {
      redactor.redact(&blanked.attempts[index].response!, to: request)
    }
    return blanked
  }

  private func mayHideDifference(in replayed: ReplayedExchange) -> Bool {
    replayed.attempts.indices.contains { index in
      guard let expected = replayed.exchange.response, let response = replayed.attempts[index].response else {
        return true
      }
      return !expected.isSameAnswer(as: response) && redactor.mayHideDifference(between: expected, and: response)
    }
  }

  /// Where tokens stand in a request for what was hidden, as names of fields and parts; none where credentials were kept.
  mutating func hiddenPlaces(in exchange: Exchange) -> [String] {
    var recorded = exchange
    recorded.response = nil
    guard let request = recorded.request, Redactor.findings(in: recorded, rule: rule).isEmpty else { return [] }
    redactor.redact(&recorded)
    guard let blanked = recorded.request, blanked.fields.count == request.fields.count else { return [] }
    var places: [String] = request.target == blanked.target ? [] : ["the query"]
    for index in request.fields.ranges.indices where request.fields.value(at: index) != blanked.fields.value(at: index)
    {
      let name = String(decoding: request.fields.name(at: index).prefix(64), as: UTF8.self).lowercased()
      if !places.contains(name) { places.append(name) }
    }
    return request.body.bytes == blanked.body.bytes ? places : places + ["the body"]
  }
}
