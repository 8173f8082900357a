// Blocks in, a file out: the only thread of this module.
//
// Owner of the file: the thread, until `finish` has joined it. Bounds: the queue's bytes, one compressed block, and 64
// bytes of index for each block written.

import Glibc
public import HTTPModel
import Synchronization

/// Writes a session or run file on a thread of its own.
///
/// The producer seals blocks and offers them; compressing and writing happens on the writer's thread. After an error
/// (disk full, pipe closed) nothing more is written, what was written stays readable, and ``problem`` says why. A
/// writer that is released without ``finish(ledger:metadata:)`` writes what waits and leaves a file without an index,
/// as a killed process does.
public final class SessionWriter: Sendable {
  /// Where the file goes.
  public enum Destination: Hashable, Sendable {
    /// A new file, created 0600. An existing session or run file is replaced only with `overwrite`; an existing file
    /// of another kind never, unless it is empty. FIFOs and devices are written to as they are. `-` is standard output.
    case path(String, overwrite: Bool)
    /// An open descriptor, which the writer does not close. `name` stands in error messages.
    case descriptor(Int32, name: String)
  }

  /// What was written.
  public struct Summary: Hashable, Sendable {
    /// The file's length.
    public var bytes: UInt64
    /// Blocks of any kind.
    public var blocks: UInt64
    /// Exchanges begun in them.
    public var exchanges: UInt64
  }

  /// Raw bytes that may wait for the writer; 64 MiB.
  public static let defaultQueueLimit = 64 << 20

  private let queue: BlockQueue
  /// Nil once joined.
  private let thread: Mutex<pthread_t?>

  /// Opens the destination and starts the thread.
  /// - Parameters:
  ///   - created: stands in the file's header.
  ///   - queueLimit: raw bytes that may wait; a single larger block may wait alone.
  ///   - key: what the file is encrypted to; nil for blocks in the clear. Headers and the index are in the clear always.
  /// - Throws: where the destination cannot be opened or must not be replaced.
  public init(
    _ destination: Destination, kind: SessionFileKind, created: Timestamp,
    queueLimit: Int = SessionWriter.defaultQueueLimit, key: SessionKey? = nil
  ) throws(SessionFileError) {
    let output = try SessionOutput(destination)
    let name = output.name
    guard let compressor = BlockCompressor() else { throw .outOfMemory(path: name) }
    queue = BlockQueue(limit: queueLimit)
    let header = FileHeader(kind: kind.rawValue, created: created, isEncrypted: key != nil)
    let writing = BlockWriting(
      output: output, compressor: compressor, queue: queue, header: header, kind: kind,
      cipher: key?.cipher(for: header))
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(writing)
    let result = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<BlockWriting>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, argument.toOpaque())
    guard result == 0 else {
      argument.release()
      throw .system(path: name, operation: "start a thread to write", errno: result)
    }
    self.thread = Mutex(thread)
  }

  deinit { join() }

  private func join() {
    queue.close()
    let thread = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    if let thread { pthread_join(thread, nil) }
  }

  /// Hands over a block and never waits.
  /// - Returns: false where the queue is full or writing has failed: the block is lost, to be counted as shed.
  public func offer(_ block: RawBlock) -> Bool { queue.offer(block) }

  /// Hands over a block, waiting for room. For captures read from a file.
  /// - Returns: false where writing has failed.
  public func put(_ block: RawBlock) -> Bool { queue.put(block) }

  /// Why writing has stopped; nil while all is well.
  public var problem: SessionFileError? { queue.problem }

  /// Raw bytes that wait or are being written.
  public var queuedBytes: Int { queue.bytes }

  /// What has been written until now.
  public var written: Summary { queue.written }

  /// Writes what waits, then metadata, ledger, index and footer, and closes the file. Waits for it; once only.
  /// - Throws: ``problem``.
  @discardableResult
  public func finish(ledger: Ledger? = nil, metadata: SessionMetadata = SessionMetadata()) throws(SessionFileError)
    -> Summary
  {
    if !metadata.entries.isEmpty { _ = put(.metadata(metadata)) }
    if let ledger { _ = put(.ledger(ledger)) }
    queue.requestIndex()
    join()
    if let problem { throw problem }
    return written
  }
}

/// What the thread does and owns.
///
/// `@unchecked Sendable`: made by the opener, which keeps no reference, then used by the thread alone.
private final class BlockWriting: @unchecked Sendable {
  private let output: SessionOutput
  private var compressor: BlockCompressor
  private let queue: BlockQueue
  private let header: FileHeader
  private let kind: SessionFileKind
  private let salt: UInt32
  private let cipher: BlockCipher?
  private var entries: [BlockEntry] = []
  private var summary = SessionWriter.Summary(bytes: 0, blocks: 0, exchanges: 0)

