// Content codings put back on without compressing: what was decoded to be redacted stays in the coding that its head
// names. In: content. Out: the same as gzip, zlib, br or zstd, in blocks that are stored. Owner: functions.
// Bounds: linear; a few octets more than the content for each 64 KB. The session file compresses it again.

import ContentCoding

enum StoredCoding {
  /// - Parameter codings: in the order in which they are applied.
  /// - Returns: nil where one is not known.
  static func encode(_ content: [UInt8], codings: [String]) -> [UInt8]? {
    var content = content
    for name in codings {
      switch ContentCoding(name: name) {
      case .gzip: content = gzip(content)
      case .deflate: content = zlib(content)
      case .br: content = brotli(content)
      case .zstd: content = zstd(content)
      case .identity: continue
      case nil: return nil
      }
    }
    return content
  }

  /// RFC 1952.
  private static func gzip(_ content: [UInt8]) -> [UInt8] {
    [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff] + deflate(content) + little(crc32(content), 4)
      + little(UInt32(truncatingIfNeeded: content.count), 4)
  }

  /// RFC 1950.
  private static func zlib(_ content: [UInt8]) -> [UInt8] {
    [0x78, 0x01] + deflate(content) + little(adler32(content), 4).reversed()
  }

  /// RFC 1951, 3.2.4.
  private static func deflate(_ content: [UInt8]) -> [UInt8] {
    blocks(content, of: 0xffff) { size, isLast in
      [isLast ? 1 : 0] + little(UInt32(size), 2) + little(~UInt32(size), 2)
    }
  }

  /// RFC 7932, 9.2: a window of 16 bits, then meta-blocks of up to 64 KB that are not compressed, then an empty last one.
  private static func brotli(_ content: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    var isFirst = true
    let body = blocks(content, of: 1 << 16) { size, _ in
      // WBITS 0 in the first, ISLAST 0, MNIBBLES 0 (four), MLEN - 1, ISUNCOMPRESSED 1, zeroes to the octet.
      let bits = (UInt32(size - 1) << 3 | 1 << 19) << (isFirst ? 1 : 0)
      isFirst = false
      return little(bits, 3)
    }
    // Without content the window's bit stands before the empty last block.
    if content.isEmpty { return [0x06] }
    output = body
    output.append(0x03)
    return output
  }

  /// RFC 8878, 3.1.1: one frame of raw blocks, its window given, no checksum.
  private static func zstd(_ content: [UInt8]) -> [UInt8] {
    // Window of 128 KB: exponent 7, mantissa 0.
    [0x28, 0xb5, 0x2f, 0xfd, 0x00, 7 << 3]
      + blocks(content, of: 1 << 17) { size, isLast in little(UInt32(size) << 3 | (isLast ? 1 : 0), 3) }
  }

  /// - Parameter head: of a block, by its size and whether it is the last one. One empty block where there is nothing.
  private static func blocks(_ content: [UInt8], of size: Int, head: (Int, Bool) -> [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(content.count + content.count / size * 8 + 16)
    var start = 0
    repeat {
      let end = min(start + size, content.count)
      if end > start || size != 1 << 16 { output += head(end - start, end == content.count) }
      output += content[start..<end]
      start = end
    } while start < content.count
    return output
  }

  private static func little(_ value: UInt32, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
  }

  private static let table: [UInt32] = (0..<256).map { entry in
    (0..<8).reduce(UInt32(entry)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
  }

  private static func crc32(_ content: [UInt8]) -> UInt32 {
    ~content.reduce(~UInt32(0)) { table[Int(($0 ^ UInt32($1)) & 255)] ^ $0 >> 8 }
  }

  private static func adler32(_ content: [UInt8]) -> UInt32 {
    var (a, b): (UInt32, UInt32) = (1, 0)
    for byte in content {
      a = (a + UInt32(byte)) % 65521
      b = (b + a) % 65521
    }
    return b << 16 | a
  }
}
