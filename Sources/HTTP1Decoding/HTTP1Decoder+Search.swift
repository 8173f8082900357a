// Purpose: looks for the next start line over any number of calls; no state is changed here, that is for HTTP1Decoder+StateMachine.swift.
// Input -> output: bytes at an offset -> what they are, or that more are needed. Bounds: HTTP1Limits.

import HTTPModel

extension HTTP1Decoder {
  enum SearchRead { case needsMore, skipped(Int), found(after: Int), exhausted }

  /// Never more than a head may have, so that what is kept back of one fits.
  private var searchedLine: Int {
    min(StartLineSearch.usualLongest, limits.maxStartLineBytes, limits.maxHeadBytes)
  }

  mutating func search(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> SearchRead {
    var available = bytes.count - offset
    if !messageSeen {
      let budget = limits.maxSearchBytes - min(limits.maxSearchBytes, counts.skipped &+ UInt64(held.count))
      if budget == 0 { return .exhausted }
      available = UInt64(available) <= budget ? available : Int(budget)
    }
    guard available > 0 else { return .needsMore }
    return held.isEmpty ? searchHere(bytes, &offset, available) : searchAcross(bytes, &offset, available)
  }

  private mutating func searchHere(
    _ bytes: UnsafeRawBufferPointer, _ offset: inout Int, _ available: Int
  ) -> SearchRead {
    let window = UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + available)])
    switch StartLineSearch.next(window, role: role, previous: previousByte, longest: searchedLine) {
    case .found(let start):
      if start > 0 { skipped(start, endingIn: window[start - 1]) }
      offset += start
      return .found(after: start)
    case .none(let skip):
      if skip > 0 { skipped(skip, endingIn: window[skip - 1]) }
      held.append(contentsOf: window[skip...])
      offset += available
      // Bytes beyond what may be searched are still to be told of.
      return skip > 0 ? .skipped(skip) : offset < bytes.count ? search(bytes, &offset) : .needsMore
    }
  }

  /// What was kept back of earlier calls, and as much of this one as can complete a start line that begins there.
  private mutating func searchAcross(
    _ bytes: UnsafeRawBufferPointer, _ offset: inout Int, _ available: Int
  ) -> SearchRead {
    let earlier = held.count
    let added = min(available, searchedLine)
    held.append(contentsOf: bytes[offset..<(offset + added)])
    offset += added
    let result = held.withUnsafeBytes {
      StartLineSearch.next($0, role: role, previous: previousByte, longest: searchedLine)
    }
    let (passed, isFound) =
      switch result {
      case .found(let start): (start, true)
      case .none(let skip): (skip, false)
      }
    if passed > 0 { skipped(passed, endingIn: held[passed - 1]) }
    if passed >= earlier {
      // Nothing of earlier calls is left: go on in the caller's bytes.
      offset -= earlier + added - passed
      held = []
    } else {
      held.removeFirst(passed)
      if isFound {
        held.removeLast(added)
        offset -= added
        readHeldStartLine()
      }
    }
    if isFound { return .found(after: passed) }
    return passed > 0 ? .skipped(passed) : offset < bytes.count ? search(bytes, &offset) : .needsMore
  }

  /// A status line is told from text by the line after it, so all of it and some of that line may be held.
  private mutating func readHeldStartLine() {
    startLineKnown = held.withUnsafeBufferPointer { held in
      guard let base = held.baseAddress, let end = StartLineEnd(base, to: held.count),
        case .message = StartLine.parse(base, end, role: role)
      else { return false }
      section = SectionEnd()
      _ = section.find(base, from: end.feed + 1, to: held.count)
      return true
    }
  }

  @discardableResult
  mutating func skipped(_ count: Int, endingIn byte: UInt8) -> HTTP1Step {
    counts.skipped &+= UInt64(count)
    previousByte = byte
    return .skipped(count)
  }
}
