// The memory of a block.

import Glibc
import Synchronization

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

  /// - Returns: nil where there is no memory for it.
  init?(trying capacity: Int) {
    if SpareMemory.serves(capacity) {
      guard let memory = SpareMemory.take() else { return nil }
      self.memory = memory
      self.capacity = SpareMemory.capacity
    } else {
      guard let memory = malloc(BlockHeader.size + capacity) else { return nil }
      self.memory = memory
      self.capacity = capacity
    }
  }

  convenience init(capacity: Int) {
    self.init(trying: capacity)!
  }

  deinit {
    if capacity == SpareMemory.capacity { SpareMemory.put(memory) } else { free(memory) }
  }

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
    memory = realloc(memory, BlockHeader.size + grown)!
    capacity = grown
  }

  /// Says how far the memory has been filled.
  @inline(__always)
  func setCount(_ newCount: Int) {
    precondition(newCount <= capacity, "a record grew over its bound")
    count = newCount
  }
}

/// Memory of blocks of the usual size, kept for the next: giving it back to the kernel and faulting it in again costs
/// more than filling it.
private enum SpareMemory {
  /// A block of the usual size with its last record.
  static let capacity = SessionEncoder.blockTarget + SessionEncoder.blockTarget / 4
  /// Kept at most: 10 MiB.
  private static let limit = 16

  /// Addresses of memory that nobody holds.
  private static let spare = Mutex<[UInt]>([])

  /// Whether so large a block is of the usual size: not one that would leave most of it empty.
  static func serves(_ wanted: Int) -> Bool { wanted <= capacity && wanted > capacity / 2 }

  static func take() -> UnsafeMutableRawPointer? {
    if let address = spare.withLock({ $0.popLast() }) { return UnsafeMutableRawPointer(bitPattern: address) }
    return malloc(BlockHeader.size + capacity)
  }

  static func put(_ memory: UnsafeMutableRawPointer) {
    let isKept = spare.withLock { spare in
      guard spare.count < limit else { return false }
      spare.append(UInt(bitPattern: memory))
      return true
    }
    if !isKept { free(memory) }
  }
}