  init(
    output: consuming SessionOutput, compressor: consuming BlockCompressor, queue: BlockQueue, header: FileHeader,
    kind: SessionFileKind, cipher: BlockCipher?
  ) {
    self.cipher = cipher
    self.output = output
    self.compressor = compressor
    self.queue = queue
    self.header = header
    self.kind = kind
    salt = header.salt
  }

  func run() {
    // Signals are for the threads that handle them; SIGPIPE is to come as EPIPE.
    var signals = sigset_t()
    sigfillset(&signals)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    do throws(SessionFileError) {
      try write(header.encoded())
      while let blocks = queue.takeAll() {
        for block in blocks {
          try write(block)
          queue.finish(block.rawSize, written: summary)
        }
      }
      if queue.wantsIndex { try writeEnd() }
      queue.finish(0, written: summary)
    } catch {
      output.cut(to: summary.bytes)
      queue.finish(0, written: summary)
      queue.fail(error)
    }
  }

  private func write(_ bytes: [UInt8]) throws(SessionFileError) {
    do {
      try bytes.withUnsafeBytes { try output.write($0) }
    } catch let problem as SessionFileError {
      throw problem
    } catch {
      throw .system(path: output.name, operation: "write", errno: EIO)
    }
    summary.bytes += UInt64(bytes.count)
  }

  private func write(_ block: RawBlock) throws(SessionFileError) {
    let stored = compressor.compress(block.bytes)
    // Readers find what blocks there are without a key.
    if let cipher, block.type != .index { return try write(block, stored, cipher) }
    let header = BlockHeader(
      type: block.type, codec: stored.codec, kind: kind, salt: salt, storedLength: stored.payload.count, block: block,
      sequence: summary.blocks, payloadChecksum: CRC32C.checksum(stored.payload))
    header.write(to: stored.header)
    try output.write(UnsafeRawBufferPointer(start: stored.header, count: BlockHeader.size + stored.payload.count))
    count(block, header)
  }

  private func write(
    _ block: RawBlock, _ stored: BlockCompressor.Stored, _ cipher: BlockCipher
  ) throws(SessionFileError) {
    var header = BlockHeader(
      type: block.type, codec: stored.codec, kind: kind, salt: salt,
      storedLength: stored.payload.count + BlockCipher.tagLength, block: block, sequence: summary.blocks,
      payloadChecksum: 0, isEncrypted: true)
    guard let sealed = withExtendedLifetime(block.bytes, { cipher.sealed(stored.payload, header: header) }) else {
      throw .outOfMemory(path: output.name)
    }
    header.payloadChecksum = CRC32C.checksum(sealed)
    var bytes = [UInt8](repeating: 0, count: BlockHeader.size)
    bytes.withUnsafeMutableBytes { header.write(to: $0.baseAddress!) }
    bytes += sealed
    do {
      try bytes.withUnsafeBytes { try output.write($0) }
    } catch let problem as SessionFileError {
      throw problem
    } catch {
      throw .system(path: output.name, operation: "write", errno: EIO)
    }
    count(block, header)
  }

  private func count(_ block: RawBlock, _ header: BlockHeader) {
    entries.append(BlockEntry(offset: summary.bytes, header: header))
    summary.bytes += UInt64(BlockHeader.size) + UInt64(header.storedLength)
    summary.blocks += 1
    summary.exchanges += UInt64(block.exchangeCount)
  }

  /// The index, a block like the others but for not listing itself, and the footer.
  private func writeEnd() throws(SessionFileError) {
    // Readers do without an index that a block cannot hold (16 million blocks).
    guard entries.count * BlockEntry.size <= BlockHeader.maximumRawLength else { return }
    let listed = UInt64(entries.count)
    let indexOffset = summary.bytes
    let bytes = BlockBytes(capacity: entries.count * BlockEntry.size)
    for (index, entry) in entries.enumerated() { entry.write(to: bytes.start + index * BlockEntry.size) }
    bytes.setCount(entries.count * BlockEntry.size)
    let nowhen = Timestamp(nanoseconds: 0)
    try write(
      RawBlock(
        type: .index, recordCount: UInt32(entries.count), exchangeCount: 0, minStart: nowhen, maxStart: nowhen,
        isLate: false, bytes: bytes))
    try write(Footer(indexOffset: indexOffset, blockCount: listed, salt: salt).encoded())
  }
}
