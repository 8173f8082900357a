// Two answers that are the same octet for octet, found at a glance: most pairs of a replay are.
// In: two responses. Out: whether there is anything to compare. Owner: a pure function. Bounds: linear, no allocation.

public import HTTPModel

extension HTTPResponse {
  /// Whether two answers are the same octet for octet, the head as it was sent and the whole body, but for the time that
  /// Date tells. False does not mean that there is a difference.
  public func isSameAnswer(as other: HTTPResponse) -> Bool {
    status == other.status && body.isComplete && other.body.isComplete && equalBytes(body.bytes, other.body.bytes)
      && trailers.isEmpty && other.trailers.isEmpty && informational.isEmpty && other.informational.isEmpty
      && Self.areSame(fields, other.fields)
  }

  /// Sections whose fields stand in the same places.
  private static func areSame(_ one: HeaderFields, _ other: HeaderFields) -> Bool {
    one.ranges.withUnsafeBufferPointer { ranges in
      other.ranges.withUnsafeBytes { others in
        guard equalBytes(UnsafeRawBufferPointer(ranges), others) else { return false }
        return one.storage.withUnsafeBytes { a in
          other.storage.withUnsafeBytes { b in areSame(ranges, a, b) }
        }
      }
    }
  }

  private static func areSame(
    _ ranges: UnsafeBufferPointer<FieldRange>, _ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer
  ) -> Bool {
    guard a.count == b.count else { return false }
    // One look at all that is before a Date, the status line too, and one at what is behind it.
    var (start, end) = (UInt32(0), UInt32(0))
    for range in ranges {
      guard range.nameStart >= end, range.nameEnd <= range.valueStart, range.valueStart <= range.valueEnd else {
        return false
      }
      end = range.valueEnd
      if range.nameEnd &- range.nameStart == 4, isDate(a, range), isTime(a, range), isTime(b, range) {
        guard isEqual(a, b, start, range.valueStart) else { return false }
        start = end
      }
    }
    return isEqual(a, b, start, UInt32(clamping: a.count))
  }

  /// As long as the usual form is and ends (RFC 9110, 5.6.7).
  private static func isTime(_ bytes: UnsafeRawBufferPointer, _ range: FieldRange) -> Bool {
    guard range.valueEnd &- range.valueStart == 29, Int(range.valueEnd) <= bytes.count else { return false }
    // " GMT"
    return bytes.loadUnaligned(fromByteOffset: Int(range.valueEnd) &- 4, as: UInt32.self)
      == UInt32(littleEndian: 0x544d_4720)
  }

  private static func isDate(_ bytes: UnsafeRawBufferPointer, _ range: FieldRange) -> Bool {
    guard Int(range.nameEnd) <= bytes.count else { return false }
    return bytes.loadUnaligned(fromByteOffset: Int(range.nameStart), as: UInt32.self) | 0x2020_2020
      == UInt32(littleEndian: 0x6574_6164)
  }

  private static func isEqual(
    _ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer, _ start: UInt32, _ end: UInt32
  ) -> Bool {
    guard start <= end, Int(end) <= a.count, Int(end) <= b.count else { return false }
    return equalBytes(
      UnsafeRawBufferPointer(rebasing: a[Int(start)..<Int(end)]),
      UnsafeRawBufferPointer(rebasing: b[Int(start)..<Int(end)]))
  }
}
