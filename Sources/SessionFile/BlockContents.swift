// One block from the file to memory: read, compared with its checksum, decrypted, decompressed.

import Glibc

enum BlockContents {
  /// - Returns: the raw bytes; nil where the payload is damaged.
  /// - Throws: where the file cannot be read or there is no memory.
  static func read(_ entry: BlockEntry, _ input: borrowing SessionInput) throws(SessionFileError) -> BlockBytes? {
    guard let decompressor = BlockDecompressor() else { throw .outOfMemory(path: input.name) }
    return try read(entry, input, decompressor)
  }

  static func read(
    _ entry: BlockEntry, _ input: borrowing SessionInput, _ decompressor: borrowing BlockDecompressor,
    _ cipher: BlockCipher? = nil
  ) throws(SessionFileError) -> BlockBytes? {
    let header = entry.header
    // Neither length is believed before the file has that many bytes and the raw length can come of them.
    guard let end = entry.end, end <= input.size, BlockDecompressor.isPlausible(header) else { return nil }
    let storedLength = Int(header.storedLength)
    guard var stored = BlockBytes(trying: storedLength) else { throw .outOfMemory(path: input.name) }
    let target = UnsafeMutableRawBufferPointer(start: stored.start, count: storedLength)
    let count = try input.read(target, at: entry.offset + UInt64(BlockHeader.size))
    stored.setCount(count)
    let checksum = withExtendedLifetime(stored) { CRC32C.checksum(stored.contents) }
    guard count == storedLength, checksum == header.payloadChecksum else { return nil }
    if header.isEncrypted {
      guard let payload = withExtendedLifetime(stored, { cipher?.opened(stored.contents, header: header) }) else {
        return nil
      }
      guard let opened = BlockBytes(trying: payload.count) else { throw .outOfMemory(path: input.name) }
      payload.withUnsafeBytes { bytes in
        if let base = bytes.baseAddress { opened.start.copyMemory(from: base, byteCount: bytes.count) }
      }
      opened.setCount(payload.count)
      stored = opened
    }
    guard header.codec == BlockCodec.zstd.rawValue else { return stored }
    guard let raw = BlockBytes(trying: Int(header.rawLength)) else { throw .outOfMemory(path: input.name) }
    let place = UnsafeMutableRawBufferPointer(start: raw.start, count: Int(header.rawLength))
    let isWhole = withExtendedLifetime((stored, raw)) { decompressor.decompress(stored.contents, to: place) }
    guard isWhole else { return nil }
    raw.setCount(Int(header.rawLength))
    return raw
  }

  /// Whether a block that is as it was written cannot be decrypted: the key is another one.
  static func isRefused(
    _ entry: BlockEntry, _ input: borrowing SessionInput, by cipher: BlockCipher
  ) throws(SessionFileError) -> Bool {
    guard let end = entry.end, end <= input.size, BlockDecompressor.isPlausible(entry.header) else { return false }
    let bytes = try input.read(Int(entry.header.storedLength), at: entry.offset + UInt64(BlockHeader.size))
    guard CRC32C.checksum(bytes) == entry.header.payloadChecksum else { return false }
    return bytes.withUnsafeBytes { cipher.opened($0, header: entry.header) } == nil
  }

  /// Whether the header in the file is the one that the index has.
  static func headerIsIntact(_ entry: BlockEntry, _ input: borrowing SessionInput) throws(SessionFileError) -> Bool {
    let bytes = try input.read(BlockHeader.size, at: entry.offset)
    return bytes.withUnsafeBytes { BlockHeader($0) } == entry.header
  }
}

extension UnsafeRawBufferPointer {
  /// The first place of `pattern`, which is not empty, at or after `start`.
  func firstPlace(of pattern: [UInt8], from start: Int) -> Int? {
    guard let base = baseAddress else { return nil }
    var place = start
    while place <= count - pattern.count {
      guard let found = memchr(base + place, Int32(pattern[0]), count - pattern.count - place + 1) else { return nil }
      if memcmp(found, pattern, pattern.count) == 0 { return UnsafeRawPointer(found) - base }
      place = UnsafeRawPointer(found) - base + 1
    }
    return nil
  }
}
