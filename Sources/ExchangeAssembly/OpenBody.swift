// A body as it arrives: kept up to a limit, counted beyond it, hashed where it is cut.
//
// In: body bytes after transfer coding, and ranges that a gap swallowed. Out: the HTTPBody of the message under
// construction, filled in place. Owner: a pending exchange. Bounds: `limit` bytes are kept; chunk sizes and missing
// ranges up to a count.

import HTTP1Decoding
import HTTPModel

struct OpenBody {
  private var limit: Int
  /// Present once the body is larger than the limit; rare, so it stands apart.
  private var hash: HashState?

  private final class HashState {
    var hash = BodyHash()
  }

  /// Chunk sizes beyond this many are not kept: such a body is sent again in one chunk.
  private static let maxChunkSizes = 65_536
  private static let maxMissingRanges = 1024

  init(limit: Int) { self.limit = limit }

  /// Makes room for the length that the head promised, within reason: a hostile one must not reserve what never comes.
  func reserve(_ expected: UInt64?, in body: inout HTTPBody) {
    guard let expected, expected > 0 else { return }
    body.bytes.reserveCapacity(min(Int(clamping: expected), limit, 1 << 18))
  }

  var isOverLimit: Bool { hash != nil }

  private func bytesOverLimit(of body: HTTPBody) -> UInt64 {
    guard hash != nil else { return 0 }
    // Missing ranges beyond their limit are merged and may cover bytes that were kept.
    let known = body.missing.reduce(UInt64(body.bytes.count)) { $0 &+ $1.count }
    return body.size > known ? body.size - known : 0
  }

  /// Keeps no more bytes from here on; they are still counted and hashed.
  mutating func stopKeeping(_ body: HTTPBody) { limit = min(limit, body.bytes.count) }

  mutating func append(_ part: UnsafeRawBufferPointer, to body: inout HTTPBody) {
    body.size &+= UInt64(part.count)
    if hash == nil, body.bytes.count + part.count <= limit {
      body.bytes.append(contentsOf: part)
      return
    }
    if hash == nil {
      let state = HashState()
      state.hash.update(body.bytes)
      hash = state
      body.bytes.append(contentsOf: part.prefix(limit - body.bytes.count))
    }
    hash!.hash.update(part)
  }

  func beginChunk(size: UInt64, of body: inout HTTPBody) {
    if body.chunkSizes.count < Self.maxChunkSizes { body.chunkSizes.append(UInt32(clamping: size)) }
  }

  /// The body's bytes in `range` were never captured.
  func skip(_ range: BodyRange, of body: inout HTTPBody) {
    if range.upperBound != .max { body.size = max(body.size, range.upperBound) }
    if body.missing.count < Self.maxMissingRanges {
      body.missing.append(range)
    } else {
      body.missing[body.missing.count - 1].upperBound = range.upperBound
    }
  }

  /// Nothing more of the body will come; how much is missing is known where its length was.
  func skipRest(_ reason: HTTP1Truncation, of body: inout HTTPBody) {
    switch reason {
    case .body(let missing): skip(BodyRange(lowerBound: body.size, upperBound: body.size &+ missing), of: &body)
    case .chunked: skip(BodyRange(lowerBound: body.size, upperBound: .max), of: &body)
    case .head, .trailers, .declined: break
    }
  }

  /// - Parameter complete: the body ended where its framing says.
  /// - Returns: body bytes that were counted and not kept.
  func finish(_ body: inout HTTPBody, complete: Bool) -> UInt64 {
    let isWhole = complete && body.missing.isEmpty
    body.isComplete = isWhole && hash == nil
    if isWhole, let hash { body.cutHash = hash.hash.value }
    // One chunk, or more than could be noted, needs no list.
    if body.chunkSizes.count == 1 || body.chunkSizes.count == Self.maxChunkSizes { body.chunkSizes = [] }
    return bytesOverLimit(of: body)
  }
}

extension BodyRange {
  var count: UInt64 { upperBound == .max ? 0 : upperBound - lowerBound }
}
