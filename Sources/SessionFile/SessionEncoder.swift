public import HTTPModel

/// Exchanges to blocks: sans-IO, one owner, no clock.
///
/// Records gather in an open block of about ``blockTarget`` bytes and are sorted by request start when it is sealed.
/// An exchange that began much earlier than the others of the block, as a long download does when it ends at last,
/// goes to a second, late block, so that most blocks cover a short time and a reader needs few of them at once.
public final class SessionEncoder {
  /// Raw bytes at which a block is sealed; 512 KiB.
  public static let blockTarget = 512 << 10
  /// An exchange is late when it began this much before the newest one; 5 s.
  public static let lateAge: Int64 = 5_000_000_000

  /// Exchanges that were too large for any block (1 GiB) and were left out; to be counted as shed.
  public private(set) var oversized: UInt64 = 0
  /// Raw bytes in blocks that are open.
  public var pendingBytes: Int { 0 }

  public init(blockTarget: Int = SessionEncoder.blockTarget) {}

  /// Adds a whole exchange, or all that there will ever be of one. Cost: about 0.2 µs and a copy of its bytes.
  /// - Returns: a block, when this exchange filled one.
  public func append(_ exchange: Exchange) -> RawBlock? { nil }

  /// Adds an exchange's request before its response is there. `exchange.response` is not looked at.
  public func append(requestOf exchange: Exchange) -> RawBlock? { nil }

  /// Adds the response of an exchange whose request was added before. `exchange.request` is not looked at; addresses
  /// and anomalies are stored, and a reader joins the anomalies of both.
  /// - Parameter requestStart: ``Exchange/start`` of what was handed to ``append(requestOf:)``.
  public func append(responseOf exchange: Exchange, requestStart: Timestamp) -> RawBlock? { nil }

  /// Adds an exchange with its attempts. Bodies equal to the recorded response's are stored once.
  public func append(_ replayed: ReplayedExchange) -> RawBlock? { nil }

  /// Seals an open block, full or not. Call until nil: there are up to three.
  public func sealBlock() -> RawBlock? { nil }

  /// Seals an open block whose first record's exchange ended before `time`. Call until nil.
  ///
  /// Called every now and then with a time one second ago, it is what bounds the loss when the process is killed.
  public func sealIfOlder(than time: Timestamp) -> RawBlock? { nil }
}
