// A block's payload to what is stored, and back.
//
// Level -5 with matches of 5 bytes and more, which HTTP's repeated words reward: measured over 200,000 small exchanges of
// 519 bytes it takes 0.36 µs each and leaves 65 bytes, where level -3 with its own 6 takes 0.46 µs and leaves 67,
// level 1 0.62 µs and 48, level -16 0.25 µs and 101. On 64 KB of JSON or noise by turns 62 µs and 68 %, the best of all
// tried. Where most of a block cannot be compressed (bodies that are compressed already) it is stored as is.

import CZstd
import Glibc

/// Compresses blocks, one after another. Owner: the writer's thread.
struct BlockCompressor: ~Copyable {
  static let level: Int32 = -5
  static let shortestMatch: Int32 = 5
  /// Below this a block is not worth sampling.
  private static let sampledSize = 64 << 10
  private static let sampleSize = 4 << 10
  private static let samples = 4

  private let context: OpaquePointer
  private var output: UnsafeMutableRawPointer
  private var capacity = 0

  /// - Returns: nil where there is no memory for it.
  init?() {
    guard let context = ZSTD_createCCtx() else { return nil }
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, BlockCompressor.level)
    ZSTD_CCtx_setParameter(context, ZSTD_c_minMatch, BlockCompressor.shortestMatch)
    guard let output = malloc(BlockHeader.size) else {
      ZSTD_freeCCtx(context)
      return nil
    }
    self.context = context
    self.output = output
  }

  deinit {
    ZSTD_freeCCtx(context)
    free(output)
  }

  /// The stored form of a payload, with room for the block's header before `payload`.
  struct Stored {
    var codec: BlockCodec
    var header: UnsafeMutableRawPointer
    var payload: UnsafeRawBufferPointer
  }

  /// - Returns: memory that stays valid while `bytes` lives and until the next call.
  mutating func compress(_ bytes: BlockBytes) -> Stored {
    let raw = bytes.contents
    let plain = Stored(codec: .none, header: bytes.header, payload: raw)
    guard raw.count >= 64, isWorthCompressing(raw), reserve(ZSTD_compressBound(raw.count)) else { return plain }
    let count = ZSTD_compress2(context, output + BlockHeader.size, capacity, raw.baseAddress, raw.count)
    // One part in sixteen is the least that is worth decompressing for.
    guard ZSTD_isError(count) == 0, count <= raw.count - raw.count / 16 else { return plain }
    return Stored(
      codec: .zstd, header: output,
      payload: UnsafeRawBufferPointer(start: output + BlockHeader.size, count: count))
  }

  /// Tries samples from all over a large block.
  private mutating func isWorthCompressing(_ raw: UnsafeRawBufferPointer) -> Bool {
    guard raw.count >= BlockCompressor.sampledSize else { return true }
    guard reserve(ZSTD_compressBound(BlockCompressor.sampleSize)) else { return false }
    var total = 0
    for sample in 0..<BlockCompressor.samples {
      let offset = (raw.count - BlockCompressor.sampleSize) / BlockCompressor.samples * sample
      let count = ZSTD_compress2(
        context, output + BlockHeader.size, capacity, raw.baseAddress! + offset, BlockCompressor.sampleSize)
      total += ZSTD_isError(count) == 0 ? count : BlockCompressor.sampleSize
    }
    return total < BlockCompressor.samples * BlockCompressor.sampleSize / 16 * 15
  }

  private mutating func reserve(_ size: Int) -> Bool {
    guard size > capacity else { return true }
    guard let larger = realloc(output, BlockHeader.size + size) else { return false }
    output = larger
    capacity = size
    return true
  }
}

/// Decompresses blocks. Owner: a reader.
struct BlockDecompressor: ~Copyable {
  private let context: OpaquePointer

  /// - Returns: nil where there is no memory for it.
  init?() {
    guard let context = ZSTD_createDCtx() else { return nil }
    self.context = context
  }

  deinit { ZSTD_freeDCtx(context) }

  /// Whether so many stored bytes can be that many raw ones: a zstd block of 4 bytes makes 128 KiB at most. Asked
  /// before memory is allocated for what a header promises.
  static func isPlausible(_ header: BlockHeader) -> Bool {
    let raw = Int(header.rawLength)
    guard raw <= BlockHeader.maximumRawLength, let stored = header.payloadLength else { return false }
    switch BlockCodec(rawValue: header.codec) {
    case .some(.none): return raw == stored
    case .zstd: return raw <= (stored / 4 + 1) * (128 << 10)
    case nil: return false
    }
  }

  /// - Returns: false where `stored` does not decompress to exactly `raw`'s size.
  func decompress(_ stored: UnsafeRawBufferPointer, to raw: UnsafeMutableRawBufferPointer) -> Bool {
    let count = ZSTD_decompressDCtx(context, raw.baseAddress, raw.count, stored.baseAddress, stored.count)
    return ZSTD_isError(count) == 0 && count == raw.count
  }
}
