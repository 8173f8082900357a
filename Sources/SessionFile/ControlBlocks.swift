// What a reader takes from a file when it opens it: metadata and the last ledger.

import HTTPModel

struct ControlBlocks {
  var metadata = SessionMetadata()
  var ledger: Ledger?
  var damage: [Damage]
  /// Blocks whose damage stands in ``damage``.
  var noted: Set<Int> = []

  init(damage: [Damage]) { self.damage = damage }

  mutating func read(
    _ entries: [BlockEntry], _ input: borrowing SessionInput, _ decompressor: borrowing BlockDecompressor,
    _ cipher: BlockCipher?
  ) throws(SessionFileError) {
    for index in entries.indices where entries[index].header.type == BlockType.metadata.rawValue {
      guard let bytes = try load(entries, index, input, decompressor, cipher) else { continue }
      var found: [SessionMetadata.Entry] = []
      let faults = withExtendedLifetime(bytes) {
        ControlRecord.forEach(.metadata, in: bytes.contents) {
          found.append(SessionMetadata.Entry(key: $0.nameText, value: $0.valueText))
        }
      }
      metadata.entries += found
      if faults > 0 { damage.append(Damage(cause: .records, offset: entries[index].offset)) }
    }
    // The last ledger that is whole; those before it are contained in it.
    for index in entries.indices.reversed() where entries[index].header.type == BlockType.ledger.rawValue {
      guard let bytes = try load(entries, index, input, decompressor, cipher) else { continue }
      var found = Ledger()
      let faults = withExtendedLifetime(bytes) {
        ControlRecord.forEach(.ledger, in: bytes.contents) {
          if let row = Ledger.Row(identifier: $0.nameText) { found[row] = $0.count }
        }
      }
      ledger = found
      if faults > 0 { damage.append(Damage(cause: .records, offset: entries[index].offset)) }
      return
    }
  }

  private mutating func load(
    _ entries: [BlockEntry], _ index: Int, _ input: borrowing SessionInput, _ decompressor: borrowing BlockDecompressor,
    _ cipher: BlockCipher?
  ) throws(SessionFileError) -> BlockBytes? {
    let bytes = try BlockContents.read(entries[index], input, decompressor, cipher)
    if let found = try ControlBlocks.damage(of: entries[index], isWhole: bytes != nil, input) {
      damage.append(found)
      noted.insert(index)
    }
    return bytes
  }

  /// What is wrong with a block, of whose payload it is known whether it is whole.
  static func damage(
    of entry: BlockEntry, isWhole: Bool, _ input: borrowing SessionInput
  ) throws(SessionFileError) -> Damage? {
    if !isWhole {
      return Damage(
        cause: .block, offset: entry.offset, byteCount: UInt64(BlockHeader.size) + UInt64(entry.header.storedLength),
        blockCount: 1, exchangeCount: UInt64(entry.header.exchangeCount))
    }
    return try BlockContents.headerIsIntact(entry, input) ? nil : Damage(cause: .blockHeader, offset: entry.offset)
  }
}
