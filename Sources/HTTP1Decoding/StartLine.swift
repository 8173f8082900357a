// Purpose: request lines and status lines (RFC 9112, 3 and 4; RFC 1945, 4.1), as forgiving as real peers are.
// Input -> output: one line without its LF -> its parts and oddities, or what it is instead.

import Glibc
import HTTPModel

/// A parsed start line. Offsets count from the line's first byte.
struct StartLine {
  var version = HTTPVersion.http11
  var status: UInt16 = 0
  /// The method of a request.
  var methodEnd = 0
  /// The target of a request, the reason phrase of a response.
  var partStart = 0
  var partEnd = 0
  /// An HTTP/0.9 request: no header section follows.
  var isSimple = false
  var anomalies = AnomalySet()
}

/// Where a start line ends.
struct StartLineEnd {
  /// Of its LF.
  var feed: Int
  /// The line holds no controls but its end.
  var isClean: Bool

  /// Nil where no LF stands in `0 ..< limit`.
  @inline(__always)
  init?(_ base: Octets, to limit: Int) {
    let control = firstControl(base, from: 0, to: limit)
    if control &+ 1 < limit, base[control] == Octet.cr, base[control &+ 1] == Octet.lf {
      self.init(feed: control &+ 1, isClean: true)
    } else {
      guard let feed = lineFeed(base, from: control, to: limit) else { return nil }
      self.init(feed: feed, isClean: control == feed)
    }
  }

  /// Of a line that is known to end there.
  init(_ base: Octets, feedAt feed: Int) {
    self = StartLineEnd(base, to: feed + 1) ?? StartLineEnd(feed: feed, isClean: false)
  }

  private init(feed: Int, isClean: Bool) {
    self.feed = feed
    self.isClean = isClean
  }
}

enum StartLineVerdict {
  case message(StartLine)
  /// `PRI * HTTP/2.0`.
  case http2
  /// The human-readable header of the PROXY protocol, which balancers put before the first request.
  case proxy
  case invalid
}

extension StartLine {
  /// No method in use is longer; bounds how much of a foreign protocol is looked at.
  static let maxMethodBytes = 64

  /// Whether a line that is not complete can still become a start line. Never true for bytes that ``parse`` rejects
  /// for the same reason.
  static func mayBegin(_ base: Octets, _ count: Int, role: HTTP1Decoder.Role) -> Bool {
    // One more byte tells TLS from anything else.
    if count == 1, base[0] == 0x16 { return true }
    switch role {
    case .request:
      var end = 0
      while end < min(count, maxMethodBytes + 1), Octet.isToken(base[end]) { end += 1 }
      if end == count { return end <= maxMethodBytes }
      return end > 0 && end <= maxMethodBytes && Octet.isBlank(base[end])
    case .response:
      let name: StaticString = "http/"
      for index in 0..<min(count, 5) where Octet.folded(base[index]) != name.utf8Start[index] { return false }
      return count <= 5 || Octet.isDigit(base[5])
    }
  }

  @inline(__always)
  static func parse(_ base: Octets, _ end: StartLineEnd, role: HTTP1Decoder.Role) -> StartLineVerdict {
    var lineEnd = end.feed
    if lineEnd > 0, base[lineEnd - 1] == Octet.cr { lineEnd -= 1 }
    if role == .request { return parseRequest(base, lineEnd, hasTabs: !end.isClean) }
    return commonStatus(base, lineEnd) ?? parseStatus(base, lineEnd)
  }

  private static func parseRequest(_ base: Octets, _ lineEnd: Int, hasTabs: Bool) -> StartLineVerdict {
    var line = StartLine()
    var end = 0
    let table = Octet.tokenTable
    while end < lineEnd, table[Int(base[end])] == 0x31 { end &+= 1 }
    guard end > 0, end <= maxMethodBytes, end < lineEnd, Octet.isBlank(base[end]) else { return .invalid }
    line.methodEnd = end
    var oddBlanks = base[end] == Octet.tab
    var start = end &+ 1
    while start < lineEnd, Octet.isBlank(base[start]) {
      start &+= 1
      oddBlanks = true
    }
    var stop = lineEnd
    while stop > start, Octet.isBlank(base[stop - 1]) {
      stop &-= 1
      oddBlanks = true
    }
    if !oddBlanks, let version = commonVersion(base, stop), stop &- 9 > start,
      memchr(base + start, Int32(Octet.space), stop &- 9 &- start) == nil,
      !hasTabs || memchr(base + start, Int32(Octet.tab), stop &- 9 &- start) == nil
    {
      line.version = version
      line.partStart = start
      line.partEnd = stop &- 9
      return .message(line)
    }
    // The version is the last word, so that a target with spaces in it stays whole.
    var word = stop
    while word > start, !Octet.isBlank(base[word - 1]) { word &-= 1 }
    let version = versionNumber(base + word, stop &- word)
    if isName(base, end, "pri"), start < word, version?.major == 2 { return .http2 }
    if isName(base, end, "proxy"), version == nil { return .proxy }
    guard let version else { return simple(line, base, start: start, end: stop, isOdd: oddBlanks) }
    line.setVersion(version)
    var targetEnd = word
    while targetEnd > start, Octet.isBlank(base[targetEnd - 1]) { targetEnd &-= 1 }
    guard targetEnd > start else { return .invalid }
    if targetEnd &+ 1 != word { oddBlanks = true }
    line.partStart = start
    line.partEnd = targetEnd
    if !oddBlanks {
      for index in start..<targetEnd where Octet.isBlank(base[index]) {
        oddBlanks = true
        break
      }
    }
    if oddBlanks { line.anomalies.insert(.http1StartLineInvalid) }
    return .message(line)
  }

