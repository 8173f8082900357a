// What of a direction waits until the other one has been read far enough.
//
// In: items at the end. Out: items from the front, in constant time. Owner: a Conversation, which counts each item's
// cost against AssemblyLimits.heldBytes.

import HTTPModel
import TCPReassembly

struct WaitingItem {
  enum Content {
    case bytes([UInt8])
    case gap(UInt64, Anomaly)
    case end(StreamEnd)
  }

  var content: Content
  var origin: MessageOrigin

  /// Memory in bytes: the content, and what the item and its allocation take beside it.
  var cost: Int {
    if case .bytes(let bytes) = content { return bytes.count + Self.overhead }
    return Self.overhead
  }

  static let overhead = 128
}

/// First in, first out.
struct WaitingItems {
  private var items: [WaitingItem?] = []
  private var taken = 0

  var isEmpty: Bool { items.isEmpty }
  var first: WaitingItem? { items.isEmpty ? nil : items[taken] }

  /// Of the streams' bytes; walks over all items.
  var payloadBytes: UInt64 {
    items.reduce(0) { sum, item in
      guard case .bytes(let bytes)? = item?.content else { return sum }
      return sum &+ UInt64(bytes.count)
    }
  }

  mutating func append(_ item: WaitingItem) { items.append(item) }

  /// There must be one.
  mutating func removeFirst() -> WaitingItem {
    let item = items[taken].take()!
    taken += 1
    if taken == items.count {
      items.removeAll()
      taken = 0
    } else if taken >= 64, taken * 2 >= items.count {
      items.removeFirst(taken)
      taken = 0
    }
    return item
  }
}
