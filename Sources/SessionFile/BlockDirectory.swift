// Which blocks a file has and where: from its index, or by walking from block to block where that is missing or broken.
//
// A file in, entries and damage out. Bounds: 72 bytes a block; a window of 64 KiB when searching.

import HTTPModel

struct BlockDirectory {
  /// In file order; all but the index itself.
  var entries: [BlockEntry] = []
  var damage: [Damage] = []
  /// Nil where the file's header is damaged.
  var header: FileHeader?
  var kind: SessionFileKind

  /// - Parameter expecting: what the caller takes a file for that does not say it itself.
  init(_ input: borrowing SessionInput, expecting: SessionFileKind?) throws(SessionFileError) {
    guard input.size > 0 else { throw .empty(path: input.name) }
    let start = try input.read(FileHeader.size + BlockHeader.size, at: 0)
    header = try BlockDirectory.fileHeader(start, input)
    kind = expecting ?? .session
    if let header {
      guard let known = SessionFileKind(rawValue: header.kind) else {
        throw .unknownKind(path: input.name, kind: header.kind)
      }
      kind = known
    } else {
      damage.append(Damage(cause: .header, offset: 0, byteCount: UInt64(FileHeader.size)))
    }
    if let header, try readIndex(input, salt: header.salt) { return }
    try walk(input)
    if header == nil, let first = entries.first, let known = SessionFileKind(rawValue: first.header.kind) {
      kind = known
    }
  }

  /// The file's header, nil where it is damaged but a block follows it; throws where this is no file of ours.
  private static func fileHeader(
    _ start: [UInt8], _ input: borrowing SessionInput
  ) throws(SessionFileError) -> FileHeader? {
    let hasMagic = start.starts(with: FileHeader.magic)
    guard start.count >= FileHeader.size else {
      if hasMagic || FileHeader.magic.starts(with: start) { throw .truncatedHeader(path: input.name) }
      throw .notSessionFile(path: input.name, content: ForeignFile.content(of: start))
    }
    let header = start.withUnsafeBytes { FileHeader($0) }
    if hasMagic, let header {
      guard header.major <= FileHeader.currentMajor else {
        throw .newerVersion(path: input.name, major: header.major, minor: header.minor)
      }
      return header
    }
    let blockFollows = start.withUnsafeBytes { BlockHeader(UnsafeRawBufferPointer(rebasing: $0[FileHeader.size...])) }
    guard hasMagic || header != nil || blockFollows != nil else {
      throw .notSessionFile(path: input.name, content: ForeignFile.content(of: start))
    }
    return nil
  }

  /// Takes the entries from the index.
  /// - Returns: false where there is none or it cannot be trusted.
  private mutating func readIndex(_ input: borrowing SessionInput, salt: UInt32) throws(SessionFileError) -> Bool {
    let least = UInt64(FileHeader.size + BlockHeader.size + Footer.size)
    guard input.size >= least else { return false }
    let tail = try input.read(Footer.size, at: input.size - UInt64(Footer.size))
    guard let footer = tail.withUnsafeBytes({ Footer($0) }), footer.salt == salt,
      footer.indexOffset >= UInt64(FileHeader.size), footer.indexOffset <= input.size - least + UInt64(FileHeader.size)
    else { return false }
    let bytes = try input.read(BlockHeader.size, at: footer.indexOffset)
    guard let header = bytes.withUnsafeBytes({ BlockHeader($0) }), header.type == BlockType.index.rawValue,
      BlockEntry(offset: footer.indexOffset, header: header).end == input.size - UInt64(Footer.size),
      let contents = try BlockContents.read(BlockEntry(offset: footer.indexOffset, header: header), input)
    else {
      damage.append(Damage(cause: .index, offset: footer.indexOffset))
      return false
    }
    guard let found = BlockDirectory.entries(listed: contents, footer) else {
      damage.append(Damage(cause: .index, offset: footer.indexOffset))
      return false
    }
    entries = found
    return true
  }

  /// The entries of an index; nil where they are not those of blocks that stand one behind the other, without a gap,
  /// from the file's header to the index.
  private static func entries(listed contents: BlockBytes, _ footer: Footer) -> [BlockEntry]? {
    withExtendedLifetime(contents) {
      let listed = contents.contents
      guard listed.count % BlockEntry.size == 0, UInt64(listed.count / BlockEntry.size) == footer.blockCount else {
        return nil
      }
      var position = UInt64(FileHeader.size)
      var found: [BlockEntry] = []
      found.reserveCapacity(listed.count / BlockEntry.size)
      for offset in stride(from: 0, to: listed.count, by: BlockEntry.size) {
        let bytes = UnsafeRawBufferPointer(rebasing: listed[offset..<(offset + BlockEntry.size)])
        guard let entry = BlockEntry(bytes), entry.offset == position, let end = entry.end, end <= footer.indexOffset
        else { return nil }
        found.append(entry)
        position = end
      }
      return position == footer.indexOffset ? found : nil
    }
  }

