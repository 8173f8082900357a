// gzip (RFC 1952) and zstd (RFC 8878) files to the capture within, piece by piece.
//
// In: a descriptor's bytes. Out: content. Owner: one CaptureInput. Bounds: 128 KB of input, and the decoder's window:
// 32 KB for gzip, what the frame asks for but 128 MB at most for zstd.

import CZlib
import CZstd
import Glibc

/// Undoes one layer of compression.
///
/// gzip members and zstd frames that follow one another are one content; skippable frames, and the zeros with which
/// tapes and block devices fill up, are passed over.
final class Decompressor {
  enum Format {
    case gzip, zstd

    /// - Parameter bytes: at least 4.
    init?(magic bytes: UnsafeRawPointer) {
      let word = UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
      if word & 0x00ff_ffff == 0x0008_8b1f {
        self = .gzip
      } else if word == 0xfd2f_b528 || word & 0xffff_fff0 == 0x184d_2a50 {
        self = .zstd
      } else {
        return nil
      }
    }
  }

  /// Why the content ends before it should.
  enum Fault {
    /// Within a member or frame.
    case cutOff
    /// A checksum or the coding itself is wrong.
    case damaged
    /// A zstd frame that was made for more memory than is given here.
    case windowTooLarge
    /// Behind a member or frame stands something else.
    case foreign
  }

  /// Of the member or frame that was read last.
  private(set) var format: Format
  private(set) var fault: Fault?
  private var stream: UnsafeMutablePointer<z_stream>?
  private var decoder: OpaquePointer?
  private let input: UnsafeMutableRawPointer
  private var start = 0
  private var end = 0
  private var isWithin = false
  /// The decoder filled all room that it had and may have more.
  private var hasMore = false

  private static let capacity = 1 << 17

  /// - Parameter beginning: the file's first bytes, copied.
  init(_ format: Format, beginning: UnsafeRawBufferPointer) {
    self.format = format
    input = .allocate(byteCount: max(Decompressor.capacity, beginning.count), alignment: 16)
    if let base = beginning.baseAddress { input.copyMemory(from: base, byteCount: beginning.count) }
    end = beginning.count
  }

  deinit {
    if let stream {
      inflateEnd(stream)
      stream.deallocate()
    }
    if let decoder { ZSTD_freeDCtx(decoder) }
    input.deallocate()
  }

  /// Writes at most `room` bytes of content.
  func read(
    into place: UnsafeMutableRawPointer, room: Int, from source: CaptureDescriptor
  ) throws(CaptureError) -> ReadOutcome {
    while fault == nil {
      if !isWithin, let outcome = try beginMember(from: source) { return outcome }
      if fault != nil { break }
      if start == end, !hasMore {
        switch try refill(from: source) {
        case .bytes: break
        case .pending: return .pending
        case let outcome:
          fault = .cutOff
          return outcome
        }
      }
      let produced = format == .gzip ? inflate(into: place, room: room) : decode(into: place, room: room)
      hasMore = isWithin && produced == room
      if produced > 0 { return .bytes(produced) }
    }
    return .end
  }

  /// - Returns: why there is no member to read now; nil where there is one, or a fault.
  private func beginMember(from source: CaptureDescriptor) throws(CaptureError) -> ReadOutcome? {
    while true {
      while start < end, input.load(fromByteOffset: start, as: UInt8.self) == 0 { start += 1 }
      if end - start >= 4 { break }
      let outcome = try refill(from: source)
      if case .bytes = outcome { continue }
      if case .pending = outcome { return .pending }
      if start < end { fault = .foreign }
      return outcome
    }
    guard let next = Format(magic: input + start), prepare(next) else {
      fault = .foreign
      return nil
    }
    format = next
    isWithin = true
    return nil
  }

  /// Makes the decoder ready for a member's start.
  private func prepare(_ format: Format) -> Bool {
    switch format {
    case .gzip:
      if let stream { return inflateReset(stream) == Z_OK }
      let made = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
      made.initialize(to: z_stream())
      // 15 for the largest window, 16 for gzip's header and trailer.
      guard inflateInit2_(made, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
        made.deallocate()
        return false
      }
      stream = made
      return true
    case .zstd:
      if decoder == nil { decoder = ZSTD_createDCtx() }
      guard let decoder else { return false }
      // The library's own default, named so that no other build changes it.
      ZSTD_DCtx_setParameter(decoder, ZSTD_d_windowLogMax, 27)
      return ZSTD_isError(ZSTD_DCtx_reset(decoder, ZSTD_reset_session_only)) == 0
    }
  }

  private func inflate(into place: UnsafeMutableRawPointer, room: Int) -> Int {
    guard let stream else { return 0 }
    // zlib counts in 32 bits.
    let room = min(room, 1 << 30)
    stream.pointee.next_in = (input + start).assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(end - start)
    stream.pointee.next_out = place.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(room)
    let status = CZlib.inflate(stream, Z_NO_FLUSH)
    start = end - Int(stream.pointee.avail_in)
    switch status {
    case Z_STREAM_END: isWithin = false
    case Z_OK, Z_BUF_ERROR: break
    default: fault = .damaged
    }
    return room - Int(stream.pointee.avail_out)
  }

  private func decode(into place: UnsafeMutableRawPointer, room: Int) -> Int {
    guard let decoder else { return 0 }
    var output = ZSTD_outBuffer(dst: place, size: room, pos: 0)
    var given = ZSTD_inBuffer(src: input + start, size: end - start, pos: 0)
    let status = ZSTD_decompressStream(decoder, &output, &given)
    start += given.pos
    if ZSTD_isError(status) != 0 {
      fault = ZSTD_getErrorCode(status) == ZSTD_error_frameParameter_windowTooLarge ? .windowTooLarge : .damaged
    } else if status == 0 {
      isWithin = false
    }
    return output.pos
  }

  /// Reads more behind what is left.
  private func refill(from source: CaptureDescriptor) throws(CaptureError) -> ReadOutcome {
    if start > 0 {
      memmove(input, input + start, end - start)
      (start, end) = (0, end - start)
    }
    let outcome = try source.read(into: input + end, room: Decompressor.capacity - end)
    if case .bytes(let got) = outcome { end += got }
    return outcome
  }
}
