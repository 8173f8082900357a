// zstd (RFC 8878) through the zstd library.

import CZstd

enum ZstandardDecoding {
  /// 8 MB, the most that a content coding may ask for (RFC 9659, 3).
  private static let windowLogLimit: Int32 = 23

  /// Frames one behind the other, then anything.
  static func decode(_ input: UnsafeRawBufferPointer, to output: inout BoundedOutput) -> DecodingEnd {
    guard let context = ZSTD_createDCtx() else { return .malformed }
    defer { ZSTD_freeDCtx(context) }
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, windowLogLimit)
    var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
    return withUnsafeTemporaryAllocation(byteCount: BoundedOutput.pieceSize, alignment: 16) { piece in
      while true {
        var target = ZSTD_outBuffer(dst: piece.baseAddress, size: piece.count, pos: 0)
        let status = ZSTD_decompressStream(context, &target, &source)
        guard output.append(UnsafeRawBufferPointer(rebasing: piece.prefix(target.pos))) else { return .overLimit }
        if ZSTD_isError(status) != 0 { return .malformed }
        if status == 0 {
          guard frameFollows(UnsafeRawBufferPointer(rebasing: input[source.pos...])) else { return .whole }
        } else if source.pos == input.count, target.pos < piece.count {
          return .truncated
        }
      }
    }
  }

  /// A frame's or a skippable frame's magic number (RFC 8878, 3.1).
  private static func frameFollows(_ rest: UnsafeRawBufferPointer) -> Bool {
    guard rest.count >= 4 else { return false }
    let magic = UInt32(littleEndian: rest.loadUnaligned(as: UInt32.self))
    return magic == 0xfd2f_b528 || magic & 0xffff_fff0 == 0x184d_2a50
  }
}