  /// RFC 1945, 4.1: `GET SP Request-URI CRLF`.
  private static func simple(
    _ line: StartLine, _ base: Octets, start: Int, end: Int, isOdd: Bool
  ) -> StartLineVerdict {
    guard isName(base, line.methodEnd, "get"), base[0] == 0x47, start < end, base[start] == 0x2f else {
      return .invalid
    }
    for index in start..<end where !Octet.isVisible(base[index]) { return .invalid }
    var line = line
    line.isSimple = true
    line.version = .http10
    line.partStart = start
    line.partEnd = end
    line.anomalies.insert(.http1VersionUnknown)
    if isOdd { line.anomalies.insert(.http1StartLineInvalid) }
    return .message(line)
  }

  /// `HTTP/1.1` or `HTTP/1.0`, a space, three digits, and nothing or a space and the reason.
  @inline(__always)
  private static func commonStatus(_ base: Octets, _ lineEnd: Int) -> StartLineVerdict? {
    guard lineEnd >= 12, base[8] == Octet.space, lineEnd == 12 || base[12] == Octet.space,
      let version = commonVersion(UnsafeRawPointer(base))
    else { return nil }
    let (a, b, c) = (base[9] &- 0x30, base[10] &- 0x30, base[11] &- 0x30)
    guard a < 10, b < 10, c < 10 else { return nil }
    var line = StartLine()
    line.version = version
    line.status = UInt16(a) &* 100 &+ UInt16(b) &* 10 &+ UInt16(c)
    line.partStart = min(13, lineEnd)
    line.partEnd = lineEnd
    return .message(line)
  }

  private static func parseStatus(_ base: Octets, _ lineEnd: Int) -> StartLineVerdict {
    var line = StartLine()
    var end = 0
    while end < lineEnd, !Octet.isBlank(base[end]) { end &+= 1 }
    guard let version = versionNumber(base, end) else { return .invalid }
    line.setVersion(version)
    var start = end
    while start < lineEnd, Octet.isBlank(base[start]) { start &+= 1 }
    var isOdd = start != end &+ 1 || end == lineEnd || base[end] != Octet.space
    var value = 0
    var stop = start
    while stop < lineEnd, Octet.isDigit(base[stop]) {
      // Digits after the third that would not fit are passed over: 2000 reads as 200, 0200 as 200.
      if value < 100 { value = value &* 10 &+ Int(base[stop] &- 0x30) }
      stop &+= 1
    }
    guard stop > start, stop == lineEnd || Octet.isBlank(base[stop]) else { return .invalid }
    if stop &- start != 3 { isOdd = true }
    line.status = UInt16(value)
    line.partStart = stop == lineEnd ? stop : stop &+ 1
    line.partEnd = lineEnd
    if isOdd { line.anomalies.insert(.http1StartLineInvalid) }
    return .message(line)
  }

  private mutating func setVersion(_ number: (major: Int, minor: Int, isExact: Bool)) {
    let isNew = number.major > 1 || number.major == 1 && number.minor > 0
    version = isNew ? .http11 : .http10
    if !number.isExact { anomalies.insert(.http1VersionUnknown) }
  }

  /// ` HTTP/1.1` or ` HTTP/1.0` right before `end`.
  @inline(__always)
  private static func commonVersion(_ base: Octets, _ end: Int) -> HTTPVersion? {
    guard end > 9, base[end &- 9] == Octet.space else { return nil }
    return commonVersion(UnsafeRawPointer(base + (end &- 8)))
  }

  /// `HTTP/1.1` or `HTTP/1.0` at `place`.
  @inline(__always)
  private static func commonVersion(_ place: UnsafeRawPointer) -> HTTPVersion? {
    let word = UInt64(littleEndian: place.loadUnaligned(as: UInt64.self))
    // The eight bytes read as a number, their first one lowest.
    if word == 0x312e_312f_5054_5448 { return .http11 }
    return word == 0x302e_312f_5054_5448 ? .http10 : nil
  }

  /// `HTTP/` DIGIT `.` DIGIT, also with more digits or in lower case; exact only as `HTTP/1.0` and `HTTP/1.1`.
  private static func versionNumber(_ base: Octets, _ count: Int) -> (major: Int, minor: Int, isExact: Bool)? {
    guard count >= 8, isName(base, 5, "http/") else { return nil }
    var index = 5
    var major = 0
    while index < count, Octet.isDigit(base[index]) {
      major = min(major &* 10 &+ Int(base[index] &- 0x30), 1000)
      index &+= 1
    }
    guard index > 5, index < count, base[index] == 0x2e else { return nil }
    index &+= 1
    let minorStart = index
    var minor = 0
    while index < count, Octet.isDigit(base[index]) {
      minor = min(minor &* 10 &+ Int(base[index] &- 0x30), 1000)
      index &+= 1
    }
    guard index > minorStart, index == count else { return nil }
    let isExact = count == 8 && base[0] == 0x48 && base[3] == 0x50 && base[1] == 0x54 && major == 1 && minor <= 1
    return (major, minor, isExact)
  }
}
