// A dictionary that forgets its oldest keys.
// In: keys and changes of their values. Out: values. Owner: the key log. Bounds: the capacity it was made with.

/// Values by key, at most `capacity` of them; the key that was first seen longest ago goes first.
struct BoundedStore<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let capacity: Int
  private var values: [Key: Value] = [:]
  /// The keys in the order of their arrival, a ring once it is full.
  private var arrivals: [Key] = []
  private var oldest = 0

  /// A store of at least one value.
  init(capacity: Int) {
    self.capacity = Swift.max(1, capacity)
  }

  /// Values held.
  var count: Int { values.count }

  subscript(key: Key) -> Value? { values[key] }

  /// Changes the value of a key, from `initial` where the key is new. The closure tells whether it changed anything; a new key
  /// whose value it did not change is not kept.
  mutating func update(
    _ key: Key, default initial: Value, _ change: (inout Value) -> Bool
  ) -> (changed: Bool, evicted: Bool) {
    if values[key] != nil {
      return (change(&values[key]!), false)
    }
    var value = initial
    guard change(&value) else { return (false, false) }
    values[key] = value
    guard arrivals.count == capacity else {
      arrivals.append(key)
      return (true, false)
    }
    values[arrivals[oldest]] = nil
    arrivals[oldest] = key
    oldest = (oldest &+ 1) % capacity
    return (true, true)
  }
}
