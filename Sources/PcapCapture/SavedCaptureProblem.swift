public import PacketHeaders

/// Something in a saved capture that keeps some of it from being read. What could be read was read.
public struct SavedCaptureProblem: Hashable, Sendable {
  /// Offset in the file of the record or block concerned; in what comes out where the file is compressed.
  public var offset: UInt64
  public var kind: Kind

  public enum Kind: Hashable, Sendable {
    /// The file ends within a record or block, as after a capture that was killed. Nothing follows.
    case cutOff
    /// A record or block claims a length that it can't have. A ``skipped(_:isResumed:)`` follows.
    case lengthInvalid(UInt64)
    /// A pcapng block's two lengths differ. A ``skipped(_:isResumed:)`` follows.
    case lengthsDisagree(UInt32, UInt32)
    /// A pcapng section is of an unknown version or byte order. A ``skipped(_:isResumed:)`` follows.
    case sectionUnknown
    /// Bytes that damage made unreadable, from the offset on; whether something behind them could be read.
    case skipped(UInt64, isResumed: Bool)
    /// A packet names an interface that the section has not described; it was skipped.
    case interfaceUnknown(UInt32)
    /// A packet claims more bytes than its block holds; it was skipped.
    case packetLongerThanBlock(UInt32)
    /// A section describes more interfaces than are kept; packets of those behind are skipped.
    case interfacesTooMany
    /// Packets of a link type that ``PacketParser`` does not read; they are handed over all the same.
    case linkTypeUnread(LinkType)
    /// More secrets than are kept until they are taken.
    case secretsTooMany
    /// A gzip or zstd file ends within its compressed data. Nothing follows.
    case compressionCutOff
    /// gzip's or zstd's data or their checksum is wrong. Nothing behind can be read.
    case compressionDamaged
    /// A zstd file asks for more memory than is given for reading one. Nothing behind can be read.
    case compressionWindowTooLarge
    /// Behind gzip's or zstd's data stands something else, which was not read.
    case compressionFollowed
    /// The file that was followed was cut short or replaced: reading went on at the new one's beginning.
    case replaced
  }
}

extension SavedCaptureProblem.Kind {
  init(_ fault: Decompressor.Fault) {
    switch fault {
    case .cutOff: self = .compressionCutOff
    case .damaged: self = .compressionDamaged
    case .windowTooLarge: self = .compressionWindowTooLarge
    case .foreign: self = .compressionFollowed
    }
  }
}

extension SavedCaptureProblem: CustomStringConvertible {
  public var description: String {
    switch kind {
    case .cutOff: "the capture file ends in the middle of a record at byte \(offset): read up to there"
    case .lengthInvalid(let length): "the capture file is damaged at byte \(offset) (a record of \(length) bytes)"
    case .lengthsDisagree(let first, let last):
      "the capture file is damaged at byte \(offset) (a block's lengths \(first) and \(last) differ)"
    case .sectionUnknown: "the capture file has a section of an unknown kind at byte \(offset)"
    case .skipped(let count, isResumed: true):
      "\(count) bytes of the capture file were skipped from byte \(offset) on; behind them packets could be read again"
    case .skipped(let count, isResumed: false):
      "the last \(count) bytes of the capture file, from byte \(offset) on, can't be read"
    case .interfaceUnknown(let number):
      "the packet at byte \(offset) is of interface \(number), which the capture file doesn't describe: skipped"
    case .packetLongerThanBlock(let length):
      "the packet at byte \(offset) claims \(length) bytes, more than its block holds: skipped"
    case .interfacesTooMany:
      "the capture file describes more interfaces than umbra keeps, at byte \(offset): packets of the others are skipped"
    case .linkTypeUnread(let linkType):
      "umbra can't read into packets of \(linkType), of which the capture file has some"
    case .secretsTooMany:
      "the capture file holds more decryption secrets than umbra keeps, at byte \(offset): the others are not used"
    case .compressionCutOff:
      "the compressed capture file is cut off: read up to byte \(offset) of what is in it; copy it again for the rest"
    case .compressionDamaged:
      "the capture file's compressed data is damaged: read up to byte \(offset) of what is in it"
    case .compressionWindowTooLarge:
      "the capture file was compressed for more memory than umbra gives (128 MB): decompress it first, with "
        + "'zstd -dc --long=31'"
    case .compressionFollowed:
      "behind the compressed capture stands something else, which was not read: it ends at byte \(offset) of its content"
    case .replaced: "the capture file was cut short or replaced after byte \(offset): read on from its new beginning"
    }
  }
}
