// Purpose: the public face of HPACK decoding (RFC 7541) and the state it keeps between header blocks.
// Input -> output: whole header blocks (CONTINUATION joined by the caller) -> fields with marks; anomalies.
// Owner: one direction of one connection; not shared. Bounds: HPACKLimits.

public import HTTPModel

/// Decodes the header blocks of one direction of an HTTP/2 connection, also of one that was joined in its middle.
///
/// Every block must be handed over, in the order of the wire, also those of streams that nobody asks for. What cannot
/// be known is marked and never guessed:
/// - A table may have a part that was never seen, older than what is known. A reference into it gives an unresolved field.
/// - Known entries are exact: indices count from the newest, so what was never seen cannot shift them.
/// - An unseen entry is gone for certain once known ones fill the table; then the table is whole again.
///
/// A copy of a decoder is a decoder of its own.
public struct HPACKDecoder: Sendable {
  public let limits: HPACKLimits

  /// How much of the dynamic table is known.
  public enum TableKnowledge: Hashable, Sendable {
    /// All of it.
    case whole
    /// All of it, but some entries are taken from another connection.
    case assumed
    /// Older entries may exist that were never seen.
    case partial
  }

  /// What came of a block.
  public struct Outcome: Hashable, Sendable {
    /// What was odd, among them ``Anomaly/h2UnresolvedIndex`` and ``Anomaly/h2AssumedIndex``.
    public var anomalies: AnomalySet
    /// The block was read to its end. Where false, the fields before the fault are there.
    public var isComplete: Bool
    /// The receiver must have taken it for a connection error (COMPRESSION_ERROR; RFC 9113, 4.3): an index,
    /// integer or string is impossible. The table is unknown from here on.
    public var isError: Bool
  }

  /// - Parameter joinedMidstream: earlier blocks were not seen: the table is unknown, and until SETTINGS or a size
  ///   update tell, it is assumed to hold 4,096 bytes.
  public init(limits: HPACKLimits = HPACKLimits(), joinedMidstream: Bool = false) {
    self.limits = limits
  }

  public var knowledge: TableKnowledge { .whole }

  /// Decodes a whole header block and appends its fields.
  ///
  /// No allocation once `fields` and the table have grown. The bytes are borrowed until return.
  public mutating func decode(_ block: UnsafeRawBufferPointer, into fields: inout HPACKFieldList) -> Outcome {
    Outcome(anomalies: [], isComplete: true, isError: false)
  }

  /// The sender of these blocks has acknowledged its peer's SETTINGS_HEADER_TABLE_SIZE (RFC 9113, 4.3.1): call it where
  /// the acknowledgement stands between the blocks. Of several acknowledged since the last block, call it for each.
  public mutating func acknowledge(maximumTableSize: UInt32) {
  }

  /// Blocks were lost (a gap): what is in the table is not known any more.
  public mutating func loseTable() {
  }

  /// The dynamic table as known now.
  public var table: HPACKTable { HPACKTable() }

  /// Takes the entries of another connection's table for those that were never seen, newest for newest. Fields that come
  /// from them are marked ``HPACKFieldMarks/assumed``. Without effect where the table is whole.
  ///
  /// What was unresolved before can be looked up by ``HPACKUnresolvedReference/ordinal`` in the same table.
  public mutating func assume(_ table: HPACKTable) {
  }
}

/// A copy of a dynamic table, detached from its connection.
public struct HPACKTable: Hashable, Sendable {
  public var count: Int { 0 }

  /// The entry's name and value; nil for a name that was never seen.
  /// - Parameter ordinal: `0 ..< count`; 0 is the newest.
  public func entry(at ordinal: Int) -> (name: [UInt8]?, value: [UInt8]) { (nil, []) }
}
