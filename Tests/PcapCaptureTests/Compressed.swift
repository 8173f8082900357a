// Writers of gzip and zstd.

import CZlib
import CZstd

enum Compressed {
  static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    precondition(
      deflateInit2_(
        &stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK)
    defer { deflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))) + 32)
    let room = output.count
    input.withUnsafeMutableBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
        (stream.next_out, stream.avail_out) = (output.baseAddress, UInt32(output.count))
        precondition(deflate(&stream, Z_FINISH) == Z_STREAM_END)
      }
    }
    return Array(output.prefix(room - Int(stream.avail_out)))
  }

  /// With a checksum, and a window of 2^`windowLog` where that is told.
  static func zstd(_ bytes: [UInt8], windowLog: Int32? = nil) -> [UInt8] {
    let context = ZSTD_createCCtx()
    defer { ZSTD_freeCCtx(context) }
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    if let windowLog {
      ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, windowLog)
      // Else the window is the content's size.
      ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0)
    }
    var output = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count) + 64)
    let room = output.count
    let count = bytes.withUnsafeBytes { input in
      output.withUnsafeMutableBytes { output in
        var given = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var taken = ZSTD_outBuffer(dst: output.baseAddress, size: room, pos: 0)
        // In two steps, so that the content's size is not known at the frame's beginning.
        if windowLog != nil { ZSTD_compressStream2(context, &taken, &given, ZSTD_e_continue) }
        precondition(ZSTD_compressStream2(context, &taken, &given, ZSTD_e_end) == 0)
        return taken.pos
      }
    }
    return Array(output.prefix(count))
  }
}
