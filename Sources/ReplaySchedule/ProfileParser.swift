/// The text of `--rate` to an ``ArrivalProfile``.
///
///     profile = part *( ";" part )
///     part    = [ "poisson:" ] shape
///     shape   = rate [ "," time ]
///             | "ramp:" rate ".." rate "," time
///             | "step:" rate ".." rate "," ( "+" / "-" ) rate "," time
///             | "spike:" rate "," rate "," "at=" time "," "for=" time
///             | "sine:" rate "," rate "," time [ "," time ]
///     rate    = number "/" ( "s" / "m" / "h" )
///     time    = number ( "ns" / "us" / "ms" / "s" / "m" / "h" / "d" )
///
/// Spaces may stand around `;` and `,`. Only the last part may go on without an end. A rate may be 0 where its part has
/// a length, which makes a pause.
struct ProfileParser {
  /// The largest first.
  static let timeUnits: [(name: String, nanoseconds: UInt64)] = [
    ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
    ("ms", 1_000_000), ("us", 1000), ("ns", 1),
  ]
  /// A sine's place within its period is found in floating point, which is exact to the nanosecond up to here.
  private static let longestPeriod: UInt64 = 7 * 86_400_000_000_000

  private let text: String
  private let characters: [Character]
  private var position = 0

  init(_ text: String) {
    self.text = text
    characters = Array(text)
  }

  mutating func parse() throws(PacingError) -> ArrivalProfile {
    var parts: [ArrivalPart] = []
    var (length, stretches, isOpen, sendsAnything) = (UInt64(0), 0, false, false)
    while true {
      skipSpace()
      let start = position
      if isOpen { throw fail("a part before this one has no end: give it a length, like 500/s,1m", at: start) }
      let part = try parsePart()
      stretches += min(part.shape.stepCount, ArrivalProfile.stretchLimit) + 2
      guard stretches <= ArrivalProfile.stretchLimit else {
        throw fail("that makes more than \(ArrivalProfile.stretchLimit) steps: make them higher", at: start)
      }
      parts.append(part)
      skipSpace()
      let isLast = position == characters.count
      for (curve, time) in part.shape.curves(isLast: isLast) {
        if curve != .hold(.zero) { sendsAnything = true }
        let sum = length.addingReportingOverflow(time ?? 0)
        guard !sum.overflow, sum.partialValue <= UInt64(Pacing.horizon) else {
          throw fail("the profile is longer than 100 years", at: start)
        }
        length = sum.partialValue
        if time == nil { isOpen = true }
      }
      if isLast {
        if !sendsAnything { throw fail("it sends nothing: a rate is from 1/h to 10000000/s", at: start) }
        if isOpen, case .hold(.zero, _) = part.shape { throw fail("a pause needs a length, like 0/s,30s", at: start) }
        return ArrivalProfile(parts: parts)
      }
      try expect(";", "expected ; before the next part, or the end")
    }
  }

  private mutating func parsePart() throws(PacingError) -> ArrivalPart {
    var isPoisson = false
    var start = position
    var name = takeName()
    if name == "poisson" {
      isPoisson = true
      start = position
      name = takeName()
    }
    let shape: ArrivalShape
    switch name {
    case nil: shape = .hold(try rate(), length: try optionalTime())
    case "ramp": shape = try ramp()
    case "step": shape = try step()
    case "spike": shape = try spike()
    case "sine": shape = try sine()
    default:
      let known = "ramp:, step:, spike:, sine: and poisson: before any of them or before a rate"
      throw fail("'\(name ?? "")' is no profile; known: \(known)", at: start)
    }
    return ArrivalPart(shape: shape, isPoisson: isPoisson)
  }

  private mutating func ramp() throws(PacingError) -> ArrivalShape {
    let (from, to) = try range(example: "ramp:100/s..3000/s,5m")
    return .ramp(from: from, to: to, length: try time(after: "the time that the ramp takes"))
  }

  private mutating func step() throws(PacingError) -> ArrivalShape {
    let (from, to) = try range(example: "step:500/s..3000/s,+500/s,1m")
    try expect(",", "expected , and the height of a step, like +500/s")
    let place = position
    let sign = peek
    guard sign == "+" || sign == "-" else { throw fail("a step's height has a sign: +500/s upwards, -500/s downwards") }
    position += 1
    let by = try rate()
    if by == .zero { throw fail("a step needs a height above 0", at: place) }
    if from != to, (sign == "+") != (from < to) {
      throw fail("from \(from) to \(to) takes a step with \(from < to ? "+" : "-")", at: place)
    }
    return .step(from: from, to: to, by: by, each: try time(after: "the time that each step takes"))
  }

