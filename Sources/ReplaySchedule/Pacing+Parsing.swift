/// The text of `--speed` to a ``Pacing``, and any pacing to text.
///
/// Input: at most one line from a user. Numbers are decimal fractions with at most nine digits before and six after the
/// point, held exactly. `--rate` is read in `ProfileParser`.
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

  /// Reads a profile of arrivals: `500/s`, `ramp:100/s..3000/s,5m`, several joined by `;` (``ArrivalShape``).
  /// - Throws: ``PacingError/rateNotUnderstood(text:column:message:)``.
  public init(rate text: String) throws(PacingError) {
    var parser = ProfileParser(text)
    self = .profile(try parser.parse())
  }
}

extension Pacing: CustomStringConvertible {
  /// `0.5x`, `500/s`, `max`: what ``init(speed:)`` and ``init(rate:)`` read.
  public var description: String {
    switch self {
    case .maximum: "max"
    case .recorded(let speed): DecimalFraction.text(speed.numerator, over: speed.denominator) + "x"
    case .profile(let profile): profile.parts.map(\.description).joined(separator: ";")
    }
  }
}

extension ArrivalPart: CustomStringConvertible {
  /// As `--rate` reads it.
  public var description: String { (isPoisson ? "poisson:" : "") + shape.description }
}

extension ArrivalShape: CustomStringConvertible {
  /// As `--rate` reads it.
  public var description: String {
    func time(_ nanoseconds: UInt64) -> String {
      for (unit, factor) in ProfileParser.timeUnits where nanoseconds >= factor && nanoseconds % factor == 0 {
        return "\(nanoseconds / factor)\(unit)"
      }
      return "\(nanoseconds)ns"
    }
    func after(_ length: UInt64?) -> String { length.map { "," + time($0) } ?? "" }
    switch self {
    case .hold(let rate, let length): return "\(rate)\(after(length))"
    case .ramp(let from, let to, let length): return "ramp:\(from)..\(to),\(time(length))"
    case .step(let from, let to, let by, let each):
      return "step:\(from)..\(to),\(from < to ? "+" : "-")\(by),\(time(each))"
    case .spike(let base, let peak, let at, let lasting):
      return "spike:\(base),\(peak),at=\(time(at)),for=\(time(lasting))"
    case .sine(let mean, let amplitude, let period, let length):
      return "sine:\(mean),\(amplitude),\(time(period))\(after(length))"
    }
  }
}

/// Why a text is no pacing.
public enum PacingError: Error, Hashable, Sendable, CustomStringConvertible {
  case speedNotUnderstood(String)
  case speedOutOfRange(String)
  /// - `column`: of the first character that is wrong, from 1, in characters.
  /// - `message`: one sentence that names what would be right.
  case rateNotUnderstood(text: String, column: Int, message: String)

  public var description: String {
    switch self {
    case .speedNotUnderstood(let text):
      "'\(text)' is not a speed; write how many times as fast, like 1x, 0.5x or 10x, or max"
    case .speedOutOfRange(let text): "the speed '\(text)' is outside 0.001x to 10000x"
    case .rateNotUnderstood(let text, let column, let message): "rate '\(text)', column \(column): \(message)"
    }
  }
}
