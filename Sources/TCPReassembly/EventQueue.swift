// Events of one segment on their way to whoever drains them.
// Owner: Reassembler. Bounds: drained after each segment; grows to the largest burst and stays there.

/// First in, first out; empty again after each segment, so that no ring is needed.
struct EventQueue: ~Copyable {
  private var storage: UnsafeMutablePointer<StreamEvent>
  private var capacity = 64
  private var head = 0
  private var tail = 0

  init() { storage = .allocate(capacity: capacity) }

  deinit {
    (storage + head).deinitialize(count: tail - head)
    storage.deallocate()
  }

  var isEmpty: Bool { head == tail }

  @inline(__always)
  mutating func append(_ event: consuming StreamEvent) {
    if tail == capacity { grow() }
    (storage + tail).initialize(to: event)
    tail &+= 1
  }

  /// The first; there is one.
  @inline(__always)
  mutating func take() -> StreamEvent {
    let place = storage + head
    head &+= 1
    if head == tail { (head, tail) = (0, 0) }
    return place.move()
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<StreamEvent>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: storage + head, count: tail - head)
    storage.deallocate()
    storage = larger
    capacity *= 2
    tail -= head
    head = 0
  }
}
