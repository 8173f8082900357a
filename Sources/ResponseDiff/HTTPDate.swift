// Points in time as texts spell them: HTTP's dates (RFC 9110, 5.6.7) in all three forms, RFC 3339, seconds since 1970.
// In: a field's value or a quoted value. Out: seconds since the epoch. Owner: pure functions.

/// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994` as seconds since 1970;
/// nil for any other form. Two digits of a year are of 1970 to 2069.
func httpDateSeconds(_ value: ArraySlice<UInt8>) -> Int64? {
  guard value.count <= 40 else { return nil }
  var words = value.split { $0 == 0x20 || $0 == UInt8(ascii: ",") }.map { Array($0) }
  if words.count == 4, words[3].elementsEqual("GMT".utf8) {
    let date = words[1].split(separator: UInt8(ascii: "-")).map { Array($0) }
    guard date.count == 3, date[2].count == 2, var year = number(date[2]) else { return nil }
    year += year < 70 ? 2000 : 1900
    words = [words[0], date[0], date[1], Array(String(year).utf8), words[2], words[3]]
  } else if words.count == 5 {
    words = [words[0], words[2], words[1], words[4], words[3], Array("GMT".utf8)]
  }
  guard words.count == 6, words[5].elementsEqual("GMT".utf8), (1...2).contains(words[1].count), words[3].count == 4,
    let day = number(words[1]), (1...31).contains(day), let month = monthNumber(words[2]), let year = number(words[3]),
    let time = timeOfDay(words[4][...])
  else { return nil }
  return daysSinceEpoch(year, month, day) * 86_400 + Int64(time)
}

/// A time as differences quote it, in seconds since 1970: RFC 3339 (without a zone: UTC), an HTTP date, a day, or a number
/// of seconds or milliseconds.
func instantSeconds(_ quoted: String) -> Double? {
  var text = Array(quoted.utf8)[...]
  if text.count >= 2, text.first == UInt8(ascii: "\""), text.last == text.first { text = text.dropFirst().dropLast() }
  switch ValueShape(ofText: text) {
  case .httpDate: return httpDateSeconds(text).map(Double.init)
  case .date, .time: return rfc3339Seconds(Array(text))
  case .digits, .integer, .epochSeconds, .epochMilliseconds, .real, .text:
    guard let number = Double(String(decoding: text, as: UTF8.self)), number.isFinite else { return nil }
    return number >= 1e11 ? number / 1000 : number
  default: return nil
  }
}

private func rfc3339Seconds(_ text: [UInt8]) -> Double? {
  guard text.count >= 10, let year = number(text[0..<4]), let month = number(text[5..<7]), (1...12).contains(month),
    let day = number(text[8..<10]), (1...31).contains(day)
  else { return nil }
  let midnight = Double(daysSinceEpoch(year, month, day) * 86_400)
  if text.count == 10 { return midnight }
  let rest = text[11...]
  let zone = rest.firstIndex { $0 | 0x20 == UInt8(ascii: "z") || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
  guard let time = timeOfDay(rest[..<(zone ?? rest.endIndex)]) else { return nil }
  var offset = 0.0
  if let zone, text[zone] | 0x20 != UInt8(ascii: "z") {
    let digits = text[(zone + 1)...].filter { $0 != UInt8(ascii: ":") }
    guard digits.count == 4, let hours = number(digits[0..<2]), let minutes = number(digits[2..<4]) else { return nil }
    offset = Double(hours * 3600 + minutes * 60) * (text[zone] == UInt8(ascii: "-") ? -1 : 1)
  }
  return midnight + time - offset
}

/// `08:49`, `08:49:37` or `08:49:37.25`.
private func timeOfDay(_ text: ArraySlice<UInt8>) -> Double? {
  let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
  guard parts.count == 2 || parts.count == 3, parts[0].count == 2, parts[1].count == 2, let hour = number(parts[0]),
    let minute = number(parts[1]), hour < 25, minute < 60
  else { return nil }
  var seconds = 0.0
  if parts.count == 3 {
    guard let first = parts[2].first, first &- 0x30 < 10, parts[2].count <= 20,
      let value = Double(String(decoding: parts[2], as: UTF8.self)), value < 61
    else { return nil }
    seconds = value
  }
  return Double(hour * 3600 + minute * 60) + seconds
}

private func monthNumber(_ name: [UInt8]) -> Int64? {
  let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
  return names.firstIndex { $0.utf8.elementsEqual(name) }.map { Int64($0) + 1 }
}

/// At most nine digits.
private func number(_ text: some Collection<UInt8>) -> Int64? {
  guard !text.isEmpty, text.count <= 9 else { return nil }
  var total: Int64 = 0
  for byte in text {
    guard byte &- 0x30 < 10 else { return nil }
    total = total * 10 + Int64(byte - 0x30)
  }
  return total
}

/// Days of the proleptic Gregorian calendar, the year beginning with March so that the leap day is its last.
private func daysSinceEpoch(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
  let shiftedYear = month <= 2 ? year - 1 : year
  let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
  let yearOfEra = shiftedYear - era * 400
  let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
  return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}
