/// The text of `--speed` and `--rate` to a ``Pacing``, and back.
///
/// Input: at most one line from a user. Numbers are decimal fractions with at most nine digits before and six after the
/// point, held exactly.
extension Pacing {
  /// Reads a speed: `1x`, `0.5x`, `10x`, `max`; the `x` may be left out.
  /// - Throws: ``PacingError`` that names what was given and what is expected. Range: 0.001 to 10,000.
  public init(speed text: String) throws(PacingError) {
    if text == "max" {
      self = .maximum
      return
    }
    let number = text.hasSuffix("x") ? text.dropLast() : text[...]
    guard let speed = DecimalFraction(number) else { throw .speedNotUnderstood(text) }
    guard speed.units >= speed.scale / 1000, speed.units > 0, speed.units <= 10_000 * speed.scale else {
      throw .speedOutOfRange(text)
    }
    self = .recorded(speed: Ratio(speed.units, speed.scale))
  }

  /// Reads a rate: `500/s`, `30/m`, `1000/h`.
  /// - Throws: ``PacingError``. Range: one an hour to 10,000,000 a second. The profiles that change over time
  ///   (`ramp:`, `step:`, `spike:`, `poisson:`, and several joined by `;`) are refused by name.
  public init(rate text: String) throws(PacingError) {
    if text.contains(";") { throw .profileNotSupported(profile: "a profile of several parts", text: text) }
    if let colon = text.firstIndex(of: ":") {
      let name = String(text[..<colon])
      guard ["ramp", "step", "spike", "poisson"].contains(name) else { throw .rateNotUnderstood(text) }
      throw .profileNotSupported(profile: "the profile '\(name)'", text: text)
    }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let number = DecimalFraction(parts[0]), let unit = Pacing.seconds[String(parts[1])] else {
      throw .rateNotUnderstood(text)
    }
    let window = number.scale * unit * 1_000_000_000
    guard number.units > 0, number.units * 3600 >= number.scale * unit,
      number.units <= 10_000_000 * unit * number.scale
    else { throw .rateOutOfRange(text) }
    let ratio = Ratio(number.units, window)
    self = .constant(arrivals: ratio.numerator, nanoseconds: ratio.denominator)
  }

  private static let seconds: [String: UInt64] = ["s": 1, "m": 60, "h": 3600]
}

extension Pacing: CustomStringConvertible {
  /// `0.5x`, `500/s`, `max`: what ``init(speed:)`` and ``init(rate:)`` read, in the largest unit that takes no fraction.
  public var description: String {
    switch self {
    case .maximum: return "max"
    case .recorded(let speed):
      return DecimalFraction.text(speed.numerator, over: speed.denominator) + "x"
    case .constant(let arrivals, let nanoseconds):
      for (unit, seconds) in [("s", 1), ("m", 60), ("h", 3600)] as [(String, UInt64)] {
        let product = arrivals.multipliedFullWidth(by: seconds * 1_000_000_000)
        guard product.high < nanoseconds else { continue }
        let (rate, rest) = nanoseconds.dividingFullWidth(product)
        if rest == 0 { return "\(rate)/\(unit)" }
      }
      let (rate, rest) = nanoseconds.dividingFullWidth(arrivals.multipliedFullWidth(by: 1_000_000_000))
      return DecimalFraction.text(rate, plus: rest, over: nanoseconds) + "/s"
    }
  }
}

/// Why a text is no pacing.
public enum PacingError: Error, Hashable, Sendable, CustomStringConvertible {
  case speedNotUnderstood(String)
  case speedOutOfRange(String)
  case rateNotUnderstood(String)
  case rateOutOfRange(String)
  /// A profile that a later version carries out.
  case profileNotSupported(profile: String, text: String)

  public var description: String {
    switch self {
    case .speedNotUnderstood(let text):
      "'\(text)' is not a speed; write how many times as fast, like 1x, 0.5x or 10x, or max"
    case .speedOutOfRange(let text): "the speed '\(text)' is outside 0.001x to 10000x"
    case .rateNotUnderstood(let text):
      "'\(text)' is not a rate; write requests per second, minute or hour, like 500/s, 30/m or 1000/h"
    case .rateOutOfRange(let text): "the rate '\(text)' is outside 1/h to 10000000/s"
    case .profileNotSupported(let profile, let text):
      "\(profile) in '\(text)' is not in this version; a constant rate like 500/s is"
    }
  }
}
