// Purpose: the public face of HPACK decoding (RFC 7541) and the state it keeps between header blocks.
// Input -> output: whole header blocks (CONTINUATION joined by the caller) -> fields with marks; anomalies.
// Owner: one direction of one connection; not shared. Bounds: HPACKLimits.
// Blocks are read in HPACKDecoder+Blocks.swift; what the table holds for certain is in HPACKDecoder+Table.swift.

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
  /// What it may hold.
  public let limits: HPACKLimits

  /// How much of the dynamic table is known.
  public enum TableKnowledge: Hashable, Sendable {
    /// All of it.
    case whole
    /// What was never seen is taken from another connection.
    case assumed
    /// Older entries may exist that were never seen, or a name was not.
    case partial
  }

  /// What came of a block.
  public struct Outcome: Hashable, Sendable {
    /// What was odd, among them ``Anomaly/h2UnresolvedIndex`` and ``Anomaly/h2AssumedIndex``.
    public internal(set) var anomalies = AnomalySet()
    /// The block was read to its end. Where false, the fields before the fault are there.
    public internal(set) var isComplete = true
    /// The receiver must have taken it for a connection error (COMPRESSION_ERROR; RFC 9113, 4.3). Unless only a size
    /// update was wrong, the table is unknown from here on: see ``HPACKDecoder/knowledge``.
    public internal(set) var isError = false
  }

  /// The entries that are known, from the newest on. Older ones may follow that are not: see ``knowledge``.
  public internal(set) var table = HPACKTable()
  /// The size up to which the encoder fills its table (RFC 7541, 4.2), in bytes, or the most that it can be.
  public internal(set) var maximumTableSize = HPACKDecoder.initialTableSize
  /// ``maximumTableSize`` is what the encoder uses, not only the most that it can be.
  var maximumIsExact: Bool
  /// What SETTINGS allow, and whether that is known or only the initial value.
  var allowedTableSize = HPACKDecoder.initialTableSize
  var allowanceIsKnown: Bool
  /// The next block must begin with a size update to this or less.
  var requiredReduction: Int?
  /// The most bytes that entries older than the proven ones of ``table`` can take. Below 32 there are none.
  var unseenSize: Int
  /// Entries that went from ``table`` to the unseen ones because of a limit, since the knowledge was lost.
  var forgottenCount = 0

  // Here, because finding a global takes as long as a short field.
  let statics = HPACKStaticTable.shared
  let huffman = HuffmanCode.shared

  /// Of SETTINGS_HEADER_TABLE_SIZE (RFC 9113, 6.5.2).
  static let initialTableSize = 4096

  /// - Parameter joinedMidstream: earlier blocks were not seen: the table is unknown, and until SETTINGS or a size
  ///   update tell, it is assumed to hold 4,096 bytes; a reference that proves it larger corrects that.
  public init(limits: HPACKLimits = HPACKLimits(), joinedMidstream: Bool = false) {
    var limits = limits
    // The table's offsets have 32 bits.
    limits.maxTableBytes = min(max(limits.maxTableBytes, 0), 1 << 28)
    self.limits = limits
    maximumIsExact = !joinedMidstream
    allowanceIsKnown = !joinedMidstream
    unseenSize = joinedMidstream ? HPACKDecoder.initialTableSize : 0
  }

  /// How much of the dynamic table is known.
  public var knowledge: TableKnowledge {
    if table.assumedCount > 0 { return .assumed }
    return unseenSize >= 32 || table.unresolvedCount > 0 ? .partial : .whole
  }

  /// Decodes a whole header block and appends its fields.
  ///
  /// No allocation once `fields` and the table have grown. The bytes are borrowed until return. After an error the rest
  /// of the block is still decoded where its framing allows it.
  public mutating func decode(_ block: UnsafeRawBufferPointer, into fields: inout HPACKFieldList) -> Outcome {
    var state = BlockState(block)
    do throws(HPACKFault) { try decodeFields(&state, into: &fields) } catch {
      state.fail(error == .truncated ? .hpackBlockTruncated : .hpackIntegerOverflow)
      state.outcome.isComplete = false
    }
    if state.losesTable { loseTable() }
    return state.outcome
  }
}
