// A sealed block on its way from the encoder to the writer, and the bytes in it.

import Glibc
public import HTTPModel

/// A block that is complete but neither compressed nor written.
///
/// Made by a ``SessionEncoder``, or by the functions below for what is not an exchange; handed to a ``SessionWriter``.
public struct RawBlock: Sendable {
  public let type: BlockType
  public let recordCount: UInt32
  /// Records that begin an exchange: all but `response` records.
  public let exchangeCount: UInt32
  /// The least and greatest request start in it; both 0 where it holds no exchanges.
  public let minStart: Timestamp
  public let maxStart: Timestamp
  /// Of the encoder's second lane, which holds exchanges much older than those around them.
  public let isLate: Bool
  let bytes: BlockBytes

  /// Bytes before compression.
  public var rawSize: Int { bytes.count }
}

/// Growing memory outside Swift's arrays: appended to without zero-filling, with room for a block header in front, so
/// that a block goes to the kernel in one piece.
///
/// `@unchecked Sendable`: it is written by one owner, the encoder or decompressor that made it, and only until it is
/// put into a ``RawBlock`` or the reader's cache; from then on nothing writes to it and its memory does not move.
final class BlockBytes: @unchecked Sendable {
  private var memory: UnsafeMutableRawPointer
  private var capacity: Int
  /// Bytes after the header's room.
  private(set) var count = 0

  init(capacity: Int) {
    self.capacity = capacity
    guard let memory = malloc(BlockHeader.size + capacity) else { fatalError("out of memory") }
    self.memory = memory
  }

  /// - Returns: nil where there is no memory for it.
  init?(trying capacity: Int) {
    guard let memory = malloc(BlockHeader.size + capacity) else { return nil }
    self.capacity = capacity
    self.memory = memory
  }

  deinit { free(memory) }

  /// The first byte after the header's room.
  var start: UnsafeMutableRawPointer { memory + BlockHeader.size }

  /// The room for the header.
  var header: UnsafeMutableRawPointer { memory }

  var contents: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

  /// Makes room for `extra` bytes more; ``start`` may move.
  @inline(__always)
  func reserve(_ extra: Int) {
    if capacity &- count < extra { grow(extra) }
  }

  @inline(never)
  private func grow(_ extra: Int) {
    let grown = max(capacity * 2, count + extra)
    guard let larger = realloc(memory, BlockHeader.size + grown) else { fatalError("out of memory") }
    memory = larger
    capacity = grown
  }

  /// Says how far the memory has been filled.
  @inline(__always)
  func setCount(_ newCount: Int) {
    precondition(newCount <= capacity, "a record grew over its bound")
    count = newCount
  }
}
