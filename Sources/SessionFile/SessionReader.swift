// A file in, exchanges in order of their request's start out.
//
// Owner: one thread. Bounds: see the class.

public import HTTPModel

/// Reads a session or run file, whole or damaged, from a path, a descriptor or a pipe.
///
/// Memory: at most the cache's limit of decompressed blocks (or one block, where that is larger), one exchange, 8 MB each
/// of large bodies that come again and of messages that were given back, and about 130 bytes for each block of the file,
/// whatever the file's size.
public final class SessionReader {
  /// Decompressed bytes that are kept; 64 MiB.
  public static let defaultCacheLimit = 64 << 20

  /// A session or a run.
  public let kind: SessionFileKind
  /// From the file's header; the epoch where that is damaged.
  public let created: Timestamp
  /// All metadata blocks, in order.
  public let metadata: SessionMetadata
  /// The last ledger; nil where none was written. Rows that this version does not know are left out.
  public let ledger: Ledger?
  /// Exchanges (of a run: replayed exchanges) as the block headers count them, without reading the blocks.
  public let exchangeCount: UInt64
  /// The least and greatest request start; nil where there are no exchanges.
  public let timeRange: ClosedRange<Timestamp>?
  /// What could not be recovered, as far as it is known by now: what opening found, then what reading finds.
  public private(set) var damage: [Damage] = []
  /// Decompressed bytes held now.
  public var cachedBytes: Int { cache.byteCount }
  /// Bytes of the file.
  public var size: UInt64 { input.size }
  /// Behind the last whole block: where a file that is being written goes on.
  public let end: UInt64
  /// The file has an index: its writer has ended it.
  public let isFinished: Bool

  private let input: SessionInput
  private let decompressor: BlockDecompressor
  private let cipher: BlockCipher?
  /// In file order.
  private let entries: [BlockEntry]
  /// Blocks of exchanges by least start.
  private let byStart: [Int]
  // One thread reads, and none of these is held on to while another method runs: accesses to them never overlap.
  @exclusivity(unchecked) private var cache: BlockCache
  @exclusivity(unchecked) private var heap = CursorHeap()
  /// How many of ``byStart`` have been opened.
  @exclusivity(unchecked) private var opened = 0
  @exclusivity(unchecked) private var spare = SpareMessages()
  /// The block of replayed exchanges that is being read, an index into ``entries``, and the place in it.
  private var replayedBlock = 0
  private var replayedOffset = 0
  private var replayedBytes: BlockBytes?
  /// Blocks whose damage has been noted, so that a second reading does not note it again.
  private var noted: Set<Int> = []

  /// Opens a file, FIFO or, under the name `-`, standard input. A pipe is first copied to a file without a name in
  /// `TMPDIR` (0600).
  /// - Parameters:
  ///   - expecting: throws ``SessionFileError/otherKind(path:kind:expected:)`` for another kind.
  ///   - cacheLimit: decompressed bytes that are kept at most.
  ///   - offset: only blocks at or behind it are read; ``end`` of an earlier reader gives what has come since.
  ///   - key: of a file that is encrypted; others are read without it.
  public convenience init(
    path: String, expecting: SessionFileKind? = nil, cacheLimit: Int = SessionReader.defaultCacheLimit,
    from offset: UInt64 = 0, key: SessionKey? = nil
  ) throws(SessionFileError) {
    try self.init(try SessionInput(path: path), expecting: expecting, cacheLimit: cacheLimit, from: offset, key: key)
  }

  /// The same for an open descriptor, which stays the caller's; `name` stands in error messages.
  public convenience init(
    descriptor: Int32, name: String, expecting: SessionFileKind? = nil,
    cacheLimit: Int = SessionReader.defaultCacheLimit, key: SessionKey? = nil
  ) throws(SessionFileError) {
    try self.init(
      try SessionInput(descriptor: descriptor, name: name), expecting: expecting, cacheLimit: cacheLimit, from: 0,
      key: key)
  }

  private init(
    _ input: consuming SessionInput, expecting: SessionFileKind?, cacheLimit: Int, from offset: UInt64, key: SessionKey?
  ) throws(SessionFileError) {
    let directory = try BlockDirectory(input, expecting: expecting)
    if let expecting, directory.kind != expecting {
      throw .otherKind(path: input.name, kind: directory.kind, expected: expecting)
    }
    guard let decompressor = BlockDecompressor() else { throw .outOfMemory(path: input.name) }
    let counted: BlockType = directory.kind == .run ? .replayed : .exchanges
    let entries = directory.entries.filter { $0.offset >= offset }
    end = directory.entries.last?.end ?? 0
    isFinished = !directory.damage.contains { $0.cause == .unfinished }
    let cipher = try SessionReader.cipher(of: directory, input, key)
    var control = ControlBlocks(damage: directory.damage)
    try control.read(entries, input, decompressor, cipher)

    kind = directory.kind
    created = directory.header?.created ?? Timestamp(nanoseconds: 0)
    metadata = control.metadata
    ledger = control.ledger
    damage = control.damage
    noted = control.noted
    let holding = entries.filter { $0.header.type == counted.rawValue && $0.header.exchangeCount > 0 }
    exchangeCount = holding.reduce(0) { $0 &+ UInt64($1.header.exchangeCount) }
    let least = holding.map(\.header.minStart).min()
    let greatest = holding.map(\.header.maxStart).max()
    timeRange = if let least, let greatest, least <= greatest { least...greatest } else { nil }
    byStart = entries.indices.filter { entries[$0].header.type == BlockType.exchanges.rawValue }
      .sorted { (entries[$0].header.minStart, $0) < (entries[$1].header.minStart, $1) }
    self.entries = entries
    self.input = input
    self.decompressor = decompressor
    self.cipher = cipher
    cache = BlockCache(limit: cacheLimit)
  }