  /// Goes from block to block, and where there is none searches for the next.
  private mutating func walk(_ input: borrowing SessionInput) throws(SessionFileError) {
    var salt = header?.salt
    var position = UInt64(FileHeader.size)
    var sequence: UInt64 = 0
    var sawIndex = false
    while position < input.size {
      let bytes = try input.read(BlockHeader.size, at: position)
      guard let header = bytes.withUnsafeBytes({ BlockHeader($0) }), salt == nil || header.salt == salt else {
        // Behind an index stands the footer, whole or cut.
        if isFooter(bytes) || sawIndex && bytes.count < Footer.size { break }
        let next = try BlockDirectory.search(input, from: position + 1, salt: salt) ?? input.size
        damage.append(Damage(cause: .noBlock, offset: position, byteCount: next - position))
        position = next
        continue
      }
      salt = header.salt
      let entry = BlockEntry(offset: position, header: header)
      // Numbers that went by since the last block stood in what was passed over.
      if header.sequence > sequence, let last = damage.indices.last, damage[last].cause == .noBlock {
        damage[last].blockCount = header.sequence - sequence
      }
      sequence = header.sequence &+ 1
      guard let end = entry.end, end <= input.size else {
        if header.type == BlockType.index.rawValue { break }
        damage.append(
          Damage(
            cause: .truncatedBlock, offset: position, byteCount: input.size - position, blockCount: 1,
            exchangeCount: UInt64(header.exchangeCount)))
        break
      }
      if header.type == BlockType.index.rawValue { sawIndex = true } else { entries.append(entry) }
      position = end
    }
    if !sawIndex, !damage.contains(where: { $0.cause == .index }) {
      damage.append(Damage(cause: .unfinished, offset: input.size))
    } else if damage.isEmpty {
      damage.append(Damage(cause: .index, offset: input.size))
    }
  }

  private func isFooter(_ bytes: [UInt8]) -> Bool {
    bytes.count == Footer.size && bytes.suffix(8).elementsEqual(Footer.magic)
  }

  /// The offset of the next block header of this file at or after `start`; nil where there is none.
  private static func search(
    _ input: borrowing SessionInput, from start: UInt64, salt: UInt32?
  ) throws(SessionFileError) -> UInt64? {
    let window = 64 << 10
    var offset = start
    while offset < input.size {
      let bytes = try input.read(window, at: offset)
      let found = bytes.withUnsafeBytes { bytes -> Int? in
        var from = 0
        while let place = bytes.firstPlace(of: BlockHeader.marker, from: from) {
          if let header = BlockHeader(UnsafeRawBufferPointer(rebasing: bytes[place...])),
            salt == nil || header.salt == salt
          {
            return place
          }
          from = place + 1
        }
        return nil
      }
      if let found { return offset + UInt64(found) }
      guard bytes.count == window else { return nil }
      // Windows overlap by a header less one byte.
      offset += UInt64(window - BlockHeader.size + 1)
    }
    return nil
  }
}

/// What a file that is not umbra's seems to be, from its first bytes.
enum ForeignFile {
  static func content(of start: [UInt8]) -> SessionFileError.ForeignContent? {
    let captures: [[UInt8]] = [
      [0xd4, 0xc3, 0xb2, 0xa1], [0xa1, 0xb2, 0xc3, 0xd4], [0x4d, 0x3c, 0xb2, 0xa1], [0xa1, 0xb2, 0x3c, 0x4d],
      [0x0a, 0x0d, 0x0d, 0x0a],
    ]
    if captures.contains(where: { start.starts(with: $0) }) { return .packetCapture }
    if start.starts(with: [0x1f, 0x8b]) { return .gzip }
    if start.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) { return .zstd }
    let text = start.drop { [0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf].contains($0) }
    if text.first == 0x7b || text.first == 0x5b { return .json }
    // GoReplay: `1 24-HEX-DIGIT-ID TIME`.
    if let kind = start.first, (0x31...0x33).contains(kind), start.dropFirst().first == 0x20,
      start.dropFirst(2).prefix(24).allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
      start.count > 26
    {
      return .goReplay
    }
    return nil
  }
}
