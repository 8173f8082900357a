// A report's numbers as a person reads them, and the fixed orders in which its tables are printed.

import HTTPModel
import ResponseDiff

extension RunReport {
  /// What the shadow's answers were held against, and what noise was measured with.
  var comparison: String {
    let against =
      evidence.hasLivePrimary
      ? "the live primary" + (run.primary.map { " \($0)" } ?? "")
      : evidence.isMirrored
        ? "what the mirrored service answered at the same time"
        : "the recorded answers: weaker evidence than a live primary's"
    guard evidence.controlled > 0 else { return "compared with \(against); without a control" }
    let control = run.control.map { " \($0)" } ?? ""
    return "compared with \(against); noise measured with the control\(control) in "
      + "\(Figure.count(evidence.controlled)) pairs"
  }
}

/// Numbers as text, without a locale: the same report gives the same bytes everywhere.
enum Figure {
  /// `12345678` as `12,345,678`.
  static func count(_ value: UInt64) -> String {
    let digits = String(value)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// A share as percent: `0%` and `100%` only where it is exactly that.
  static func percent(_ part: UInt64, of whole: UInt64) -> String {
    whole == 0 ? "–" : percent(Double(part) / Double(whole))
  }

  static func percent(_ share: Double) -> String {
    guard share.isFinite else { return "–" }
    if share <= 0 { return "0%" }
    if share == 1 { return "100%" }
    let percent = share * 100
    if percent < 0.01 { return "<0.01%" }
    if percent < 100, percent > 99.99 { return ">99.99%" }
    return decimal(percent, percent < 1 || percent > 99 && percent < 100 ? 2 : 1) + "%"
  }

  /// Microseconds with three digits: `870us`, `12.3ms`, `4.20s`.
  static func time(microseconds value: Double) -> String {
    guard value.isFinite, value >= 0 else { return "–" }
    if value < 999.5 { return decimal(value, value < 9.995 ? 1 : 0) + "us" }
    if value < 999_500 { return threeDigits(value / 1e3) + "ms" }
    return threeDigits(value / 1e6) + "s"
  }

  /// `1.24x`.
  static func ratio(_ value: Double) -> String {
    guard value.isFinite, value >= 0 else { return "–" }
    return threeDigits(value) + "x"
  }

  static func seconds(_ value: Double) -> String {
    guard value.isFinite, value >= 0 else { return "–" }
    if value < 120 { return threeDigits(value) + "s" }
    return value < 7200 ? decimal(value / 60, 1) + "m" : decimal(value / 3600, 1) + "h"
  }

  /// A measured value of a gate: as short as four significant digits allow.
  static func value(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    let magnitude = value.magnitude
    if magnitude == magnitude.rounded(), magnitude < 1e15 { return String(Int64(value)) }
    if magnitude >= 1e15 || magnitude < 1e-4 { return value.description }
    var text = decimal(value, magnitude >= 1000 ? 1 : magnitude >= 1 ? 3 : magnitude >= 0.01 ? 4 : 6)
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }

  private static func threeDigits(_ value: Double) -> String {
    decimal(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0)
  }

  /// Rounded half up to this many digits after the point; values that no Int64 holds as Swift prints them.
  static func decimal(_ value: Double, _ digits: Int) -> String {
    var scale: Int64 = 1
    for _ in 0..<digits { scale *= 10 }
    guard let scaled = Int64(exactly: (value.magnitude * Double(scale)).rounded()) else { return value.description }
    let whole = String(scaled / scale)
    let sign = value < 0 && scaled != 0 ? "-" : ""
    guard digits > 0 else { return sign + whole }
    let rest = String(scaled % scale)
    return sign + whole + "." + String(repeating: "0", count: digits - rest.count) + rest
  }
}

/// The shadow's quantiles over the primary's.
struct LatencyRatio {
  var p50: Double?
  var p95: Double?
  var p99: Double?
}

extension LatencySummary {
  /// nil where a side has no samples; a quantile of nothing or of zero gives no ratio.
  var ratio: LatencyRatio? {
    guard let primary, let shadow else { return nil }
    func over(_ quantile: (Quantiles) -> Double) -> Double? {
      let (below, above) = (quantile(primary), quantile(shadow))
      let ratio = above / below
      return below > 0 && above >= 0 && ratio.isFinite ? ratio : nil
    }
    return LatencyRatio(p50: over(\.p50), p95: over(\.p95), p99: over(\.p99))
  }
}

extension Quantiles {
  /// Rising, by their names in JSON.
  var named: [(name: String, value: Double)] {
    [("p50", p50), ("p90", p90), ("p95", p95), ("p99", p99), ("p999", p999), ("max", max)]
  }
}

extension Dictionary where Value == UInt64 {
  var sum: UInt64 { values.reduce(0, &+) }
}

extension [UInt16: UInt64] {
  var sortedByStatus: [(name: String, count: UInt64)] { sorted { $0.key < $1.key }.map { (String($0.key), $0.value) } }
}

extension [String: UInt64] {
  var sortedByName: [(name: String, count: UInt64)] { sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }

}

extension String {
  /// A quantile's name for a person: `p99.9` for `p999`.
  var label: String { self == "p999" ? "p99.9" : self }
}

extension GateResult.Outcome {
  var word: String {
    switch self {
    case .passed: "passed"
    case .crossed: "crossed"
    case .noEvidence: "no evidence"
    }
  }
}

extension Timestamp {
  /// `2026-11-21 00:00:00Z`.
  var toSeconds: String {
    let text = description
    return text.prefix { $0 != "T" } + " " + text.drop { $0 != "T" }.dropFirst().prefix { $0 != "." } + "Z"
  }
}

extension Ledger {
  /// Nothing was seen, so that nothing can be called complete.
  var isBlank: Bool { self[.packetsSeen] == 0 && self[.exchangesComplete] == 0 }
}

extension Ledger.Row {
  /// The meaning with what is counted, where the meaning relies on its group's title.
  var phrase: String {
    switch identifier.prefix(while: { $0 != "_" }) {
    case "bytes": "bytes \(meaning)"
    case "connections": "connections \(meaning)"
    default: meaning
    }
  }

  /// What makes a capture less than whole.
  static let losses: [Ledger.Row] = [
    .packetsKernelDropped, .packetsInterfaceDropped, .packetsSnapCut, .packetsUndecodable, .bytesUnaccounted,
    .bytesPending,
    .bytesGap, .bytesSnapCut, .connectionsEncrypted, .exchangesIncomplete, .requestsWithoutResponse,
    .responsesWithoutRequest, .exchangesShed, .blocksShed,
  ]
}

extension ReportOptions {
  /// The command that prints one exchange of the run, quoted for a shell.
  func showCommand(_ exchange: ExchangeID) -> String {
    let isPlain = runFile.utf8.allSatisfy {
      $0 >= 0x30 && $0 <= 0x39 || $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a || "-_./+,:@%".utf8.contains($0)
    }
    let quoted = "'" + runFile.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    return "umbra show \(visible(isPlain && !runFile.isEmpty ? runFile : quoted)) --id \(exchange)"
  }
}

extension Figure {
  /// Of 100 units; what is there at all stays visible.
  static func barWidth(_ part: UInt64, of whole: UInt64) -> String {
    guard whole > 0, part > 0 else { return "0" }
    return decimal(min(100, max(1, Double(part) / Double(whole) * 100)), 1)
  }
}
