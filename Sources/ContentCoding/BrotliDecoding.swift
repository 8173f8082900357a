// br (RFC 7932) through the brotli library.

import CBrotli

enum BrotliDecoding {
  static func decode(_ input: UnsafeRawBufferPointer, to output: inout BoundedOutput) -> DecodingEnd {
    guard let decoder = BrotliDecoderCreateInstance(nil, nil, nil) else { return .malformed }
    defer { BrotliDecoderDestroyInstance(decoder) }
    var remaining = input.count
    var next = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
    return withUnsafeTemporaryAllocation(byteCount: BoundedOutput.pieceSize, alignment: 16) { piece in
      while true {
        var room = piece.count
        var place: UnsafeMutablePointer<UInt8>? = piece.baseAddress!.assumingMemoryBound(to: UInt8.self)
        let result = BrotliDecoderDecompressStream(decoder, &remaining, &next, &room, &place, nil)
        let produced = UnsafeRawBufferPointer(rebasing: piece.prefix(piece.count - room))
        guard output.append(produced) else { return .overLimit }
        switch result {
        case BROTLI_DECODER_RESULT_SUCCESS: return .whole
        case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: continue
        case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT: return .truncated
        default: return .malformed
        }
      }
    }
  }
}
