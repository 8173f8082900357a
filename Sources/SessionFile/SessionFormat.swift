// The container's fixed-size parts: file header, block header, footer.
//
// Values to bytes and back, little-endian, each part under its own CRC-32C. Documented for users in umbra-session(5);
// the two change together. No IO, no allocation.

import HTTPModel

/// What a file in umbra's container holds.
public enum SessionFileKind: UInt8, Sendable {
  /// Recorded exchanges: `.umbra`.
  case session = 1
  /// Recorded exchanges and what came of replaying them: `.umbra-run`.
  case run = 2

  /// As in an error message: `session`, `run`.
  public var name: String { self == .session ? "session" : "run" }
}

/// What stands in a block. Readers pass over a type that they do not know.
public enum BlockType: UInt8, Sendable {
  /// Exchanges, requests and responses, sorted.
  case exchanges = 1
  /// Replayed exchanges, in the order in which they ended.
  case replayed = 2
  case metadata = 3
  case ledger = 4
  case blob = 5
  case index = 6
}

/// How a block's payload is stored.
enum BlockCodec: UInt8 {
  case none = 0
  case zstd = 1
}

/// The first 32 bytes of a file.
struct FileHeader {
  static let size = 32
  static let magic: [UInt8] = [0x89, 0x55, 0x4d, 0x42, 0x52, 0x41, 0x0d, 0x0a]
  /// The latest that is read; a file whose blocks are in the clear is of version 1.
  static let currentMajor: UInt16 = 2
  static let currentMinor: UInt16 = 0

  /// How blocks are encrypted.
  enum Cipher: UInt8 {
    case none = 0
    /// AES-256-GCM.
    case aesGCM = 1
  }

  var major: UInt16 = 1
  var minor = FileHeader.currentMinor
  var kind: UInt8
  var created: Timestamp
  /// ``Cipher`` where this version knows it.
  var cipher: UInt8 = 0
  /// Drawn for an encrypted file: with the time it makes the file's key.
  var drawn: (UInt16, UInt32) = (0, 0)

  func encoded() -> [UInt8] {
    var bytes = FileHeader.magic
    bytes.appendLittle(major)
    bytes.appendLittle(minor)
    bytes += [kind, cipher]
    bytes.appendLittle(drawn.0)
    bytes.appendLittle(created.nanoseconds)
    bytes.appendLittle(drawn.1)
    bytes.appendLittle(CRC32C.checksum(bytes))
    return bytes
  }

  /// The header's checksum, which every block of the file repeats: a block of another file that is embedded in a
  /// body is not taken for one of this file when the reader searches.
  var salt: UInt32 { CRC32C.checksum(Array(encoded().prefix(28))) }

  /// - Parameter bytes: at least ``size``, the magic already compared.
  /// - Returns: nil where the checksum does not match.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= FileHeader.size, bytes.little(28, UInt32.self) == CRC32C.checksum(bytes.prefix(28)) else {
      return nil
    }
    major = bytes.little(8, UInt16.self)
    minor = bytes.little(10, UInt16.self)
    kind = bytes[12]
    cipher = bytes[13]
    drawn = (bytes.little(14, UInt16.self), bytes.little(24, UInt32.self))
    created = Timestamp(nanoseconds: bytes.little(16, Int64.self))
  }

  init(kind: UInt8, created: Timestamp, isEncrypted: Bool = false) {
    self.kind = kind
    self.created = created
    guard isEncrypted else { return }
    major = 2
    cipher = Cipher.aesGCM.rawValue
    drawn = (UInt16.random(in: 0 ... .max), UInt32.random(in: 0 ... .max))
  }
}

/// The 64 bytes before each block's payload.
struct BlockHeader: Hashable {
  static let size = 64
  /// Never valid UTF-8, so it does not occur in text.
  static let marker: [UInt8] = [0xf5, 0xc0, 0x55, 0x6d, 0x62, 0xff, 0x1a, 0x0a]
  /// The most that a payload may expand to.
  static let maximumRawLength = 1 << 30
  static let lateFlag: UInt8 = 1
  /// The payload is ciphertext and a tag.
  static let encryptedFlag: UInt8 = 2

