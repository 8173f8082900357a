public import HTTPModel

/// Writes a session or run file on a thread of its own.
///
/// The producer seals blocks and offers them; compressing and writing happens on the writer's thread. After an error
/// (disk full, pipe closed) nothing more is written, what was written stays readable, and ``problem`` says why.
public final class SessionWriter: Sendable {
  /// Where the file goes.
  public enum Destination: Hashable, Sendable {
    /// A new file, created 0600. An existing session or run file is replaced only with `overwrite`; an existing file
    /// of another kind never. FIFOs and devices are written to as they are. `-` is standard output.
    case path(String, overwrite: Bool)
    /// An open descriptor, which the writer does not close. `name` stands in error messages.
    case descriptor(Int32, name: String)
  }

  /// What was written.
  public struct Summary: Hashable, Sendable {
    public var bytes: UInt64
    public var blocks: UInt64
    public var exchanges: UInt64
  }

  /// Raw bytes that may wait for the writer; 64 MiB.
  public static let defaultQueueLimit = 64 << 20

  /// Opens the destination and starts the thread.
  /// - Parameter created: stands in the file's header.
  /// - Throws: where the destination cannot be opened or must not be replaced.
  public init(
    _ destination: Destination, kind: SessionFileKind, created: Timestamp,
    queueLimit: Int = SessionWriter.defaultQueueLimit
  ) throws(SessionFileError) {}

  /// Hands over a block and never waits.
  /// - Returns: false where the queue is full or writing has failed: the block is lost, to be counted as shed.
  public func offer(_ block: RawBlock) -> Bool { false }

  /// Hands over a block, waiting for room. For captures read from a file.
  /// - Returns: false where writing has failed.
  public func put(_ block: RawBlock) -> Bool { false }

  /// Why writing has stopped; nil while all is well.
  public var problem: SessionFileError? { nil }
  /// Raw bytes that wait.
  public var queuedBytes: Int { 0 }
  /// What has been written until now.
  public var written: Summary { Summary(bytes: 0, blocks: 0, exchanges: 0) }

  /// Writes what waits, then metadata, ledger, index and footer, and closes the file. Once only.
  /// - Throws: ``problem``.
  @discardableResult
  public func finish(ledger: Ledger? = nil, metadata: SessionMetadata = SessionMetadata()) throws(SessionFileError)
    -> Summary
  { written }
}

extension RawBlock {
  /// A block of texts under keys. Blocks add up; worth writing at the start, for a file that is never finished.
  public static func metadata(_ metadata: SessionMetadata) -> RawBlock { fatalError() }
  /// The ledger until now. The last one in a file counts.
  public static func ledger(_ ledger: Ledger) -> RawBlock { fatalError() }
  /// Any bytes under a name, such as a report's JSON. The last one of a name counts. At most 1 GiB - 1 KiB.
  public static func blob(name: String, bytes: [UInt8]) -> RawBlock { fatalError() }
}
