// Decompressed blocks of a reader, within a budget.
//
// A block that is given up is read and decompressed again when it is needed. Given up first is the one whose next
// record is furthest away in time: the merge knows that, so nothing has to be guessed from past use.

struct BlockCache {
  private struct Resident {
    var bytes: BlockBytes
    /// The start of its next record.
    var needed: Int64
  }

  private let limit: Int
  private var residents: [Int: Resident] = [:]
  /// The one asked for last: nearly always it is asked for again.
  private var latest: (block: Int, bytes: BlockBytes)?
  private(set) var byteCount = 0

  init(limit: Int) { self.limit = limit }

  mutating func bytes(of block: Int) -> BlockBytes? {
    if let latest, latest.block == block { return latest.bytes }
    guard let resident = residents[block] else { return nil }
    latest = (block, resident.bytes)
    return resident.bytes
  }

  /// Keeps a block, giving up others until it fits. A block larger than the limit stands alone.
  mutating func insert(_ bytes: BlockBytes, block: Int, needed: Int64) {
    while byteCount + bytes.count > limit, let furthest = residents.max(by: { $0.value.needed < $1.value.needed }) {
      remove(furthest.key)
    }
    residents[block] = Resident(bytes: bytes, needed: needed)
    byteCount += bytes.count
  }

  /// Says when the block will be needed next.
  mutating func setNeeded(_ block: Int, _ needed: Int64) { residents[block]?.needed = needed }

  mutating func remove(_ block: Int) {
    if let resident = residents.removeValue(forKey: block) { byteCount -= resident.bytes.count }
    if latest?.block == block { latest = nil }
  }

  mutating func removeAll() {
    residents = [:]
    latest = nil
    byteCount = 0
  }
}
