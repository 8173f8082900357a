// A body as it arrives: kept up to a limit, counted beyond it, hashed where it is cut.
//
// In: body bytes after transfer coding, and ranges that a gap swallowed. Out: an HTTPBody. Owner: a message under
// construction. Bounds: `limit` bytes are kept; chunk sizes up to a count, missing ranges up to a count.

import HTTP1Decoding
import HTTPModel

struct BodyBuilder {
  private(set) var bytes: [UInt8] = []
  private(set) var size: UInt64 = 0
  private var missing: [BodyRange] = []
  private var chunkSizes: [UInt32] = []
  private var hash: BodyHash? = nil
  private var framing: BodyFraming
  private var limit: Int

  /// Chunk sizes beyond this many are not kept: such a body is sent again in one chunk.
  private static let maxChunkSizes = 65_536
  private static let maxMissingRanges = 1024

  /// - Parameters:
  ///   - expected: the length that the head promised, if any; room is made for it within reason.
  ///   - limit: bytes to keep.
  init(framing: BodyFraming, expected: UInt64?, limit: Int) {
    self.framing = framing
    self.limit = limit
    // A hostile Content-Length must not reserve what never comes.
    if let expected, expected > 0 { bytes.reserveCapacity(min(Int(clamping: expected), limit, 1 << 18)) }
  }

  var isOverLimit: Bool { hash != nil }
  /// Bytes of the body that are counted and not kept.
  var bytesOverLimit: UInt64 { hash == nil ? 0 : size - UInt64(bytes.count) - missing.reduce(0) { $0 + $1.count } }

  /// Keeps no more bytes from here on; they are still counted and hashed.
  mutating func stopKeeping() { limit = min(limit, bytes.count) }

  mutating func append(_ part: UnsafeRawBufferPointer) {
    size &+= UInt64(part.count)
    if hash == nil, bytes.count + part.count <= limit {
      bytes.append(contentsOf: part)
      return
    }
    if hash == nil {
      hash = BodyHash()
      hash!.update(bytes)
      hash!.update(part)
      bytes.append(contentsOf: part.prefix(limit - bytes.count))
    } else {
      hash!.update(part)
    }
  }

  mutating func beginChunk(size: UInt64) {
    if chunkSizes.count < Self.maxChunkSizes { chunkSizes.append(UInt32(clamping: size)) }
  }

  /// The body's bytes in `range` were never captured.
  mutating func skip(_ range: BodyRange) {
    if range.upperBound != .max { size = max(size, range.upperBound) }
    if missing.count < Self.maxMissingRanges {
      missing.append(range)
    } else {
      missing[missing.count - 1].upperBound = range.upperBound
    }
  }

  /// Nothing more of the body will come; how much is missing is known where its length was.
  mutating func skipRest(_ reason: HTTP1Truncation = .chunked) {
    switch reason {
    case .body(let missing): skip(BodyRange(lowerBound: size, upperBound: size &+ missing))
    case .chunked: skip(BodyRange(lowerBound: size, upperBound: .max))
    case .head, .trailers, .declined: break
    }
  }

  /// - Parameter complete: the body ended where its framing says.
  consuming func finish(complete: Bool) -> HTTPBody {
    let isWhole = complete && missing.isEmpty
    // One chunk, or more than could be noted, needs no list.
    let sizes = chunkSizes.count > 1 && chunkSizes.count < Self.maxChunkSizes ? chunkSizes : []
    return HTTPBody(
      bytes: bytes, size: size, isComplete: isWhole && hash == nil, framing: framing, missing: missing,
      cutHash: isWhole ? hash?.value : nil, chunkSizes: sizes)
  }
}

extension BodyRange {
  var count: UInt64 { upperBound == .max ? 0 : upperBound - lowerBound }
}
