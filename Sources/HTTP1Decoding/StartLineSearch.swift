// Purpose: finds where a message begins in bytes whose framing is lost or was never known.
// Input -> output: a window of the stream -> the offset of a start line, or how many bytes cannot be part of one.
// Bounds: a start line longer than `longest` is not found; that is also the most that is ever kept back.
//
// The result depends on the bytes alone, never on how they were cut into windows. Nothing but a whole, strict start line
// counts. It may stand anywhere, because a message often begins right after a body that ends in no line end:
//   response  `HTTP/1.` DIGIT SP 3DIGIT [SP reason] line-end, then the name of a field with its colon, or an empty line
//   request   method SP target SP `HTTP/1.` DIGIT line-end; the method is any token at the start of a line, upper-case
//             letters after a byte that cannot belong to it, else the longest known method that ends there.

import Glibc

enum StartLineSearch {
  case found(Int)
  /// The first `skip` bytes are no part of a start line.
  case none(skip: Int)

  /// What a start line is searched for up to, where the decoder's limits are not tighter.
  static let usualLongest = 8192

  /// - Parameter previous: the byte before the window; LF at a place that may begin a message. Looked at for requests.
  static func next(
    _ window: UnsafeRawBufferPointer, role: HTTP1Decoder.Role, previous: UInt8, longest: Int
  ) -> StartLineSearch {
    guard let raw = window.baseAddress, window.count > 0 else { return .none(skip: 0) }
    let base = raw.assumingMemoryBound(to: UInt8.self)
    return role == .response
      ? nextResponse(base, window.count, longest) : nextRequest(base, window.count, previous, longest)
  }

  /// Whether a whole start line stands at the window's beginning.
  static func isStartLine(_ window: UnsafeRawBufferPointer, role: HTTP1Decoder.Role) -> Bool {
    guard let feed = window.prefix(usualLongest).firstIndex(of: Octet.lf) else { return false }
    // What follows tells a status line from text.
    let line = UnsafeRawBufferPointer(rebasing: role == .request ? window[...feed] : window.prefix(usualLongest))
    if case .found(0) = next(line, role: role, previous: Octet.lf, longest: usualLongest) { return true }
    return false
  }

  // MARK: Responses

  private static func nextResponse(_ base: Octets, _ count: Int, _ longest: Int) -> StartLineSearch {
    let name: StaticString = "HTTP/1."
    var from = 0
    while let at = find(name, base, from, count) {
      switch isStatusLine(base + at, min(count - at, longest)) {
      case true?: return .found(at)
      case nil where count - at < longest: return .none(skip: at)
      default: break
      }
      from = at + 1
    }
    // The window may end in the first bytes of the name.
    for length in stride(from: min(name.utf8CodeUnitCount - 1, count), to: 0, by: -1)
    where memcmp(base + (count - length), name.utf8Start, length) == 0 {
      return .none(skip: count - length)
    }
    return .none(skip: count)
  }

  /// Nil where the bytes end before that is known.
  private static func isStatusLine(_ line: Octets, _ count: Int) -> Bool? {
    for index in 7..<max(7, min(count, 12)) {
      let byte = line[index]
      guard index == 8 ? byte == Octet.space : Octet.isDigit(byte) else { return false }
    }
    guard count > 12 else { return nil }
    guard line[12] == Octet.space || line[12] == Octet.cr || line[12] == Octet.lf else { return false }
    var index = 12
    while index < count, Octet.isVisible(line[index]) || Octet.isBlank(line[index]) { index += 1 }
    if index < count, line[index] == Octet.cr { index += 1 }
    guard index < count else { return nil }
    return line[index] == Octet.lf ? isFieldOrEmpty(line, index + 1, count) : false
  }

  /// Tells a head from a status line that is quoted in a text.
  private static func isFieldOrEmpty(_ line: Octets, _ start: Int, _ count: Int) -> Bool? {
    guard start < count else { return nil }
    if line[start] == Octet.lf { return true }
    if line[start] == Octet.cr { return start + 1 < count ? line[start + 1] == Octet.lf : nil }
    var index = start
    while index < count, Octet.isToken(line[index]) { index += 1 }
    return index < count ? index > start && line[index] == Octet.colon : nil
  }

  // MARK: Requests

