/// The places of a pool that may be given another request on a connection that multiplexes.
///
/// Those with the fewest requests under way are taken first. So requests are spread, and the next ones of a connection
/// whose answers were read together go out on it together, in one write. Confined to the event loop; bounds: the size of
/// the pool, and one list for each number of requests under way.
struct FreeStreams {
  /// By ``Lane/active`` at the time.
  private var lists: [[Lane]] = []
  /// All lists before this one are empty.
  private var least = 0

  private(set) var isEmpty = true

  mutating func add(_ lane: Lane) {
    let load = lane.active
    while lists.count <= load { lists.append([]) }
    lane.listing = .init(list: load, place: lists[load].count)
    lists[load].append(lane)
    least = min(least, load)
    isEmpty = false
  }

  /// Must not be called where it is empty.
  mutating func removeFirst() -> Lane {
    let lane = lists[least][lists[least].count - 1]
    remove(lane)
    return lane
  }

  /// A request of a listed place has ended.
  mutating func update(_ lane: Lane) {
    guard let listing = lane.listing, listing.list != lane.active else { return }
    remove(lane)
    add(lane)
  }

  private mutating func remove(_ lane: Lane) {
    guard let listing = lane.listing.take() else { return }
    let last = lists[listing.list].removeLast()
    if last !== lane {
      lists[listing.list][listing.place] = last
      last.listing = listing
    }
    while least < lists.count, lists[least].isEmpty { least += 1 }
    isEmpty = least == lists.count
  }
}
