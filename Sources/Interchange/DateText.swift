// Dates of other tools as packet time. In: ISO 8601 text (RFC 3339 and what is near it). Out: nanoseconds.

public import HTTPModel

extension Timestamp {
  /// `2026-11-21T08:00:00.123Z`, with any number of decimals, an offset such as `+01:00` or `+0100`, or none for UTC.
  /// - Returns: nil where it is no date, or one outside the years 1678 to 2261.
  public init?(dateText text: some StringProtocol) {
    let bytes = Array(text.utf8)
    var place = 0
    func digits(_ count: Int) -> Int64? {
      guard place + count <= bytes.count else { return nil }
      var value: Int64 = 0
      for byte in bytes[place..<place + count] {
        guard byte >= 0x30, byte <= 0x39 else { return nil }
        value = value * 10 + Int64(byte - 0x30)
      }
      place += count
      return value
    }
    func skip(_ allowed: String) -> Bool {
      guard place < bytes.count, allowed.utf8.contains(bytes[place]) else { return false }
      place += 1
      return true
    }
    guard let year = digits(4), skip("-"), let month = digits(2), skip("-"), let day = digits(2), skip("Tt "),
      let hour = digits(2), skip(":"), let minute = digits(2), (1678...2261).contains(year), (1...12).contains(month),
      (1...31).contains(day), hour < 24, minute < 60
    else { return nil }
    var second: Int64 = 0
    var fraction: Int64 = 0
    if skip(":") {
      guard let value = digits(2), value <= 60 else { return nil }
      second = value
      if skip(".,") {
        var scale: Int64 = 100_000_000
        while let digit = digits(1) {
          fraction += digit * scale
          scale /= 10
        }
      }
    }
    var offset: Int64 = 0
    if place < bytes.count, !skip("Zz") {
      let isWest = bytes[place] == UInt8(ascii: "-")
      guard skip("+-"), let hours = digits(2) else { return nil }
      _ = skip(":")
      offset = hours * 3600 + (digits(2) ?? 0) * 60
      if isWest { offset = -offset }
    }
    guard place == bytes.count else { return nil }
    let days = Self.days(year: year, month: month, day: day)
    self.init(seconds: days * 86_400 + hour * 3600 + minute * 60 + second - offset, nanoseconds: fraction)
  }

  /// Days from the epoch to a date of the Gregorian calendar, the year begun in March so that the leap day comes last.
  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
