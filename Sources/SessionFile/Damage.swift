// What a reader could not recover, and where.

/// A part of a file that is damaged or missing. Reading goes on behind it.
public struct Damage: Hashable, Sendable {
  /// What is wrong.
  public enum Cause: Hashable, Sendable {
    /// The first 32 bytes do not match their checksum; nothing else is lost by that.
    case header
    /// No index at the end: the writer was stopped before it could finish, or the end was cut off. Nothing is lost by
    /// that: the blocks were found by walking through the file.
    case unfinished
    /// The index does not match its checksum; as above.
    case index
    /// The file ends within a block.
    case truncatedBlock
    /// A block's header does not match its checksum, but the index has a copy of it: nothing is lost.
    case blockHeader
    /// A block's payload does not match its checksum or cannot be decompressed.
    case block
    /// Bytes between blocks that are none.
    case noBlock
    /// Records of an intact block that this version cannot decode.
    case records
  }

  /// What is wrong there.
  public var cause: Cause
  /// Bytes from the file's start.
  public var offset: UInt64
  /// Bytes of the file that are of no use.
  public var byteCount: UInt64
  /// Blocks that were lost, where their numbers tell.
  public var blockCount: UInt64
  /// Exchanges that were lost, where a block header tells.
  public var exchangeCount: UInt64

  public init(cause: Cause, offset: UInt64, byteCount: UInt64 = 0, blockCount: UInt64 = 0, exchangeCount: UInt64 = 0) {
    self.cause = cause
    self.offset = offset
    self.byteCount = byteCount
    self.blockCount = blockCount
    self.exchangeCount = exchangeCount
  }

  /// Whether anything but convenience is gone.
  public var losesData: Bool {
    switch cause {
    case .header, .unfinished, .index, .blockHeader: false
    case .truncatedBlock, .block, .noBlock, .records: true
    }
  }
}

extension Damage: CustomStringConvertible {
  /// One line for a person.
  public var description: String {
    let lost =
      (blockCount > 0 ? ", \(blockCount) \(blockCount == 1 ? "block" : "blocks")" : "")
      + (exchangeCount > 0 ? ", \(exchangeCount) \(exchangeCount == 1 ? "exchange" : "exchanges")" : "")
    switch cause {
    case .header: return "the file header is damaged; nothing else is lost by that"
    case .unfinished: return "the file was not finished: its index is missing; all whole blocks were found without it"
    case .index: return "the index is damaged; all whole blocks were found without it"
    case .truncatedBlock: return "the file ends within a block at byte \(offset): \(byteCount) bytes\(lost) lost"
    case .blockHeader: return "the header of the block at byte \(offset) is damaged; its copy in the index was used"
    case .block: return "the block at byte \(offset) is damaged: \(byteCount) bytes\(lost) lost"
    case .noBlock: return "no block could be found at byte \(offset): \(byteCount) bytes\(lost) lost"
    case .records:
      return "records of the block at byte \(offset) cannot be decoded: \(byteCount) bytes\(lost) lost"
    }
  }
}
