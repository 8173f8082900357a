// How fast two answers are compared. In: seconds to measure for; optionally a file to write the pairs to, a line of JSON
// each, for others to compare. Out: one JSON object on standard output. Bounds: 1,000 pairs of 1 KB and one of 1 MB.

import Glibc
import HTTPModel
import ResponseDiff

func answer(_ text: [UInt8]) -> HTTPResponse {
  var fields = HeaderFields()
  for (name, value) in [
    ("Content-Type", "application/json"), ("Content-Length", String(text.count)), ("Cache-Control", "no-store"),
    ("Date", "Sat, 21 Nov 2026 10:00:00 GMT"),
  ] {
    fields.append(name: name.utf8, value: value.utf8)
  }
  let moment = Timestamp(nanoseconds: 0)
  return HTTPResponse(
    version: .http11, status: 200, reasonRange: 0..<0, fields: fields,
    body: HTTPBody(bytes: text, size: UInt64(text.count), framing: .contentLength),
    timing: MessageTiming(start: moment, headEnd: moment, end: moment))
}

/// An order of about 1 KB; the price of one of its lines is `price`.
func order(_ number: Int, price: String) -> String {
  let lines = (0..<6).map { line in
    "{\"sku\":\"ART-\(number * 7 % 9973)-\(line)\",\"title\":\"A thing of some kind, number \(line)\",\"quantity\":"
      + "\(line + 1),\"price\":\(line == 3 ? price : "\(line).99"),\"tags\":[\"new\",\"blue\"]}"
  }
  return
    "{\"id\":\(number),\"customer\":{\"id\":\(number * 31),\"name\":\"Ada Lovelace\",\"email\":\"ada@example.org\","
    + "\"address\":{\"street\":\"12 St James's Square\",\"city\":\"London\",\"country\":\"GB\"}},\"status\":\"shipped\","
    + "\"items\":[\(lines.joined(separator: ","))],\"total\":104.5,\"currency\":\"GBP\",\"carrier\":{\"name\":\"Royal Mail\",\"tracking\":\"RM123456789GB\"},\"created\":\"2026-11-21T09:59:58Z\",\"updated\":\"2026-11-21T10:00:00Z\",\"note\":null,\"gift\":false}"
}

/// Calls for each second of processor time, of at least `seconds`; `body` does `count` at a time. Other work on the machine
/// does not count.
func rate(_ count: Int, seconds: Double, _ body: () -> Void) -> Double {
  var calls = 0
  let start = clock()
  var elapsed = 0.0
  repeat {
    body()
    calls += count
    elapsed = Double(clock() - start) / Double(CLOCKS_PER_SEC)
  } while elapsed < seconds
  return Double(calls) / elapsed
}

let arguments = CommandLine.arguments
let seconds = arguments.count > 1 ? Double(arguments[1]) ?? 1 : 1
let texts = (0..<1000).map { (order($0, price: "3.99"), order($0, price: "4.\(10 + $0 % 80)")) }
if arguments.count > 2 {
  guard let file = fopen(arguments[2], "w") else { exit(2) }
  for (a, b) in texts { fputs("{\"a\":\(a),\"b\":\(b)}\n", file) }
  fclose(file)
}
let comparator = ResponseComparator()
let pairs = texts.map { (answer(Array($0.0.utf8)), answer(Array($0.1.utf8))) }
var found = 0
let different = rate(pairs.count, seconds: seconds) {
  for (a, b) in pairs { found += comparator.comparison(expected: a, actual: b, method: "GET".utf8).differences.count }
}
// Copies, so that no two share their bytes.
let same = texts.map { (answer(Array($0.0.utf8)), answer(Array($0.0.utf8))) }
let equal = rate(same.count, seconds: seconds) {
  for (a, b) in same { found += comparator.comparison(expected: a, actual: b, method: "GET".utf8).differences.count }
}
let large = [UInt8](repeating: 0x61, count: 1 << 20)
let largePair = (answer(large), answer(large.map { $0 }))
let bytes = rate(2 << 20, seconds: seconds) {
  found += comparator.comparison(expected: largePair.0, actual: largePair.1, method: "GET".utf8).differences.count
}
precondition(found > 0)
print(
  "{\"bytes\":\(texts[0].0.utf8.count),\"different\":\(Int(different)),\"equal\":\(Int(equal)),"
    + "\"equal_bytes\":\(Int(bytes))}")