  /// What decrypts a file's blocks; nil where they are in the clear.
  private static func cipher(
    of directory: BlockDirectory, _ input: borrowing SessionInput, _ key: SessionKey?
  ) throws(SessionFileError) -> BlockCipher? {
    let encrypted = directory.entries.first { $0.header.isEncrypted }
    guard let header = directory.header else {
      if encrypted != nil { throw .encryptedHeaderLost(path: input.name) }
      return nil
    }
    guard header.cipher != FileHeader.Cipher.none.rawValue else { return nil }
    guard FileHeader.Cipher(rawValue: header.cipher) != nil else {
      throw .newerVersion(path: input.name, major: header.major, minor: header.minor)
    }
    guard let cipher = key?.cipher(for: header) else { throw .encrypted(path: input.name) }
    if let encrypted, try BlockContents.isRefused(encrypted, input, by: cipher) { throw .wrongKey(path: input.name) }
    return cipher
  }

  /// The next exchange in order of request start (then id); nil at the end. Halves that were written apart come
  /// joined; a response whose request was lost with a damaged block comes where the request stood. Damage is passed
  /// over and noted in ``damage``.
  /// - Throws: where the file cannot be read any more.
  public func next() throws(SessionFileError) -> Exchange? {
    var found: Exchange?
    while let key = try nextHalf(into: &found) {
      // Compared with nil it would be copied whole.
      guard case .some = found else { continue }
      if key.kind == RecordKind.request.rawValue {
        // Only the response can follow the request under one key; a repeated one replaces the first.
        var half: Exchange?
        while try nextHalf(into: &half, joining: key) != nil {
          if let half { found!.join(half) }
        }
      }
      return consume found
    }
    return nil
  }

  /// Takes the messages of an exchange that is not needed any more: what is read next goes into their memory, where
  /// nobody else has it.
  public func recycle(_ exchange: inout Exchange) { spare.add(&exchange) }

  /// Reads the record that comes next.
  /// - Parameters:
  ///   - found: what it holds; nil where it cannot be decoded or is of a kind that is not known here.
  ///   - joining: only where it is the response to this request.
  /// - Returns: its key; nil where there is none.
  private func nextHalf(
    into found: inout Exchange?, joining: RecordKey? = nil
  ) throws(SessionFileError) -> RecordKey? {
    try openBlocks()
    while let cursor = heap.top {
      if let joining {
        guard cursor.key.kind == RecordKind.response.rawValue, cursor.key.joins(joining) else { return nil }
      }
      guard let bytes = try contents(of: cursor.block, needed: cursor.key.start) else {
        heap.removeTop()
        try openBlocks()
        continue
      }
      withExtendedLifetime(bytes) {
        decode(cursor, bytes.contents, into: &found)
        advance(past: cursor, bytes.contents)
      }
      return cursor.key
    }
    return nil
  }

  private func decode(_ cursor: BlockCursor, _ block: UnsafeRawBufferPointer, into found: inout Exchange?) {
    found = nil
    switch RecordKind(rawValue: cursor.key.kind) {
    case .exchange, .request, .response: break
    default: return
    }
    var attempts: [UnsafeRawBufferPointer] = []
    do throws(RecordFault) {
      let fields = RecordKey.fields(block, at: cursor.offset, end: cursor.end)
      var exchange = Exchange()
      try exchange.read(fields, key: cursor.key, attempts: &attempts, &spare)
      found = consume exchange
    } catch {
      noteFault(cursor.block, bytes: cursor.end - cursor.offset)
    }
  }

  /// Opens the blocks that may hold what comes next.
  private func openBlocks() throws(SessionFileError) {
    while opened < byStart.count {
      let block = byStart[opened]
      let least = entries[block].header.minStart.nanoseconds
      if let top = heap.top, top.key.start < least { return }
      opened += 1
      guard let bytes = try contents(of: block, needed: least) else { continue }
      let first = withExtendedLifetime(bytes) { cursor(block, at: 0, bytes.contents) }
      if let first { heap.insert(first) } else { cache.remove(block) }
    }
  }

