// A GoReplay file cut into records.
//
// In: the file's bytes, in pieces of any size. Out: a meta line and a payload each. A separator ends a record only where
// a meta line or nothing follows it, so that one in a body does no harm. A record that was never ended (the process was
// killed and another went on in the same file) ends where the meta line of the next one stands.
// Owner: one reader. Bounds: `recordLimit` bytes are held; what is larger is cut there.

import Glibc

struct GoReplayScanner {
  struct Record {
    var meta: GoReplayMeta
    var payload: [UInt8]
    /// Of the meta line, in the file.
    var offset: UInt64
    /// Its separator was there.
    var isTerminated: Bool
    /// Bytes over the limit, left out.
    var cut: UInt64
  }

  private let recordLimit: Int
  private var buffer: [UInt8] = []
  /// What of the buffer has been handed out.
  private var start = 0
  /// Up to here there is no separator.
  private var searched = 0
  /// Of ``start``, in the file.
  private var offset: UInt64 = 0
  private var isFinished = false
  /// The meta line of the record that is being read, and where it began.
  private var current: (meta: GoReplayMeta, offset: UInt64)?
  private var cut: UInt64 = 0
  /// Bytes that belong to no record.
  private(set) var skipped: UInt64 = 0
  /// Where the first of them stands.
  private(set) var firstSkipped: UInt64?

  init(recordLimit: Int = 256 << 20) { self.recordLimit = recordLimit }

  mutating func receive(_ bytes: UnsafeRawBufferPointer) {
    if start > 0, start == buffer.count || start > 1 << 20 {
      buffer.removeFirst(start)
      searched -= start
      start = 0
    }
    buffer.append(contentsOf: bytes)
  }

  mutating func finish() { isFinished = true }

  mutating func next() -> Record? {
    while true {
      if current == nil, !beginRecord() { return nil }
      guard let found = findSeparator() else {
        if isFinished { return endRecord(at: buffer.count, terminated: false, next: buffer.count) }
        cutIfTooLarge()
        return nil
      }
      let next = found + GoReplayMeta.separator.count
      switch meta(at: next) {
      case .none where next < buffer.count:
        // No meta line behind it: it belongs to the payload.
        searched = found + 1
        continue
      case .pending: return nil
      case .none, .meta: return endRecord(at: found, terminated: true, next: next)
      }
    }
  }

  private enum Line {
    case none
    /// More bytes are needed to tell.
    case pending
    case meta(GoReplayMeta, end: Int)
  }

  private func meta(at place: Int) -> Line {
    let limit = min(buffer.count, place + GoReplayMeta.lengthLimit)
    guard place < limit else { return isFinished ? .none : .pending }
    guard let end = buffer[place..<limit].firstIndex(of: 0x0a) else {
      return isFinished || limit < buffer.count ? .none : .pending
    }
    guard let meta = GoReplayMeta(buffer[place..<end]) else { return .none }
    return .meta(meta, end: end + 1)
  }

  /// - Returns: false where more bytes are needed, or none come.
  private mutating func beginRecord() -> Bool {
    while start < buffer.count {
      switch meta(at: start) {
      case .meta(let meta, let end):
        current = (meta, offset)
        advance(to: end)
        searched = max(start - 1, 0)
        return true
      case .pending: return false
      case .none: if !skipToNext() { return false }
      }
    }
    return false
  }

  /// Passes over what is no record, up to behind the next separator.
  private mutating func skipToNext() -> Bool {
    if firstSkipped == nil { firstSkipped = offset }
    guard let found = findSeparator() else {
      // The end of the buffer may be the beginning of a separator.
      let end = isFinished ? buffer.count : max(start, buffer.count - GoReplayMeta.separator.count)
      skipped += UInt64(end - start)
      advance(to: end)
      return isFinished
    }
    let next = found + GoReplayMeta.separator.count
    skipped += UInt64(next - start)
    advance(to: next)
    return true
  }

  private mutating func advance(to place: Int) {
    offset &+= UInt64(place - start)
    start = place
    searched = max(searched, place)
  }

  private mutating func endRecord(at end: Int, terminated: Bool, next: Int) -> Record? {
    guard let (meta, place) = current else { return nil }
    let record = Record(
      meta: meta, payload: Array(buffer[min(start, end)..<end]), offset: place, isTerminated: terminated, cut: cut)
    current = nil
    cut = 0
    advance(to: next)
    return record
  }

  private mutating func cutIfTooLarge() {
    let held = buffer.count - start
    guard held > recordLimit + (1 << 20) else { return }
    // The last bytes stay: they may be the beginning of a separator.
    let keep = GoReplayMeta.separator.count
    let from = start + recordLimit
    let to = buffer.count - keep
    cut &+= UInt64(to - from)
    offset &+= UInt64(to - from)
    buffer.removeSubrange(from..<to)
    searched = min(searched, from)
  }

  private mutating func findSeparator() -> Int? {
    let from = max(searched, start > 0 ? start - 1 : 0)
    let length = GoReplayMeta.separator.count
    guard buffer.count - from >= length else { return nil }
    let found = buffer.withUnsafeBytes { bytes -> Int? in
      var place = from + 1
      // The first monkey's first byte is rare in what HTTP carries.
      while place + length - 1 <= bytes.count,
        let hit = memchr(bytes.baseAddress! + place, 0xf0, bytes.count - length + 2 - place)
      {
        let first = UnsafeRawPointer(hit) - bytes.baseAddress! - 1
        if bytes[first..<first + length].elementsEqual(GoReplayMeta.separator) { return first }
        place = first + 2
      }
      return nil
    }
    searched = found ?? buffer.count - length + 1
    return found
  }
}
