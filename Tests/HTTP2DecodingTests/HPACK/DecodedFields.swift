// What the tests say and compare: blocks as hexadecimal digits, fields as text.

import HTTP2Decoding
import HTTPModel
import Testing

/// The bytes that pairs of hexadecimal digits name; other characters do not count.
func octets(_ text: some StringProtocol) -> [UInt8] {
  let digits = text.compactMap { $0.hexDigitValue }.map { UInt8($0) }
  return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

/// A field, its unresolved parts as nil.
struct DecodedField: Hashable, CustomStringConvertible {
  var name: [UInt8]?
  var value: [UInt8]?
  var marks: HPACKFieldMarks = []

  init(_ name: String?, _ value: String?, _ marks: HPACKFieldMarks = []) {
    self.name = name.map { Array($0.utf8) }
    self.value = value.map { Array($0.utf8) }
    self.marks = marks
    if name == nil { self.marks.insert(.nameUnresolved) }
    if value == nil { self.marks.insert(.valueUnresolved) }
  }

  init(name: [UInt8]?, value: [UInt8]?, marks: HPACKFieldMarks = []) {
    (self.name, self.value, self.marks) = (name, value, marks)
  }

  var description: String {
    "\(name.map { text($0) } ?? "?"): \(value.map { text($0) } ?? "?")" + (marks.isEmpty ? "" : " \(marks.rawValue)")
  }
}

extension HPACKFieldList {
  var decoded: [DecodedField] {
    ranges.indices.map { index in
      let marks = self.marks[index]
      return DecodedField(
        name: marks.contains(.nameUnresolved) ? nil : Array(name(at: index)),
        value: marks.contains(.valueUnresolved) ? nil : Array(value(at: index)), marks: marks)
    }
  }
}

extension HPACKDecoder {
  /// One block; the list is a new one.
  mutating func decode(_ block: [UInt8]) -> (fields: [DecodedField], outcome: Outcome, list: HPACKFieldList) {
    var list = HPACKFieldList()
    let outcome = block.withUnsafeBytes { decode($0, into: &list) }
    return (list.decoded, outcome, list)
  }

  /// Fields of a block without anything odd.
  mutating func fields(_ digits: String, at location: SourceLocation = #_sourceLocation) -> [DecodedField] {
    let (fields, outcome, _) = decode(octets(digits))
    #expect(outcome.isComplete && !outcome.isError && outcome.anomalies.isEmpty, sourceLocation: location)
    return fields
  }

  /// What a block has that is odd.
  mutating func anomalies(_ digits: String) -> [Anomaly] { decode(octets(digits)).outcome.anomalies.members }

  var entries: [DecodedField] {
    (0..<table.count).map { DecodedField(name: table.entry(at: $0).name, value: table.entry(at: $0).value) }
  }
}

/// Text that stands for fields: a line each, `name: value`.
func fields(_ lines: String) -> [DecodedField] {
  lines.split(separator: "\n").map { line in
    let colon = line.dropFirst().firstIndex(of: ":") ?? line.endIndex
    return DecodedField(String(line[..<colon]), String(line[colon...].dropFirst(2)))
  }
}
