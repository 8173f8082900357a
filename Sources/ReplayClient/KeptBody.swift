import HTTPModel

/// What is kept of one response: its body up to the body limit while the run's memory lasts; the rest is counted and
/// hashed.
struct KeptBody {
  private let limit: Int
  private let memory: HeldMemory
  /// Of the whole body so far, once not all of it is kept.
  private(set) var hash: BodyHash?
  /// Bytes taken from the run's memory.
  private(set) var bytes = 0

  init(limit: Int, memory: HeldMemory) {
    self.limit = limit
    self.memory = memory
  }

  mutating func reset() {
    hash = nil
    bytes = 0
  }

  /// Counts bytes that are held whatever the limit says.
  mutating func add(_ count: Int) {
    bytes += count
    memory.add(count)
  }

  /// Takes so many bytes where they are there.
  mutating func take(_ count: Int) -> Bool {
    guard memory.take(count) else { return false }
    bytes += count
    return true
  }

  /// How much to reserve for a body that is announced to have this length: an announcement is not worth more than this.
  func reserve(_ announced: Int) -> Int { min(announced, limit, 1 << 20) }

  mutating func append(_ piece: UnsafeRawBufferPointer, to body: inout HTTPBody) {
    body.size &+= UInt64(piece.count)
    if hash == nil {
      let room = min(piece.count, limit - body.bytes.count)
      if room == piece.count, take(room) {
        body.bytes.append(contentsOf: piece)
        return
      }
      // From here on the body is only counted and hashed, beginning with what was kept.
      hash = BodyHash()
      hash!.update(body.bytes)
      hash!.update(piece)
      if take(room) { body.bytes.append(contentsOf: piece.prefix(room)) }
    } else {
      hash!.update(piece)
    }
  }
}
