// The records of many sorted blocks as one sorted sequence.
//
// Blocks are opened in order of their least start, when the merge gets there, so only those whose times overlap are
// open at once. An open block is a cursor of 48 bytes; its contents may leave the cache and come again.

import HTTPModel

/// A place in an open block.
struct BlockCursor: Comparable {
  /// Of the record that comes next.
  var key: RecordKey
  var block: Int
  var offset: Int
  var end: Int

  static func < (a: BlockCursor, b: BlockCursor) -> Bool {
    a.key < b.key || !(b.key < a.key) && (a.block, a.offset) < (b.block, b.offset)
  }
}

/// A binary heap of cursors, the one that comes next on top.
struct CursorHeap {
  private(set) var cursors: [BlockCursor] = []

  var top: BlockCursor? { cursors.first }

  mutating func insert(_ cursor: BlockCursor) {
    cursors.append(cursor)
    var child = cursors.count - 1
    while child > 0, cursors[child] < cursors[(child - 1) / 2] {
      cursors.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// Puts another cursor in the top one's place.
  mutating func replaceTop(_ cursor: BlockCursor) {
    cursors[0] = cursor
    sink()
  }

  mutating func removeTop() {
    cursors.swapAt(0, cursors.count - 1)
    cursors.removeLast()
    sink()
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < cursors.count && cursors[child] < cursors[least] {
        least = child
      }
      if least == parent { return }
      cursors.swapAt(parent, least)
      parent = least
    }
  }
}
