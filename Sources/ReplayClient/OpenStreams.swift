import NIOHTTP2

/// The streams of one connection on which answers are awaited, by number.
///
/// Numbers rise, so that a stream is added at the end and found by halving; mostly it is among the first. Confined to the
/// event loop; bounds: the target's limit on concurrent streams.
struct OpenStreams {
  /// In order of their numbers.
  private(set) var all: [HTTP2Stream] = []

  var isEmpty: Bool { all.isEmpty }
  var count: Int { all.count }

  subscript(id: HTTP2StreamID) -> HTTP2Stream? {
    let place = place(of: id)
    return place < all.count && all[place].id == id ? all[place] : nil
  }

  /// Its number must be above all others.
  mutating func append(_ stream: HTTP2Stream) { all.append(stream) }

  mutating func remove(_ id: HTTP2StreamID) {
    let place = place(of: id)
    if place < all.count, all[place].id == id { all.remove(at: place) }
  }

  /// - Returns: those that were removed, in order.
  mutating func removeAll(after id: HTTP2StreamID) -> [HTTP2Stream] {
    let removed = all.filter { $0.id > id }
    all.removeLast(removed.count)
    return removed
  }

  mutating func removeAll() { all.removeAll() }

  /// Of the first stream that has this number or a higher one.
  private func place(of id: HTTP2StreamID) -> Int {
    var (low, high) = (0, all.count)
    while low < high {
      let middle = (low + high) / 2
      if all[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