  private mutating func spike() throws(PacingError) -> ArrivalShape {
    let base = try rate()
    try expect(",", "expected , and the peak's rate")
    let peak = try rate()
    let at = try time(after: "at= and when the peak begins", named: "at=")
    return .spike(base: base, peak: peak, at: at, lasting: try time(after: "for= and how long it lasts", named: "for="))
  }

  private mutating func sine() throws(PacingError) -> ArrivalShape {
    let mean = try rate()
    try expect(",", "expected , and how far the rate swings, like 200/s")
    let place = position
    let amplitude = try rate()
    if mean == .zero { throw fail("the mean rate is above 0", at: place) }
    if mean < amplitude { throw fail("a rate cannot swing below 0: at most \(mean) around \(mean)", at: place) }
    let period = try time(after: "the period")
    if period > ProfileParser.longestPeriod { throw fail("a period is at most 7d") }
    return .sine(mean: mean, amplitude: amplitude, period: period, length: try optionalTime())
  }

  private mutating func range(example: String) throws(PacingError) -> (ArrivalRate, ArrivalRate) {
    let from = try rate()
    guard peek == ".", position + 1 < characters.count, characters[position + 1] == "." else {
      throw fail("expected .. and the rate at the end, like \(example)")
    }
    position += 2
    return (from, try rate())
  }

  private mutating func rate() throws(PacingError) -> ArrivalRate {
    skipSpace()
    let start = position
    let expected = "expected a rate in requests per second, minute or hour, like 500/s, 30/m or 1000/h"
    guard let number = DecimalFraction(takeNumber()), peek == "/" else { throw fail(expected, at: start) }
    position += 1
    guard let unit = peek, let seconds = ["s": 1, "m": 60, "h": 3600][unit] as UInt64? else {
      throw fail(expected, at: start)
    }
    position += 1
    guard let rate = ArrivalRate(number, perSeconds: seconds), rate >= .lowest || rate == .zero else {
      throw fail("a rate is from 1/h to 10000000/s", at: start)
    }
    return rate
  }

  private mutating func optionalTime() throws(PacingError) -> UInt64? {
    skipSpace()
    return peek == "," ? try time(after: "how long this part lasts") : nil
  }

  private mutating func time(after what: String, named name: String = "") throws(PacingError) -> UInt64 {
    skipSpace()
    try expect(",", "expected , and \(what)")
    for character in name { try expect(character, "expected \(what), like \(name)30s") }
    let start = position
    let expected = "expected \(what) as a time, like \(name)500ms, \(name)30s or \(name)5m"
    guard let number = DecimalFraction(takeNumber()) else { throw fail(expected, at: start) }
    let unit = take { $0.isLetter }
    guard let factor = ProfileParser.timeUnits.first(where: { $0.name == unit })?.nanoseconds else {
      throw fail(expected, at: start)
    }
    let product = number.units.multipliedFullWidth(by: factor)
    guard product.high < number.scale else { throw fail("a time is at most 100 years", at: start) }
    let nanoseconds = number.scale.dividingFullWidth(product).quotient
    guard nanoseconds > 0, nanoseconds <= UInt64(Pacing.horizon) else {
      throw fail("a time is above 0 and at most 100 years", at: start)
    }
    return nanoseconds
  }

  // MARK: Characters

  private var peek: Character? { position < characters.count ? characters[position] : nil }

  private mutating func skipSpace() { while peek == " " { position += 1 } }

  /// Letters before a colon, and the colon.
  private mutating func takeName() -> String? {
    let start = position
    let name = take { $0.isLetter }
    guard peek == ":" else {
      position = start
      return nil
    }
    position += 1
    return name
  }

  /// Digits and a point, but not the two points of a range.
  private mutating func takeNumber() -> Substring {
    skipSpace()
    var number = ""
    while let character = peek, character.isASCII, character.isNumber || character == "." {
      if character == ".", position + 1 < characters.count, characters[position + 1] == "." { break }
      number.append(character)
      position += 1
    }
    return number[...]
  }

  private mutating func take(while isWanted: (Character) -> Bool) -> String {
    let start = position
    while let character = peek, isWanted(character) { position += 1 }
    return String(characters[start..<position])
  }

  private mutating func expect(_ character: Character, _ message: String) throws(PacingError) {
    skipSpace()
    guard peek == character else { throw fail(message) }
    position += 1
    skipSpace()
  }

  private func fail(_ message: String, at place: Int? = nil) -> PacingError {
    .rateNotUnderstood(text: text, column: (place ?? position) + 1, message: message)
  }
}