  private func advance(past cursor: BlockCursor, _ bytes: UnsafeRawBufferPointer) {
    if let next = self.cursor(cursor.block, at: cursor.end, bytes) {
      heap.replaceTop(next)
      if heap.top?.block != cursor.block { cache.setNeeded(cursor.block, next.key.start) }
    } else {
      heap.removeTop()
      cache.remove(cursor.block)
    }
  }

  private func cursor(_ block: Int, at offset: Int, _ bytes: UnsafeRawBufferPointer) -> BlockCursor? {
    guard offset < bytes.count else { return nil }
    guard let (key, end) = RecordKey.read(bytes, at: offset) else {
      noteFault(block, bytes: bytes.count - offset)
      return nil
    }
    return BlockCursor(key: key, block: block, offset: offset, end: end)
  }

  /// A block's raw bytes, from the cache or the file; nil where it is damaged.
  private func contents(of block: Int, needed: Int64) throws(SessionFileError) -> BlockBytes? {
    if let bytes = cache.bytes(of: block) { return bytes }
    guard let bytes = try load(block) else { return nil }
    cache.insert(bytes, block: block, needed: needed)
    return bytes
  }

  private func load(_ block: Int) throws(SessionFileError) -> BlockBytes? {
    let entry = entries[block]
    let bytes = try BlockContents.read(entry, input, decompressor, cipher)
    if let found = try ControlBlocks.damage(of: entry, isWhole: bytes != nil, input), noted.insert(block).inserted {
      damage.append(found)
    }
    return bytes
  }

  private func noteFault(_ block: Int, bytes: Int) {
    // Records of one block are counted together.
    let offset = entries[block].offset
    if let index = damage.lastIndex(where: { $0.cause == .records && $0.offset == offset }) {
      guard !noted.contains(~block) else { return }
      damage[index].byteCount += UInt64(bytes)
      damage[index].exchangeCount += 1
    } else {
      damage.append(Damage(cause: .records, offset: offset, byteCount: UInt64(bytes), exchangeCount: 1))
    }
  }

  /// The next replayed exchange of a run, in the order in which they were written; nil at the end. Damage is passed
  /// over and noted in ``damage``.
  /// - Throws: where the file cannot be read any more.
  public func nextReplayed() throws(SessionFileError) -> ReplayedExchange? {
    while replayedBlock < entries.count {
      if replayedBytes == nil, entries[replayedBlock].header.type == BlockType.replayed.rawValue {
        replayedBytes = try load(replayedBlock)
        replayedOffset = 0
      }
      while let bytes = replayedBytes?.contents, let cursor = cursor(replayedBlock, at: replayedOffset, bytes) {
        replayedOffset = cursor.end
        guard cursor.key.kind == RecordKind.replayed.rawValue else { continue }
        do throws(RecordFault) {
          return try ReplayedExchange(
            RecordKey.fields(bytes, at: cursor.offset, end: cursor.end), key: cursor.key, &spare)
        } catch {
          noteFault(replayedBlock, bytes: cursor.end - cursor.offset)
        }
      }
      replayedBytes = nil
      replayedBlock += 1
    }
    return nil
  }

  /// Begins again with the first exchange. ``damage`` stays.
  public func rewind() {
    // Faults in records are found again in the second round: `~block` marks those that are counted already.
    for found in damage where found.cause == .records {
      if let block = entries.firstIndex(where: { $0.offset == found.offset }) { noted.insert(~block) }
    }
    heap = CursorHeap()
    cache.removeAll()
    opened = 0
    replayedBlock = 0
    replayedOffset = 0
    replayedBytes = nil
  }

  /// The names of blobs, in order of first writing.
  /// - Throws: where the file cannot be read any more.
  public func blobNames() throws(SessionFileError) -> [String] {
    var names: [String] = []
    try forEachBlob { name, _ in if !names.contains(name) { names.append(name) } }
    return names
  }

  /// The last blob of this name; nil where there is none.
  /// - Throws: where the file cannot be read any more.
  public func blob(named name: String) throws(SessionFileError) -> [UInt8]? {
    var found: [UInt8]?
    try forEachBlob { candidate, bytes in if candidate == name { found = bytes.map(Array.init) ?? [] } }
    return found
  }

  private func forEachBlob(_ body: (String, UnsafeRawBufferPointer?) -> Void) throws(SessionFileError) {
    for block in entries.indices where entries[block].header.type == BlockType.blob.rawValue {
      guard let bytes = try load(block) else { continue }
      let faults = withExtendedLifetime(bytes) {
        ControlRecord.forEach(.blob, in: bytes.contents) { body($0.nameText, $0.value) }
      }
      if faults > 0, noted.insert(block).inserted {
        damage.append(Damage(cause: .records, offset: entries[block].offset))
      }
    }
  }
}
