// gzip (RFC 1952) undone and applied piece by piece. In and out: bytes. Owner: one conversion. Bounds: zlib's window
// (32 KB, 256 KB when compressing) and 128 KB of output at a time.

import CZlib

/// Undoes gzip; members that follow one another are one content, zeros behind the last are padding.
///
/// A class, because zlib's state must not be copied.
public final class GzipDecoder {
  /// Why the content ended before it should.
  public enum Fault: Sendable { case cutOff, damaged }

  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private var output = [UInt8](repeating: 0, count: 1 << 17)
  private var isWithin = false
  private var isDone = false
  /// Nil as long as nothing is wrong.
  public private(set) var fault: Fault?

  public init() {
    stream.initialize(to: z_stream())
    // 15 for the largest window, 16 for gzip's header and trailer.
    let status = inflateInit2_(stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib of another version, or no memory")
  }

  deinit {
    inflateEnd(stream)
    stream.deinitialize(count: 1)
    stream.deallocate()
  }

  /// - Parameter body: is lent each piece of content until it returns.
  public func receive(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    guard fault == nil, !isDone, let base = bytes.baseAddress else { return }
    stream.pointee.next_in = UnsafeMutablePointer(mutating: base.assumingMemoryBound(to: UInt8.self))
    stream.pointee.avail_in = UInt32(bytes.count)
    while fault == nil, !isDone, stream.pointee.avail_in > 0 || isWithin {
      if !isWithin {
        // Another member, or what stands behind the last.
        guard stream.pointee.next_in.pointee == 0x1f else {
          isDone = true
          return
        }
        isWithin = true
      }
      let room = output.count
      var status = Z_OK
      let produced = output.withUnsafeMutableBufferPointer { buffer in
        stream.pointee.next_out = buffer.baseAddress
        stream.pointee.avail_out = UInt32(room)
        status = inflate(stream, Z_NO_FLUSH)
        return room - Int(stream.pointee.avail_out)
      }
      if produced > 0 {
        try output.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<produced])) }
      }
      if status == Z_STREAM_END {
        isWithin = false
        inflateReset(stream)
      } else if status != Z_OK, status != Z_BUF_ERROR {
        fault = .damaged
      } else if stream.pointee.avail_in == 0, produced < room {
        return
      }
    }
  }

  /// The file has ended.
  public func finish() { if isWithin, fault == nil { fault = .cutOff } }
}

/// Applies gzip. A class, because zlib's state must not be copied.
public final class GzipEncoder {
  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

  public init() {
    stream.initialize(to: z_stream())
    let status = deflateInit2_(
      stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib of another version, or no memory")
  }

  deinit {
    deflateEnd(stream)
    stream.deinitialize(count: 1)
    stream.deallocate()
  }

  /// Compresses the next bytes; what is ready is appended to `out`.
  public func append(_ bytes: [UInt8], into out: inout [UInt8]) { run(bytes, Z_NO_FLUSH, into: &out) }

  /// Writes the member's end; nothing may follow.
  public func finish(into out: inout [UInt8]) { run([], Z_FINISH, into: &out) }

  private func run(_ bytes: [UInt8], _ flush: Int32, into out: inout [UInt8]) {
    bytes.withUnsafeBufferPointer { input in
      stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
      stream.pointee.avail_in = UInt32(input.count)
      var isFull = true
      while isFull {
        let room = 1 << 16
        let piece = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
          stream.pointee.next_out = buffer.baseAddress
          stream.pointee.avail_out = UInt32(room)
          _ = deflate(stream, flush)
          count = room - Int(stream.pointee.avail_out)
        }
        out += piece
        isFull = piece.count == room
      }
    }
  }
}
