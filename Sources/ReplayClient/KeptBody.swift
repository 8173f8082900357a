import Glibc
import HTTPModel

/// What is kept of one response: its body up to the body limit while the run's memory lasts; the rest is counted and
/// hashed. A body that repeats the recorded one is not copied: the two share their memory.
struct KeptBody {
  private let limit: Int
  private let memory: HeldMemory
  /// Of the whole body so far, once not all of it is kept.
  private(set) var hash: BodyHash?
  /// Bytes taken from the run's memory.
  private(set) var bytes = 0
  /// The recorded body, as long as this one has repeated it octet for octet; else empty. So many octets were repeated.
  private var recorded: [UInt8] = []
  private var repeated = 0
  private var announced = 0

  init(limit: Int, memory: HeldMemory) {
    self.limit = limit
    self.memory = memory
  }

  /// - Parameter recorded: the body that this one may repeat; empty for none.
  mutating func reset(repeating recorded: [UInt8] = []) {
    hash = nil
    bytes = 0
    self.recorded = recorded.count <= limit ? recorded : []
    repeated = 0
    announced = 0
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
  mutating func reserve(_ announced: Int) -> Int {
    self.announced = min(announced, limit, 1 << 20)
    return recorded.isEmpty ? self.announced : 0
  }

  mutating func append(_ piece: UnsafeRawBufferPointer, to body: inout HTTPBody) {
    body.size &+= UInt64(piece.count)
    if !recorded.isEmpty {
      if isRepeated(piece) {
        repeated &+= piece.count
        return
      }
      catchUp(&body)
    }
    keep(piece, in: &body)
  }

  /// Nothing more comes.
  mutating func finish(_ body: inout HTTPBody) {
    guard !recorded.isEmpty else { return }
    guard repeated == recorded.count else {
      // What was announced does not come.
      announced = 0
      return catchUp(&body)
    }
    body.bytes = recorded
    recorded = []
  }

  private func isRepeated(_ piece: UnsafeRawBufferPointer) -> Bool {
    guard let new = piece.baseAddress else { return true }
    guard piece.count <= recorded.count &- repeated else { return false }
    return recorded.withUnsafeBytes { memcmp($0.baseAddress! + repeated, new, piece.count) == 0 }
  }

  /// What was repeated is kept after all: something else follows.
  private mutating func catchUp(_ body: inout HTTPBody) {
    var recorded: [UInt8] = []
    swap(&recorded, &self.recorded)
    guard repeated > 0 else { return body.bytes.reserveCapacity(announced) }
    body.bytes.reserveCapacity(max(announced, repeated))
    recorded.withUnsafeBytes { keep(UnsafeRawBufferPointer(rebasing: $0[..<repeated]), in: &body) }
  }

  private mutating func keep(_ piece: UnsafeRawBufferPointer, in body: inout HTTPBody) {
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