  /// ``BlockType`` where this version knows it.
  var type: UInt8
  var codec: UInt8
  var kind: UInt8
  var flags: UInt8 = 0
  var salt: UInt32
  var storedLength: UInt32
  var rawLength: UInt32
  var recordCount: UInt32
  /// Records that begin an exchange: all but `response` records.
  var exchangeCount: UInt32
  var minStart: Timestamp
  var maxStart: Timestamp
  /// Blocks are numbered from 0, so that a reader can tell how many a damaged stretch swallowed.
  var sequence: UInt64
  var payloadChecksum: UInt32

  var isEncrypted: Bool { flags & BlockHeader.encryptedFlag != 0 }
  /// Bytes of the payload once it is decrypted; nil where there can be none.
  var payloadLength: Int? {
    guard isEncrypted else { return Int(storedLength) }
    return storedLength >= UInt32(BlockCipher.tagLength) ? Int(storedLength) - BlockCipher.tagLength : nil
  }

  /// Writes ``size`` bytes.
  func write(to bytes: UnsafeMutableRawPointer) {
    bytes.copyMemory(from: BlockHeader.marker, byteCount: 8)
    bytes.storeBytes(of: type, toByteOffset: 8, as: UInt8.self)
    bytes.storeBytes(of: codec, toByteOffset: 9, as: UInt8.self)
    bytes.storeBytes(of: kind, toByteOffset: 10, as: UInt8.self)
    bytes.storeBytes(of: flags, toByteOffset: 11, as: UInt8.self)
    bytes.storeBytes(of: salt.littleEndian, toByteOffset: 12, as: UInt32.self)
    bytes.storeBytes(of: storedLength.littleEndian, toByteOffset: 16, as: UInt32.self)
    bytes.storeBytes(of: rawLength.littleEndian, toByteOffset: 20, as: UInt32.self)
    bytes.storeBytes(of: recordCount.littleEndian, toByteOffset: 24, as: UInt32.self)
    bytes.storeBytes(of: exchangeCount.littleEndian, toByteOffset: 28, as: UInt32.self)
    bytes.storeBytes(of: minStart.nanoseconds.littleEndian, toByteOffset: 32, as: Int64.self)
    bytes.storeBytes(of: maxStart.nanoseconds.littleEndian, toByteOffset: 40, as: Int64.self)
    bytes.storeBytes(of: sequence.littleEndian, toByteOffset: 48, as: UInt64.self)
    bytes.storeBytes(of: payloadChecksum.littleEndian, toByteOffset: 56, as: UInt32.self)
    let checksum = CRC32C.checksum(UnsafeRawBufferPointer(start: bytes, count: 60))
    bytes.storeBytes(of: checksum.littleEndian, toByteOffset: 60, as: UInt32.self)
  }

  /// - Returns: nil where `bytes` does not begin with a block header whose checksum matches.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= BlockHeader.size, bytes.prefix(8).elementsEqual(BlockHeader.marker),
      bytes.little(60, UInt32.self) == CRC32C.checksum(bytes.prefix(60))
    else { return nil }
    self.init(afterMarker: UnsafeRawBufferPointer(rebasing: bytes[8..<60]))
  }

  /// - Parameter bytes: the 52 bytes between marker and header checksum; the index repeats them.
  private init(afterMarker bytes: UnsafeRawBufferPointer) {
    type = bytes[0]
    codec = bytes[1]
    kind = bytes[2]
    flags = bytes[3]
    salt = bytes.little(4, UInt32.self)
    storedLength = bytes.little(8, UInt32.self)
    rawLength = bytes.little(12, UInt32.self)
    recordCount = bytes.little(16, UInt32.self)
    exchangeCount = bytes.little(20, UInt32.self)
    minStart = Timestamp(nanoseconds: bytes.little(24, Int64.self))
    maxStart = Timestamp(nanoseconds: bytes.little(32, Int64.self))
    sequence = bytes.little(40, UInt64.self)
    payloadChecksum = bytes.little(48, UInt32.self)
  }

  init(
    type: BlockType, codec: BlockCodec, kind: SessionFileKind, salt: UInt32, storedLength: Int, block: RawBlock,
    sequence: UInt64, payloadChecksum: UInt32, isEncrypted: Bool = false
  ) {
    self.type = type.rawValue
    self.codec = codec.rawValue
    self.kind = kind.rawValue
    self.flags = (block.isLate ? BlockHeader.lateFlag : 0) | (isEncrypted ? BlockHeader.encryptedFlag : 0)
    self.salt = salt
    self.storedLength = UInt32(storedLength)
    self.rawLength = UInt32(block.rawSize)
    self.recordCount = block.recordCount
    self.exchangeCount = block.exchangeCount
    self.minStart = block.minStart
    self.maxStart = block.maxStart
    self.sequence = sequence
    self.payloadChecksum = payloadChecksum
  }
}