  private static let methods: [StaticString] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "PROPPATCH", "MKCOL",
    "COPY", "MOVE", "LOCK", "UNLOCK", "SEARCH", "REPORT", "PURGE", "LINK", "UNLINK", "QUERY", "M-SEARCH", "NOTIFY",
    "SUBSCRIBE", "UNSUBSCRIBE", "BIND", "REBIND", "UNBIND", "ACL", "MERGE", "CHECKOUT", "MKACTIVITY", "MKCALENDAR",
  ]
  private static let longestMethod = 32

  private static func nextRequest(
    _ base: Octets, _ count: Int, _ previous: UInt8, _ longest: Int
  ) -> StartLineSearch {
    var from = 0
    while let at = find(" HTTP/1.", base, from, count) {
      from = at + 1
      let version = at + 8
      // Where the line is cut here, the tail below keeps it.
      guard version + 1 < count, Octet.isDigit(base[version]), isLineEnd(base, version + 1, count) else { continue }
      if let start = requestStart(base, versionSpace: at, floor: max(0, version + 4 - longest), previous) {
        return .found(start)
      }
    }
    return .none(skip: requestTail(base, count, longest))
  }

  private static func isLineEnd(_ base: Octets, _ index: Int, _ count: Int) -> Bool {
    base[index] == Octet.lf || base[index] == Octet.cr && index + 1 < count && base[index + 1] == Octet.lf
  }

  /// - Parameter floor: where a line that ends here can begin at the earliest. What stands before it may be gone.
  private static func requestStart(_ base: Octets, versionSpace: Int, floor: Int, _ previous: UInt8) -> Int? {
    var target = versionSpace
    while target > floor, Octet.isVisible(base[target - 1]) { target -= 1 }
    guard target < versionSpace, target > floor, base[target - 1] == Octet.space else { return nil }
    let methodEnd = target - 1
    var start = methodEnd
    while start > floor, methodEnd - start <= longestMethod, Octet.isToken(base[start - 1]) { start -= 1 }
    guard start < methodEnd else { return nil }
    let before = start > 0 ? base[start - 1] : previous
    let isWhole = methodEnd - start <= longestMethod && !Octet.isToken(before)
    let begin: Int
    if isWhole, before == Octet.lf {
      begin = start
    } else if isWhole, !Octet.isBlank(before), isUpperCase(base, start, methodEnd) {
      begin = start
    } else {
      guard let length = knownMethod(base, start, methodEnd) else { return nil }
      begin = methodEnd - length
    }
    return isTarget(base, target, versionSpace, isConnect: matches("CONNECT", base, begin, methodEnd)) ? begin : nil
  }

  private static func isTarget(_ base: Octets, _ start: Int, _ end: Int, isConnect: Bool) -> Bool {
    if base[start] == 0x2f { return true }
    if base[start] == 0x2a { return end - start == 1 }
    for index in start..<end where base[index] == Octet.colon {
      return isConnect || index + 2 < end && base[index + 1] == 0x2f && base[index + 2] == 0x2f
    }
    return false
  }

  private static func isUpperCase(_ base: Octets, _ start: Int, _ end: Int) -> Bool {
    for index in start..<end where !(base[index] &- 0x41 < 26 || base[index] == 0x2d || base[index] == 0x5f) {
      return false
    }
    return true
  }

  private static func knownMethod(_ base: Octets, _ start: Int, _ end: Int) -> Int? {
    var best: Int?
    for method in methods {
      let length = method.utf8CodeUnitCount
      guard length <= end - start, length > best ?? 0, matches(method, base, end - length, end) else { continue }
      best = length
    }
    return best
  }

  private static func matches(_ text: StaticString, _ base: Octets, _ start: Int, _ end: Int) -> Bool {
    end - start == text.utf8CodeUnitCount && memcmp(base + start, text.utf8Start, end - start) == 0
  }

  /// Where the window's tail begins that more bytes could complete: at most three words with single spaces between
  /// them, and a CR.
  private static func requestTail(_ base: Octets, _ count: Int, _ longest: Int) -> Int {
    let lowest = max(0, count - longest)
    var start = count
    if start > lowest, base[start - 1] == Octet.cr { start -= 1 }
    for word in 0..<3 {
      while start > lowest, Octet.isVisible(base[start - 1]) { start -= 1 }
      guard word < 2, start > lowest, base[start - 1] == Octet.space else { break }
      start -= 1
    }
    return start
  }

  /// The first place of `text`, by its second byte, which is rarer than a space.
  private static func find(_ text: StaticString, _ base: Octets, _ from: Int, _ count: Int) -> Int? {
    let length = text.utf8CodeUnitCount
    let probe = text.utf8Start[1]
    var at = from
    while count - at >= length {
      guard let hit = memchr(base + (at + 1), Int32(probe), count - length - at + 1) else { return nil }
      at = UnsafeRawPointer(hit) - UnsafeRawPointer(base) - 1
      if memcmp(base + at, text.utf8Start, length) == 0 { return at }
      at += 1
    }
    return nil
  }
}
