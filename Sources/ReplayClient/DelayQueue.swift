/// What is to be done later, the earliest first; of one time, in the order of adding. A binary heap.
struct DelayQueue<Element> {
  private struct Entry {
    var time: Int64
    var order: UInt64
    var element: Element

    func isBefore(_ other: Entry) -> Bool { (time, order) < (other.time, other.order) }
  }

  private var heap: [Entry] = []
  private var added: UInt64 = 0

  var isEmpty: Bool { heap.isEmpty }
  /// Of the earliest; the end of time where there is nothing.
  var nextTime: Int64 { heap.first?.time ?? .max }

  mutating func add(_ element: Element, at time: Int64) {
    added &+= 1
    heap.append(Entry(time: time, order: added, element: element))
    var child = heap.count - 1
    while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// Takes the earliest where its time has come.
  mutating func take(at now: Int64) -> Element? {
    guard let first = heap.first, first.time <= now else { return nil }
    heap.swapAt(0, heap.count - 1)
    let entry = heap.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].isBefore(heap[least]) {
        least = child
      }
      if least == parent { return entry.element }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
