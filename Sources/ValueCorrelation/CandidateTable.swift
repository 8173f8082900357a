// The values that answers have shown and that requests may bring back, by hash. Owner: a finder.
// Bounds: so many values, the oldest give way; one that was brought back stays for another turn.

import HTTPModel

/// What a value is known by: a keyed hash of its bytes and of what kind of value it is.
struct ValueKey: Hashable {
  private var hash: Int

  enum Kind: UInt8 {
    /// Enough entropy to be itself anywhere.
    case value
    /// A short id with the path segment before it.
    case pathID
    /// A short id with the name of what holds it.
    case namedID
  }

  init(_ value: UnsafeBufferPointer<UInt8>) { self.init(.value, EmptyCollection(), value) }

  /// - Parameter context: what a short id is held together with.
  init(_ kind: Kind, _ context: some Sequence<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
    // Keyed anew for each process, so that no traffic can be made to collide.
    var hasher = Hasher()
    hasher.combine(kind)
    for byte in context { hasher.combine(byte) }
    hasher.combine(bytes: UnsafeRawBufferPointer(value))
    hash = hasher.finalize()
  }
}

struct CandidateTable {
  struct Entry {
    var producer: ExchangeID
    var source: UInt32
    /// When the answer was seen; nanoseconds since the epoch.
    var time: Int64
    /// When it was last of use, or else came.
    var touched: Int64
    /// Answers that showed it without having been asked with it.
    var answers: UInt16 = 1
    /// Its place, or the request that was answered, says that it was made for the client.
    var isMade: Bool
    /// A client sent it before any answer showed it: nobody's to make.
    var isClients = false
    var wasUsed = false
  }

  private let limit: Int
  private let window: Int64
  private var entries: [ValueKey: Entry] = [:]
  /// Keys in the order of coming, from `first` on.
  private var order: [ValueKey] = []
  private var first = 0

  init(limit: Int, window: Int64) {
    self.limit = limit
    self.window = window
  }

  var count: Int { entries.count }

  subscript(key: ValueKey) -> Entry? { entries[key] }

  mutating func insert(_ entry: Entry, under key: ValueKey) {
    if entries.updateValue(entry, forKey: key) == nil { order.append(key) }
    while entries.count > limit { dropOldest() }
  }

  mutating func update(_ key: ValueKey, _ change: (inout Entry) -> Void) {
    if entries[key] != nil { change(&entries[key]!) }
  }

  /// Lets go of what was shown too long ago.
  mutating func advance(to now: Int64) {
    while first < order.count, let entry = entries[order[first]], now &- entry.touched > window { dropOldest() }
  }

  private mutating func dropOldest() {
    let key = order[first]
    first += 1
    if let entry = entries[key] {
      if entry.wasUsed {
        entries[key]!.wasUsed = false
        order.append(key)
      } else {
        entries[key] = nil
      }
    }
    if first > 4096, first * 2 > order.count {
      order.removeFirst(first)
      first = 0
    }
  }
}
