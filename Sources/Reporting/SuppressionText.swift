// What rules let pass, as a person reads it. In: a row of the tally. Out: its rule, and what came of it.

import HTTPModel
import ResponseDiff

extension SuppressionTally.Row {
  /// `body:/**/updated_at as time within 5s`.
  var rule: String {
    var text = "\(suppression.at)"
    if suppression.form != .any { text += " as \(suppression.form.rawValue)" }
    if let within = suppression.within {
      text += " within \(suppression.form == .time ? Figure.seconds(within) : Figure.value(within))"
    }
    return text
  }

  /// Reason, owner and end, as far as the rule says them.
  var origin: String {
    [suppression.reason, suppression.owner, expiry.map { "until \($0)" }].compactMap { $0 }.joined(separator: ", ")
  }

  /// The day from which on it holds no more.
  var expiry: String? { suppression.expires.map { String($0.description.prefix { $0 != "T" }) } }

  /// What is to be done about it; nil where nothing is.
  var advice: String? {
    switch state {
    case .used: nil
    case .dead: "It let nothing pass: remove it, or mend its place."
    case .expired: "It has expired and let nothing pass: remove or renew it."
    case .overBroad: "It lets differences pass at \(placeCount): narrow it."
    }
  }

  private var placeCount: String {
    places.count == 1 ? "one place, and could at any" : "\(Figure.count(UInt64(places.count))) places"
  }
}

extension [SuppressionTally.Row] {
  /// `3 used, 1 dead`.
  var summary: String {
    SuppressionTally.State.allCases.compactMap { state in
      let count = count { $0.state == state }
      return count > 0 ? "\(Figure.count(UInt64(count))) \(state.rawValue)" : nil
    }.joined(separator: ", ")
  }
}