/// Where a block stands: one entry of the index.
struct BlockEntry: Hashable {
  /// Bytes of an entry in the index: the offset, then bytes 8 to 64 of the block's header.
  static let size = 64

  /// Of the block's header, from the file's first byte.
  var offset: UInt64
  var header: BlockHeader

  func write(to bytes: UnsafeMutableRawPointer) {
    withUnsafeTemporaryAllocation(byteCount: BlockHeader.size, alignment: 8) { scratch in
      header.write(to: scratch.baseAddress!)
      bytes.copyMemory(from: scratch.baseAddress!, byteCount: BlockEntry.size)
    }
    // The marker is the same for all: its place holds the offset.
    bytes.storeBytes(of: offset.littleEndian, as: UInt64.self)
  }

  /// - Returns: nil where the entry's header is not one.
  init?(_ bytes: UnsafeRawBufferPointer) {
    let offset = bytes.little(0, UInt64.self)
    let header = withUnsafeTemporaryAllocation(byteCount: BlockHeader.size, alignment: 8) { scratch in
      scratch.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.prefix(BlockHeader.size)))
      scratch.baseAddress!.copyMemory(from: BlockHeader.marker, byteCount: 8)
      return BlockHeader(UnsafeRawBufferPointer(scratch))
    }
    guard let header else { return nil }
    self.init(offset: offset, header: header)
  }

  init(offset: UInt64, header: BlockHeader) {
    self.offset = offset
    self.header = header
  }

  /// The offset after the payload; nil where it cannot stand in a file.
  var end: UInt64? {
    let (end, overflow) = offset.addingReportingOverflow(UInt64(BlockHeader.size) + UInt64(header.storedLength))
    return overflow ? nil : end
  }
}

/// The last 32 bytes of a finished file.
struct Footer: Hashable {
  static let size = 32
  static let magic: [UInt8] = Array("UMBRAEND".utf8)

  var indexOffset: UInt64
  var blockCount: UInt64
  var salt: UInt32

  func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendLittle(indexOffset)
    bytes.appendLittle(blockCount)
    bytes.appendLittle(salt)
    bytes.appendLittle(CRC32C.checksum(bytes))
    return bytes + Footer.magic
  }

  init(indexOffset: UInt64, blockCount: UInt64, salt: UInt32) {
    self.indexOffset = indexOffset
    self.blockCount = blockCount
    self.salt = salt
  }

  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count == Footer.size, bytes.suffix(8).elementsEqual(Footer.magic),
      bytes.little(20, UInt32.self) == CRC32C.checksum(bytes.prefix(20))
    else { return nil }
    indexOffset = bytes.little(0, UInt64.self)
    blockCount = bytes.little(8, UInt64.self)
    salt = bytes.little(16, UInt32.self)
  }
}

extension UnsafeRawBufferPointer {
  /// The little-endian integer at `offset`, which the caller has checked.
  @inline(__always)
  func little<Value: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _ type: Value.Type) -> Value {
    Value(littleEndian: loadUnaligned(fromByteOffset: offset, as: Value.self))
  }
}

extension [UInt8] {
  fileprivate mutating func appendLittle(_ value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}
