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
  ///   - isClean: no control stands before `start` but in its line end.
  ///   - ranges: what it holds is replaced where the section is complete.
  ///   - said: replaced by what the fields say of the message.
  @inline(__always)
  static func parse(
    _ base: Octets, from start: Int, to limit: Int, isClean: Bool, _ limits: HTTP1Limits, _ role: HTTP1Decoder.Role,
    _ names: inout KnownNames, _ ranges: inout [FieldRange], _ said: inout MessageFraming
  ) -> FieldSection {
    let maxFields = limits.maxFields
    let usual = withUnsafeTemporaryAllocation(of: FieldRange.self, capacity: usualFields) {
      parse(
        base, from: start, to: limit, isClean: isClean, role, into: $0, capacity: min(usualFields, maxFields), &names,
        &ranges, &said)
    }
    guard case .tooManyFields = usual, maxFields > usualFields else { return usual }
    return withUnsafeTemporaryAllocation(of: FieldRange.self, capacity: maxFields) {
      parse(
        base, from: start, to: limit, isClean: isClean, role, into: $0, capacity: maxFields, &names, &ranges, &said)
    }
  }

  private static func parse(
    _ base: Octets, from start: Int, to limit: Int, isClean: Bool, _ role: HTTP1Decoder.Role,
    into fields: UnsafeMutableBufferPointer<FieldRange>, capacity: Int, _ names: inout KnownNames,
    _ ranges: inout [FieldRange], _ said: inout MessageFraming
  ) -> FieldSection {
    said = MessageFraming()
    var count = 0
    var anomalies = AnomalySet()
    var line = start
    // A control that belongs to no line end, or HTAB: a closer look names it.
    var isClean = isClean
    var hasFold = false
    var name = KnownNames.none
    var foreseen = names.first(role)
    let table = Octet.tokenTable
    let slots = fields.baseAddress!
    while true {
      var end = firstControl(base, from: line, to: limit)
      let next: Int
      if end &+ 1 < limit, base[end] == Octet.cr, base[end &+ 1] == Octet.lf {
        next = end &+ 2
      } else {
        guard let feed = lineFeed(base, from: end, to: limit) else { return .incomplete }
        if end < feed { isClean = false }
        end = feed
        if end > line, base[end &- 1] == Octet.cr {
          end &-= 1
        } else {
          anomalies.insert(.http1BareLF)
        }
        next = feed &+ 1
      }
      if end == line {
        ranges.replaceSubrange(0..<ranges.count, with: UnsafeBufferPointer(start: slots, count: count))
        if hasFold { said = MessageFraming(base, ranges) }
        said.conclude()
        if !isClean { nameControls(base, next, &anomalies) }
        return .complete(end: next, anomalies: anomalies)
      }
      let valueEnd: Int
      var nameEnd: Int
      var colon: Int
      let meaning: FieldMeaning
      let canGlance = limit &- line >= KnownNames.window
      if canGlance, let known = names.match(foreseen, base + line) {
        nameEnd = line &+ known.length
        colon = nameEnd
        meaning = known.meaning
        name = foreseen
      } else {
        nameEnd = line
        var isToken = true
        while table[Int(base[nameEnd])] == 0x31 { nameEnd &+= 1 }
        colon = nameEnd
        if base[nameEnd] != Octet.colon || nameEnd == line {
          if Octet.isBlank(base[line]) {
            anomalies.insert(.http1ObsoleteFold)
            if count > 0 { fold(base, line, end, &slots[count &- 1]) }
            hasFold = true
            line = next
            continue
          }
          guard let odd = oddName(base, line, end, &anomalies) else {
            line = next
            continue
          }
          (nameEnd, colon) = odd
          isToken = false
        }
        meaning = FieldMeaning(base + line, nameEnd &- line)
        if canGlance, isToken { name = names.learn(base + line, nameEnd &- line, meaning, after: name, role) }
      }
      foreseen = names.name(after: name)
      guard count < capacity else { return .tooManyFields }
      var valueStart = colon &+ 2
      if valueStart < end, base[colon &+ 1] == Octet.space, base[valueStart] > Octet.space,
        base[end &- 1] > Octet.space
      {
        valueEnd = end
      } else {
        valueStart = colon &+ 1
        while valueStart < end, Octet.isBlank(base[valueStart]) { valueStart &+= 1 }
        valueEnd = trimmed(base, valueStart, end)
      }
      let range = FieldRange(
        nameStart: UInt32(truncatingIfNeeded: line), nameEnd: UInt32(truncatingIfNeeded: nameEnd),
        valueStart: UInt32(truncatingIfNeeded: valueStart), valueEnd: UInt32(truncatingIfNeeded: valueEnd))
      (slots + count).initialize(to: range)
      if meaning != .none { said.note(base, range, meaning) }
      count &+= 1
      line = next
    }
  }

  /// The end of what stands in `start ..< end` without white space behind it.
  @inline(__always)
  private static func trimmed(_ base: Octets, _ start: Int, _ end: Int) -> Int {
    var end = end
    while end > start, Octet.isBlank(base[end &- 1]) { end &-= 1 }
    return end
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
