// Purpose: what the dynamic table holds for certain: its size, evictions, and what was never seen.
// Input -> output: insertions, size updates, SETTINGS, losses -> the table and a bound on its unseen part.
// Owner: HPACKDecoder. Bounds: HPACKLimits.maxTableBytes.
//
// The encoder's table is a queue: what was never seen is older than all that was, so it is evicted first. Every size here
// is the least that an entry can have, and the maximum the most that it can be; so an entry is kept for as long as the
// encoder may still refer to it, and never told gone before it is. Keeping one for too long does no harm: nobody refers
// to it.

import HTTPModel

extension HPACKDecoder {
  /// Nothing tells the maximum: joined in mid-connection, and neither SETTINGS nor a size update were seen.
  var maximumIsAssumed: Bool { !maximumIsExact && !allowanceIsKnown }

  /// Bytes of known entries that are kept.
  @inline(__always)
  private var keptSize: Int { min(limits.maxTableBytes, maximumTableSize) }

  /// Adds an entry and evicts what it drives out (RFC 7541, 4.4).
  /// - Parameter source: its name and, after it, its value; not a part of the table.
  @inline(__always)
  mutating func insert(
    _ source: UnsafePointer<UInt8>, nameLength: Int, valueLength: Int, marks: HPACKFieldMarks, nameOrigin: UInt16
  ) {
    let size = 32 &+ nameLength &+ valueLength
    if unseenSize > 0 { boundUnseen(adding: size) }
    if table.size &+ size > keptSize, !makeRoom(for: size) { return }
    table.insert(source, nameLength: nameLength, valueLength: valueLength, marks: marks, nameOrigin: nameOrigin)
  }

  /// What is proven leaves the unseen ones no more than the rest.
  private mutating func boundUnseen(adding size: Int) {
    unseenSize = min(unseenSize, max(0, maximumTableSize - table.provenSize - size))
  }

  /// - Returns: false where the entry does not fit even alone.
  private mutating func makeRoom(for size: Int) -> Bool {
    let kept = keptSize
    // What the encoder's table still has room for is forgotten, not evicted; under an assumption it may be.
    var forgot = false
    while table.count > 0, table.size + size > kept {
      if table.seededCount == 0 {
        let isThere = table.size + size <= maximumTableSize
        forgot = forgot || isThere
        if isThere || maximumIsAssumed { forgottenCount += 1 }
      }
      table.evictOldest()
    }
    if size <= kept {
      if forgot { unseenSize = maximumTableSize - table.provenSize - size }
      return true
    }
    // An entry that is too large for the encoder leaves its table empty. One too large for us is there, unseen.
    if size <= maximumTableSize { unseenSize = maximumTableSize }
    if size <= maximumTableSize || maximumIsAssumed { forgottenCount += 1 }
    return false
  }

  // MARK: Sizes

  /// The encoder's table holds this many bytes from now on, or at most this many.
  private mutating func setMaximum(_ size: Int, isExact: Bool) {
    // Under an assumption the unseen ones may be more than was thought.
    if maximumIsAssumed { unseenSize = size }
    maximumTableSize = size
    maximumIsExact = isExact
    boundUnseen(adding: 0)
    while table.size > keptSize { table.evictOldest() }
  }

  /// The sender of these blocks has acknowledged its peer's SETTINGS_HEADER_TABLE_SIZE (RFC 9113, 4.3.1): call it where
  /// the acknowledgement stands between the blocks. Of several acknowledged since the last block, call it for each.
  ///
  /// After a gap that may have swallowed an acknowledgement, call it for what is outstanding.
  public mutating func acknowledge(maximumTableSize size: UInt32) {
    let size = Int(size)
    if maximumIsExact {
      // The encoder must say so in its next block; until then its table stays as it is.
      if size < maximumTableSize { requiredReduction = min(requiredReduction ?? size, size) }
    } else if !allowanceIsKnown || size < maximumTableSize {
      setMaximum(size, isExact: false)
    }
    allowedTableSize = size
    allowanceIsKnown = true
  }

  /// A dynamic table size update (RFC 7541, 6.3).
  mutating func updateSize(_ size: Int, _ state: inout BlockState) {
    if state.sawField { state.reportError(.hpackSizeUpdateMisplaced) }
    if allowanceIsKnown, size > allowedTableSize { state.reportError(.hpackSizeUpdateTooLarge) }
    if let required = requiredReduction {
      if size > required { state.reportError(.hpackSizeUpdateMissing) }
      requiredReduction = nil
    }
    setMaximum(size, isExact: true)
  }

  // MARK: What was never seen

  /// Which of the unseen entries a reference means that goes beyond ``table``.
  /// - Parameter ordinal: counted from the newest entry of the table.
  /// - Returns: the place among the unseen, from the newest on; nil where the table cannot hold so many.
  mutating func unseenOrdinal(_ ordinal: Int) -> Int? {
    let place = ordinal - table.provenCount
    // An entry takes 32 bytes or more.
    let needed = (place + 1) * 32
    if needed > unseenSize {
      let room = limits.maxTableBytes - table.provenSize
      guard maximumIsAssumed, needed <= room else { return nil }
      maximumTableSize = limits.maxTableBytes
      unseenSize = room
    }
    return place
  }

  /// Blocks were lost (a gap): what is in the table is not known any more.
  public mutating func loseTable() {
    table.removeAll()
    forgottenCount = 0
    requiredReduction = nil
    maximumIsExact = false
    maximumTableSize = allowanceIsKnown ? allowedTableSize : max(maximumTableSize, HPACKDecoder.initialTableSize)
    unseenSize = maximumTableSize
  }

  /// Takes the entries of another connection's table for those that were never seen, newest for newest. Fields that come
  /// from them are marked ``HPACKFieldMarks/assumed``. Without effect where the table is whole, or was, but for a limit.
  ///
  /// What was unresolved before can be looked up by ``HPACKUnresolvedReference/ordinal`` in the same table.
  public mutating func assume(_ other: HPACKTable) {
    guard unseenSize >= 32, forgottenCount == 0 else { return }
    table.seed(other, bound: keptSize)
  }
}
