// DEFLATE (RFC 1951) without a frame, as a stream that is flushed now and then: WebSocket's permessage-deflate (RFC 7692).
// In: pieces of the stream. Out: bytes appended, up to a limit. Owner: one direction of a connection.
// Bounds: zlib's window, 40 KB, made with the first piece; output by the caller's limit.

import CZlib

/// Inflates a raw DEFLATE stream piece by piece; everything that a piece completes comes out with it.
///
/// `@unchecked Sendable`: zlib's state is reached through this value alone, which cannot be copied, and is bound to no
/// thread.
public struct RawInflater: ~Copyable, @unchecked Sendable {
  /// zlib keeps the address of its stream, so that it must not move.
  private var stream: UnsafeMutablePointer<z_stream>?
  private var isBroken = false

  public init() {}

  deinit { Self.free(stream) }

  private static func free(_ stream: UnsafeMutablePointer<z_stream>?) {
    guard let stream else { return }
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Inflates the next bytes; the window goes on from the call before.
  ///
  /// - Parameters:
  ///   - input: any part of the stream, borrowed until return.
  ///   - limit: the most bytes to append; what comes out beyond it is counted and dropped.
  /// - Returns: bytes that came out, kept or not; nil where the input is no DEFLATE. What came out before the fault is
  ///   appended, and nothing is inflated after it until ``reset()``.
  public mutating func inflate(_ input: UnsafeRawBufferPointer, limit: Int, into output: inout [UInt8]) -> Int? {
    if isBroken { return nil }
    guard let stream = stream ?? open() else { return nil }
    var total = 0
    var rest = input
    while !rest.isEmpty {
      // zlib counts in 32 bits.
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
      // zlib reads only; its interface lacks the const.
      stream.pointee.next_in = UnsafeMutablePointer(
        mutating: piece.baseAddress!.assumingMemoryBound(to: UInt8.self))
      stream.pointee.avail_in = UInt32(piece.count)
      guard drain(stream, limit: limit, &total, into: &output) else {
        isBroken = true
        return nil
      }
    }
    return total
  }

  /// Forgets the window, and what was wrong.
  public mutating func reset() {
    isBroken = false
    if let stream, inflateReset(stream) != Z_OK { isBroken = true }
  }

  private mutating func open() -> UnsafeMutablePointer<z_stream>? {
    let made = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    made.initialize(to: z_stream())
    // The greatest window reads streams of any smaller one.
    guard inflateInit2_(made, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      made.deallocate()
      isBroken = true
      return nil
    }
    stream = made
    return made
  }

  /// Takes out all that the input at hand gives; false where it is no DEFLATE.
  private func drain(
    _ stream: UnsafeMutablePointer<z_stream>, limit: Int, _ total: inout Int, into output: inout [UInt8]
  ) -> Bool {
    withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 16) { piece in
      while true {
        stream.pointee.next_out = piece.baseAddress!.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(piece.count)
        let status = CZlib.inflate(stream, Z_SYNC_FLUSH)
        let produced = piece.count - Int(stream.pointee.avail_out)
        let room = max(0, min(produced, limit - total))
        output.append(contentsOf: UnsafeRawBufferPointer(rebasing: piece.prefix(room)))
        total += produced
        switch status {
        case Z_STREAM_END:
          // A final block is not the stream's end (RFC 7692, 7.2.3.4): the next begins with the same window.
          guard inflateResetKeep(stream) == Z_OK else { return false }
          if stream.pointee.avail_in == 0 { return true }
        case Z_OK, Z_BUF_ERROR:
          // Room left over means that there is nothing more to come of this input.
          if stream.pointee.avail_out > 0 { return true }
        default: return false
        }
      }
    }
  }
}
