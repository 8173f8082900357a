// Replacements in the bytes of a message, and the ranges that point into them moved along. Owner: pure functions, linear.

import HTTPModel

struct ByteEdit {
  var range: Range<Int>
  var bytes: [UInt8]

  init(_ range: Range<Int>, _ bytes: [UInt8]) {
    self.range = range
    self.bytes = bytes
  }

  /// In order, without those that would change what another one has changed.
  static func sorted(_ edits: [ByteEdit]) -> [ByteEdit] {
    var sorted: [ByteEdit] = []
    for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound })
    where edit.range.lowerBound >= sorted.last?.range.upperBound ?? 0 {
      sorted.append(edit)
    }
    return sorted
  }

  static func applied(_ edits: [ByteEdit], to bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + edits.reduce(0) { $0 + $1.bytes.count })
    var copied = 0
    for edit in sorted(edits) {
      result.append(contentsOf: bytes[copied..<edit.range.lowerBound])
      result.append(contentsOf: edit.bytes)
      copied = edit.range.upperBound
    }
    result.append(contentsOf: bytes[copied...])
    return result
  }
}

extension HTTPRequest {
  /// Changes bytes of the head; none of the edits may cross the edge of a name, a value, the method or the target.
  mutating func apply(_ edits: [ByteEdit]) {
    let edits = ByteEdit.sorted(edits)
    /// Where a position of the old bytes stands in the new ones; inside an edit, at its end.
    func moved(_ position: UInt32, isEnd: Bool) -> UInt32 {
      var shift = 0
      for edit in edits {
        let isBehind = isEnd ? edit.range.upperBound <= Int(position) : edit.range.lowerBound < Int(position)
        guard isBehind else { break }
        shift += edit.bytes.count - edit.range.count
      }
      return UInt32(clamping: Int(position) + shift)
    }
    func moved(_ range: Range<UInt32>) -> Range<UInt32> {
      let lower = moved(range.lowerBound, isEnd: false)
      return lower..<max(lower, moved(range.upperBound, isEnd: true))
    }
    let storage = ByteEdit.applied(edits, to: fields.storage)
    let ranges = fields.ranges.map { range in
      FieldRange(
        nameStart: moved(range.nameStart, isEnd: false), nameEnd: moved(range.nameEnd, isEnd: true),
        valueStart: moved(range.valueStart, isEnd: false), valueEnd: moved(range.valueEnd, isEnd: true))
    }
    methodRange = moved(methodRange)
    targetRange = moved(targetRange)
    fields = HeaderFields(storage: storage, ranges: ranges)
  }
}
