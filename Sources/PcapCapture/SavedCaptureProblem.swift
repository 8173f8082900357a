public import PacketHeaders

/// Something in a saved capture that keeps some of it from being read. What could be read was read.
public struct SavedCaptureProblem: Hashable, Sendable {
  /// Offset in the file of the record or block concerned.
  public var offset: UInt64
  public var kind: Kind

  public enum Kind: Hashable, Sendable {
    /// The file ends within a record or block, as after a capture that was killed. Nothing follows.
    case cutOff
    /// A record or block claims a length that it can't have. Nothing behind it can be found.
    case lengthInvalid(UInt64)
    /// A pcapng block's two lengths differ. Nothing behind it can be found.
    case lengthsDisagree(UInt32, UInt32)
    /// A pcapng section is of an unknown version or byte order. Nothing behind it can be read.
    case sectionUnknown
    /// A packet names an interface that the section has not described; it was skipped.
    case interfaceUnknown(UInt32)
    /// A packet claims more bytes than its block holds; it was skipped.
    case packetLongerThanBlock(UInt32)
    /// A section describes more interfaces than are kept; packets of those behind are skipped.
    case interfacesTooMany
    /// Packets of a link type that ``PacketParser`` does not read; they are handed over all the same.
    case linkTypeUnread(LinkType)
  }
}

extension SavedCaptureProblem: CustomStringConvertible {
  public var description: String {
    switch kind {
    case .cutOff: "the capture file ends in the middle of a record at byte \(offset): read up to there"
    case .lengthInvalid(let length):
      "the capture file is damaged at byte \(offset) (a record of \(length) bytes): read up to there"
    case .lengthsDisagree(let first, let last):
      "the capture file is damaged at byte \(offset) (a block's lengths \(first) and \(last) differ): read up to there"
    case .sectionUnknown: "the capture file has a section of an unknown kind at byte \(offset): read up to there"
    case .interfaceUnknown(let number):
      "the packet at byte \(offset) is of interface \(number), which the capture file doesn't describe: skipped"
    case .packetLongerThanBlock(let length):
      "the packet at byte \(offset) claims \(length) bytes, more than its block holds: skipped"
    case .interfacesTooMany:
      "the capture file describes more interfaces than umbra keeps, at byte \(offset): packets of the others are skipped"
    case .linkTypeUnread(let linkType):
      "umbra can't read into packets of \(linkType), of which the capture file has some"
    }
  }
}
