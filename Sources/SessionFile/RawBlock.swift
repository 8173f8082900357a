// A sealed block on its way from the encoder to the writer.

public import HTTPModel

/// A block that is complete but neither compressed nor written.
///
/// Made by a ``SessionEncoder``, or by the functions below for what is not an exchange; handed to a ``SessionWriter``.
public struct RawBlock: Sendable {
  /// What its records are.
  public let type: BlockType
  /// Records in it.
  public let recordCount: UInt32
  /// Records that begin an exchange: all but `response` records.
  public let exchangeCount: UInt32
  /// The least and greatest request start in it; both 0 where it holds no exchanges.
  public let minStart: Timestamp
  /// See ``minStart``.
  public let maxStart: Timestamp
  /// Of the encoder's second lane, which holds exchanges much older than those around them.
  public let isLate: Bool
  let bytes: BlockBytes

  /// Bytes before compression.
  public var rawSize: Int { bytes.count }
}
