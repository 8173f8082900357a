// HTTP dates as seconds (RFC 9110, 5.6.7): the preferred form, which every sender since 1997 is told to use.
// In: a field's value. Out: seconds since the epoch. Owner: a pure function.

/// `Sun, 06 Nov 1994 08:49:37 GMT` as seconds since 1970; nil for any other form.
func httpDateSeconds(_ value: ArraySlice<UInt8>) -> Int64? {
  let text = Array(value)
  guard text.count == 29, text[25...].elementsEqual(" GMT".utf8) else { return nil }
  func number(_ range: Range<Int>) -> Int64? {
    var total: Int64 = 0
    for byte in text[range] {
      guard byte &- 0x30 < 10 else { return nil }
      total = total * 10 + Int64(byte - 0x30)
    }
    return total
  }
  let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
  guard let day = number(5..<7), let month = names.firstIndex(of: String(decoding: text[8..<11], as: UTF8.self)),
    let year = number(12..<16), let hour = number(17..<19), let minute = number(20..<22), let second = number(23..<25)
  else { return nil }
  // Days of the proleptic Gregorian calendar, the year beginning with March so that the leap day is its last.
  let shiftedYear = month < 2 ? year - 1 : year
  let shiftedMonth = Int64((month + 10) % 12)
  let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
  let yearOfEra = shiftedYear - era * 400
  let dayOfYear = (153 * shiftedMonth + 2) / 5 + day - 1
  let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  return days * 86_400 + hour * 3600 + minute * 60 + second
}
