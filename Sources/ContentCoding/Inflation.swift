// gzip (RFC 1952) and deflate (RFC 9110, 8.4.1.2: RFC 1950, but often plain RFC 1951) through zlib.

import CZlib

enum Inflation {
  /// zlib's names for what frames the deflated data.
  private enum Framing: Int32 {
    case gzip = 31
    case zlib = 15
    case raw = -15
  }

  /// Members one behind the other, then anything.
  static func gzip(_ input: UnsafeRawBufferPointer, to output: inout BoundedOutput) -> DecodingEnd {
    var rest = input
    var isFirst = true
    while isFirst || rest.starts(with: [0x1f, 0x8b]) {
      let before = output.bytes.count
      let (end, used) = inflate(rest, .gzip, to: &output)
      guard end == .whole else {
        // Bytes behind a member that only look like another one.
        return !isFirst && end == .malformed && output.bytes.count == before ? .whole : end
      }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(used))
      isFirst = false
    }
    return .whole
  }

  static func deflate(_ input: UnsafeRawBufferPointer, to output: inout BoundedOutput) -> DecodingEnd {
    guard looksLikeZlib(input) else { return inflate(input, .raw, to: &output).end }
    let (end, _) = inflate(input, .zlib, to: &output)
    // Raw data may begin like a zlib header by chance.
    return end == .malformed && output.bytes.isEmpty ? inflate(input, .raw, to: &output).end : end
  }

  /// RFC 1950, 2.2: method 8, a window of 32 KB at most, and the check bits.
  private static func looksLikeZlib(_ input: UnsafeRawBufferPointer) -> Bool {
    guard input.count >= 2 else { return input.first == 0x78 }
    return input[0] & 0x0f == 8 && input[0] >> 4 <= 7 && (UInt16(input[0]) << 8 | UInt16(input[1])) % 31 == 0
  }

  /// - Returns: how it ended and how many bytes of the input were used.
  private static func inflate(
    _ input: UnsafeRawBufferPointer, _ framing: Framing, to output: inout BoundedOutput
  ) -> (end: DecodingEnd, used: Int) {
    var stream = z_stream()
    guard inflateInit2_(&stream, framing.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      return (.malformed, 0)
    }
    defer { inflateEnd(&stream) }
    // zlib counts in 32 bits.
    let inputPiece = 1 << 30
    var fed = 0
    return withUnsafeTemporaryAllocation(byteCount: BoundedOutput.pieceSize, alignment: 16) { piece in
      while true {
        if stream.avail_in == 0, fed < input.count {
          let count = min(inputPiece, input.count - fed)
          // zlib reads only; its interface lacks the const.
          stream.next_in = UnsafeMutablePointer(
            mutating: (input.baseAddress! + fed).assumingMemoryBound(to: UInt8.self))
          stream.avail_in = UInt32(count)
          fed += count
        }
        stream.next_out = piece.baseAddress!.assumingMemoryBound(to: UInt8.self)
        stream.avail_out = UInt32(piece.count)
        let status = CZlib.inflate(&stream, Z_NO_FLUSH)
        let produced = piece.count - Int(stream.avail_out)
        let used = fed - Int(stream.avail_in)
        guard output.append(UnsafeRawBufferPointer(rebasing: piece.prefix(produced))) else { return (.overLimit, used) }
        switch status {
        case Z_STREAM_END: return (.whole, used)
        case Z_OK where produced > 0 || fed < input.count || stream.avail_in > 0: continue
        case Z_OK, Z_BUF_ERROR: return (.truncated, used)
        default: return (.malformed, used)
        }
      }
    }
  }
}

extension ContentCoding {
  /// Compresses as one gzip member (RFC 1952) without name or time: the same input gives the same output.
  /// - Parameter level: zlib's, 1 (fast) to 9 (small).
  public static func gzip(_ bytes: [UInt8], level: Int32 = 6) -> [UInt8] {
    precondition((1...9).contains(level) && bytes.count <= Int(UInt32.max) / 2)
    var stream = z_stream()
    let initialized = deflateInit2_(
      &stream, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(initialized == Z_OK, "no memory for zlib")
    defer { deflateEnd(&stream) }
    let bound = Int(deflateBound(&stream, UInt(bytes.count)))
    return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      bytes.withUnsafeBufferPointer { bytes in
        stream.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
        stream.avail_in = UInt32(bytes.count)
        stream.next_out = buffer.baseAddress
        stream.avail_out = UInt32(bound)
        let status = CZlib.deflate(&stream, Z_FINISH)
        precondition(status == Z_STREAM_END, "zlib's own bound did not hold")
      }
      count = bound - Int(stream.avail_out)
    }
  }
}
