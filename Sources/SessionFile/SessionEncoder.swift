// Exchanges in, sealed blocks out.
//
// Owner: the capture's or replay's own thread. Bounds: three open blocks of the target size each, more only by the
// size of their last record.

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

  private let target: Int
  // Written for each exchange by the one owner, and no method calls back: hence unchecked.
  @exclusivity(unchecked) private var current: OpenBlock
  @exclusivity(unchecked) private var late: OpenBlock
  @exclusivity(unchecked) private var replayed: OpenBlock
  @exclusivity(unchecked) private var newestStart = Int64.min

  /// - Parameter blockTarget: raw bytes at which a block is sealed, 1 to 1 GiB.
  public init(blockTarget: Int = SessionEncoder.blockTarget) {
    precondition((1...BlockHeader.maximumRawLength).contains(blockTarget))
    target = blockTarget
    current = OpenBlock(type: .exchanges, isLate: false)
    late = OpenBlock(type: .exchanges, isLate: true)
    replayed = OpenBlock(type: .replayed, isLate: false)
  }

  /// Raw bytes in blocks that are open.
  public var pendingBytes: Int { current.byteCount + late.byteCount + replayed.byteCount }

  /// Adds a whole exchange, or all that there will ever be of one. Cost: about 0.3 µs and a copy of its bytes.
  /// - Returns: a block, when this exchange filled one.
  public func append(_ exchange: borrowing Exchange) -> RawBlock? {
    let key = RecordKey(start: exchange.start.nanoseconds, id: exchange.id, kind: RecordKind.exchange.rawValue)
    return append(exchange, key: key, end: exchange.end, request: true, response: true)
  }

  /// Adds an exchange's request before its response is there. `exchange.response` is not looked at.
  /// - Returns: a block, when this filled one.
  public func append(requestOf exchange: borrowing Exchange) -> RawBlock? {
    let key = RecordKey(start: exchange.start.nanoseconds, id: exchange.id, kind: RecordKind.request.rawValue)
    return append(
      exchange, key: key, end: exchange.request?.timing.end ?? exchange.start, request: true, response: false)
  }

  /// Adds the response of an exchange whose request was added before. `exchange.request` is not looked at; addresses
  /// and anomalies are stored, and a reader joins the anomalies of both.
  /// - Parameter requestStart: ``Exchange/start`` of what was handed to ``append(requestOf:)``.
  /// - Returns: a block, when this filled one.
  public func append(responseOf exchange: borrowing Exchange, requestStart: Timestamp) -> RawBlock? {
    let key = RecordKey(start: requestStart.nanoseconds, id: exchange.id, kind: RecordKind.response.rawValue)
    return append(
      exchange, key: key, end: exchange.response?.timing.end ?? requestStart, request: false, response: true)
  }

  private func append(
    _ exchange: borrowing Exchange, key: RecordKey, end: Timestamp, request: Bool, response: Bool
  ) -> RawBlock? {
    let bound = RecordBound.of(exchange)
    guard bound <= BlockHeader.maximumRawLength else {
      oversized &+= 1
      return nil
    }
    // Subtraction may wrap where times are nonsense; then an exchange merely lands in the other block.
    let isLate = newestStart != .min && newestStart &- key.start > SessionEncoder.lateAge
    newestStart = max(newestStart, key.start)
    return isLate
      ? SessionEncoder.append(exchange, key, bound, end, request, response, to: &late, target)
      : SessionEncoder.append(exchange, key, bound, end, request, response, to: &current, target)
  }

  @inline(__always)
  private static func append(
    _ exchange: borrowing Exchange, _ key: RecordKey, _ bound: Int, _ end: Timestamp, _ request: Bool, _ response: Bool,
    to block: inout OpenBlock, _ target: Int
  ) -> RawBlock? {
    // Block lengths have 32 bits: a record that could pass the limit begins the next block.
    let full = block.byteCount + bound > BlockHeader.maximumRawLength ? block.seal() : nil
    var writer = block.begin(key, bound: bound, target: target)
    writer.write(exchange, key: key.start, request: request, response: response)
    block.end(key, writer, ended: end)
    return full ?? (block.byteCount >= target ? block.seal() : nil)
  }

  /// Adds an exchange with its attempts. Bodies equal to the recorded response's are stored once.
  /// - Returns: a block, when this filled one.
  public func append(_ replay: borrowing ReplayedExchange) -> RawBlock? {
    let bound = RecordBound.of(replay)
    guard bound <= BlockHeader.maximumRawLength else {
      oversized &+= 1
      return nil
    }
    let full = replayed.byteCount + bound > BlockHeader.maximumRawLength ? replayed.seal() : nil
    let key = RecordKey(
      start: replay.exchange.start.nanoseconds, id: replay.exchange.id, kind: RecordKind.replayed.rawValue)
    var writer = replayed.begin(key, bound: bound, target: target)
    writer.write(replay.exchange, key: key.start)
    for index in replay.attempts.indices { writer.write(replay.attempts[index], of: replay.exchange) }
    replayed.end(key, writer, ended: replay.end ?? replay.exchange.end)
    return full ?? (replayed.byteCount >= target ? replayed.seal() : nil)
  }

  /// Seals an open block, full or not. Call until nil: there are up to three.
  public func sealBlock() -> RawBlock? { current.seal() ?? late.seal() ?? replayed.seal() }

  /// Seals an open block whose first record's exchange (or last attempt) ended before `time`. Call until nil.
  ///
  /// Called every now and then with a time one second ago, it is what bounds the loss when the process is killed.
  public func sealIfOlder(than time: Timestamp) -> RawBlock? {
    if current.isOlder(than: time) { return current.seal() }
    if late.isOlder(than: time) { return late.seal() }
    return replayed.isOlder(than: time) ? replayed.seal() : nil
  }
}
