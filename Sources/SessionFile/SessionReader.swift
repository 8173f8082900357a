public import HTTPModel

/// Reads a session or run file, whole or damaged, from a path, a descriptor or a pipe.
///
/// Memory: at most ``cacheLimit`` of decompressed blocks (or one block, where that is larger), one exchange, and 72
/// bytes for each block of the file, whatever the file's size.
public final class SessionReader {
  /// Decompressed bytes that are kept; 64 MiB.
  public static let defaultCacheLimit = 64 << 20

  public let kind: SessionFileKind
  public let created: Timestamp
  /// All metadata blocks, in order.
  public let metadata: SessionMetadata
  /// The last ledger; nil where none was written.
  public let ledger: Ledger?
  /// Exchanges (of a run: replayed exchanges) as the block headers count them, without reading the blocks.
  public let exchangeCount: UInt64
  /// The least and greatest request start; nil where there are no exchanges.
  public let timeRange: ClosedRange<Timestamp>?
  /// What could not be recovered, as far as it is known by now: what opening found, then what reading finds.
  public private(set) var damage: [Damage] = []
  /// Decompressed bytes held now.
  public var cachedBytes: Int { 0 }

  /// Opens a file, FIFO or, under the name `-`, standard input. A pipe is first copied to a file without a name in
  /// `TMPDIR` (0600).
  /// - Parameter expecting: throws ``SessionFileError/otherKind(path:kind:expected:)`` for another kind.
  public convenience init(
    path: String, expecting: SessionFileKind? = nil, cacheLimit: Int = SessionReader.defaultCacheLimit
  ) throws(SessionFileError) { try self.init(descriptor: 0, name: path) }

  /// The same for an open descriptor, which stays the caller's; `name` stands in error messages.
  public init(
    descriptor: Int32, name: String, expecting: SessionFileKind? = nil,
    cacheLimit: Int = SessionReader.defaultCacheLimit
  ) throws(SessionFileError) { fatalError() }

  /// The next exchange in order of request start (then id); nil at the end. Halves that were written apart come
  /// joined. Damage is passed over and noted in ``damage``.
  /// - Throws: where the file cannot be read any more.
  public func next() throws(SessionFileError) -> Exchange? { nil }

  /// The next replayed exchange of a run, in the order in which they were written; nil at the end.
  public func nextReplayed() throws(SessionFileError) -> ReplayedExchange? { nil }

  /// Begins again with the first exchange.
  public func rewind() {}

  /// The names of blobs, in order of first writing.
  public func blobNames() throws(SessionFileError) -> [String] { [] }

  /// The last blob of this name; nil where there is none.
  public func blob(named name: String) throws(SessionFileError) -> [UInt8]? { nil }
}
