// Purpose: header and trailer sections (RFC 9112, 5 and 7.1.2).
// Input -> output: bytes from the first field line on -> where each name and value stands, where the section ends,
// which rules it breaks. Nothing is copied. Bounds: HTTP1Limits.maxFields; the caller bounds the bytes.

import HTTPModel

/// Finds the empty line that ends a section, over any number of calls; looks at each byte once.
struct SectionEnd: Sendable {
  private enum Line: Sendable { case empty, carriageReturn, content }
  private var line = Line.empty

  /// The offset after the empty line, or nil where it is not in `start ..< end`. Begins at a line start.
  mutating func find(_ base: Octets, from start: Int, to end: Int) -> Int? {
    var lineStart = start
    while let feed = lineFeed(base, from: lineStart, to: end) {
      extend(base, lineStart, feed)
      if line != .content { return feed + 1 }
      line = .empty
      lineStart = feed + 1
    }
    extend(base, lineStart, end)
    return nil
  }

  private mutating func extend(_ base: Octets, _ start: Int, _ end: Int) {
    guard start < end, line != .content else { return }
    line = line == .empty && end - start == 1 && base[start] == Octet.cr ? .carriageReturn : .content
  }
}

enum FieldSection {
  case complete(end: Int, anomalies: AnomalySet)
  /// The final empty line is not there.
  case incomplete
  case tooManyFields

  /// Most heads have fewer; they are collected on the stack.
  private static let usualFields = 48

  /// - Parameters:
  ///   - base: the section's storage, which may begin with a start line.
  ///   - start: the first field line, after the start line's LF (0 in a trailer section).
  ///   - ranges: what it holds is replaced where the section is complete.
  @inline(__always)
  static func parse(
    _ base: Octets, from start: Int, to limit: Int, maxFields: Int, _ ranges: inout [FieldRange]
  ) -> FieldSection {
    let usual = withUnsafeTemporaryAllocation(of: FieldRange.self, capacity: usualFields) {
      parse(base, from: start, to: limit, into: $0, capacity: min(usualFields, maxFields), &ranges)
    }
    guard case .tooManyFields = usual, maxFields > usualFields else { return usual }
    return withUnsafeTemporaryAllocation(of: FieldRange.self, capacity: maxFields) {
      parse(base, from: start, to: limit, into: $0, capacity: maxFields, &ranges)
    }
  }

  private static func parse(
    _ base: Octets, from start: Int, to limit: Int, into fields: UnsafeMutableBufferPointer<FieldRange>, capacity: Int,
    _ ranges: inout [FieldRange]
  ) -> FieldSection {
    var count = 0
    var anomalies = AnomalySet()
    var line = start
    // Controls that belong to line ends; any other is an oddity that a closer look names.
    var lineControls = start == 0 ? 0 : start >= 2 && base[start &- 2] == Octet.cr ? 2 : 1
    let table = Octet.tokenTable
    let slots = fields.baseAddress!
    while true {
      guard let feed = lineFeed(base, from: line, to: limit) else { return .incomplete }
      var end = feed
      if end > line, base[end &- 1] == Octet.cr {
        end &-= 1
        lineControls &+= 2
      } else {
        lineControls &+= 1
        anomalies.insert(.http1BareLF)
      }
      if end == line {
        ranges.removeAll(keepingCapacity: true)
        ranges.append(contentsOf: UnsafeBufferPointer(start: slots, count: count))
        return finish(base, feed &+ 1, lineControls, anomalies)
      }
      var nameEnd = line
      while table[Int(base[nameEnd])] == 0x31 { nameEnd &+= 1 }
      var colon = nameEnd
      if base[nameEnd] != Octet.colon || nameEnd == line {
        if Octet.isBlank(base[line]) {
          anomalies.insert(.http1ObsoleteFold)
          if count > 0 { fold(base, line, end, &slots[count &- 1]) }
          line = feed &+ 1
          continue
        }
        guard let odd = oddName(base, line, end, &anomalies) else {
          line = feed &+ 1
          continue
        }
        (nameEnd, colon) = odd
      }
      guard count < capacity else { return .tooManyFields }
      var valueStart = colon &+ 1
      while valueStart < end, Octet.isBlank(base[valueStart]) { valueStart &+= 1 }
      while end > valueStart, Octet.isBlank(base[end &- 1]) { end &-= 1 }
      (slots + count).initialize(
        to: FieldRange(
          nameStart: UInt32(truncatingIfNeeded: line), nameEnd: UInt32(truncatingIfNeeded: nameEnd),
          valueStart: UInt32(truncatingIfNeeded: valueStart), valueEnd: UInt32(truncatingIfNeeded: end)))
      count &+= 1
      line = feed &+ 1
    }
  }

  /// RFC 9112, 5.2: the line continues the value before it. The line end between them stays in the value's bytes.
  private static func fold(_ base: Octets, _ line: Int, _ end: Int, _ field: inout FieldRange) {
    var start = line
    while start < end, Octet.isBlank(base[start]) { start += 1 }
    var stop = end
    while stop > start, Octet.isBlank(base[stop - 1]) { stop -= 1 }
    guard start < stop else { return }
    if field.valueStart == field.valueEnd { field.valueStart = UInt32(truncatingIfNeeded: start) }
    field.valueEnd = UInt32(truncatingIfNeeded: stop)
  }

  /// A line whose name is no token followed by a colon. Nil where it has no colon at all.
  private static func oddName(
    _ base: Octets, _ line: Int, _ end: Int, _ anomalies: inout AnomalySet
  ) -> (nameEnd: Int, colon: Int)? {
    var colon = line
    while colon < end, base[colon] != Octet.colon { colon += 1 }
    guard colon < end else {
      anomalies.insert(.http1FieldWithoutColon)
      return nil
    }
    var nameEnd = colon
    while nameEnd > line, Octet.isBlank(base[nameEnd - 1]) { nameEnd -= 1 }
    if nameEnd < colon { anomalies.insert(.http1WhitespaceBeforeColon) }
    var index = line
    while index < nameEnd, Octet.isToken(base[index]) { index += 1 }
    if index < nameEnd || nameEnd == line { anomalies.insert(.http1FieldNameInvalid) }
    return (nameEnd, colon)
  }

  @inline(__always)
  private static func finish(
    _ base: Octets, _ end: Int, _ lineControls: Int, _ anomalies: AnomalySet
  ) -> FieldSection {
    var anomalies = anomalies
    if controlCount(base, count: end) != lineControls { nameControls(base, end, &anomalies) }
    return .complete(end: end, anomalies: anomalies)
  }

  private static func nameControls(_ base: Octets, _ end: Int, _ anomalies: inout AnomalySet) {
    for index in 0..<end where !Octet.isVisible(base[index]) {
      switch base[index] {
      case Octet.space, Octet.tab, Octet.lf: break
      case Octet.cr: if index + 1 == end || base[index + 1] != Octet.lf { anomalies.insert(.http1BareCR) }
      default: anomalies.insert(.http1FieldValueInvalid)
      }
    }
  }
}
