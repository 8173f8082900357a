// Purpose: reads bodies, chunk lines and trailer sections; no state is changed here, that is for HTTP1Decoder+StateMachine.swift.
// Input -> output: bytes at an offset -> what they are, or that more are needed. Bounds: HTTP1Limits.

import HTTPModel

extension HTTP1Decoder {
  enum ChunkLineRead { case needsMore, chunk(size: UInt64), invalid }
  enum TrailersRead { case needsMore, none, section(HeaderFields), tooLarge }

  mutating func takeBody(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int, atMost: UInt64) -> Range<Int> {
    let available = bytes.count - offset
    let count = UInt64(available) <= atMost ? available : Int(atMost)
    let range = offset..<(offset + count)
    offset += count
    counts.body &+= UInt64(count)
    bodyPosition &+= UInt64(count)
    mayBeDeclined = false
    return range
  }

  @inline(__always)
  func isDeclined(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Bool {
    mayBeDeclined && StartLineSearch.isStartLine(UnsafeRawBufferPointer(rebasing: bytes[offset...]), role: role)
  }

  mutating func readChunkLine(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> ChunkLineRead {
    mayBeDeclined = false
    let base = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
    let from = offset
    let limit = min(bytes.count, from + (limits.maxChunkLineBytes - held.count))
    guard let feed = lineFeed(base, from: from, to: limit) else {
      held.append(contentsOf: bytes[from..<limit])
      offset = limit
      return held.count < limits.maxChunkLineBytes ? .needsMore : .invalid
    }
    if held.isEmpty {
      guard let line = ChunkLine(base + from, feed - from) else { return .invalid }
      offset = feed + 1
      counts.framing &+= UInt64(feed + 1 - from)
      return noted(line, base + from)
    }
    let earlier = held.count
    held.append(contentsOf: bytes[from..<feed])
    let text = takeHeld()
    return text.withUnsafeBufferPointer {
      guard let line = ChunkLine($0.baseAddress!, $0.count) else {
        held = Array(text.prefix(earlier))
        return .invalid
      }
      counts.framing &+= UInt64($0.count + 1)
      offset = feed + 1
      return noted(line, $0.baseAddress!)
    }
  }

  private mutating func noted(_ line: ChunkLine, _ base: Octets) -> ChunkLineRead {
    for anomaly in line.anomalies.isEmpty ? [] : line.anomalies.members { tell(anomaly) }
    if line.extensionStart < line.end {
      chunkExtension = Array(
        UnsafeBufferPointer(start: base + line.extensionStart, count: line.end - line.extensionStart))
    } else if !chunkExtension.isEmpty {
      chunkExtension = []
    }
    return .chunk(size: line.size)
  }

  mutating func readTrailers(
    _ bytes: UnsafeRawBufferPointer, _ offset: inout Int, _ names: inout KnownNames
  ) -> TrailersRead {
    if held.isEmpty, bytes.count - offset >= 2, bytes[offset] == Octet.cr, bytes[offset + 1] == Octet.lf {
      offset += 2
      counts.trailers &+= 2
      return .none
    }
    let base = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
    let from = offset
    let limit = min(bytes.count, from + (limits.maxHeadBytes - held.count))
    let end = section.find(base, from: from, to: limit)
    held.append(contentsOf: bytes[from..<(end ?? limit)])
    offset = end ?? limit
    if end == nil { return held.count < limits.maxHeadBytes ? .needsMore : .tooLarge }
    let storage = takeHeld()
    var ranges: [FieldRange] = []
    // A trailer says nothing of the message (RFC 9110, 6.5.1).
    var said = MessageFraming()
    let parsed = storage.withUnsafeBufferPointer {
      FieldSection.parse(
        $0.baseAddress!, from: 0, to: $0.count, isClean: true, limits, role, &names, &ranges, &said)
    }
    guard case .complete(_, let anomalies) = parsed else {
      held = storage
      return .tooLarge
    }
    counts.trailers &+= UInt64(storage.count)
    for anomaly in anomalies.members { tell(anomaly) }
    return ranges.isEmpty ? .none : .section(HeaderFields(storage: storage, ranges: ranges))
  }
}
