import HTTPModel
import ReplaySchedule

/// A request body of gRPC messages that are sent as they were recorded: each at its time after the head, and not before as
/// many answers have come as had come in the recording.
///
/// In: a recorded exchange; then times and numbers of answers. Out: which bytes may go. A pure value; times are in
/// nanoseconds from the request's sending. Bounds: one entry for each message that is sent apart from the one before.
struct PacedBody {
  struct Piece: Equatable {
    /// Where in the body it ends.
    var end: Int
    var due: Int64
    /// Answers that had come before it.
    var answers: Int
    /// The body ends with it.
    var isLast = false
  }

  private(set) var pieces: [Piece]
  private(set) var next = 0
  /// Bytes that were let go.
  private(set) var sent = 0

  /// Messages closer together than this go together, if no answer came between.
  static let grain: Int64 = 1_000_000
  /// How much later than its time a message goes where the answers before it don't come.
  static let patience: Int64 = 5_000_000_000

  /// - Returns: nil where the body may go at once: it is no gRPC, or all of it was sent at once.
  init?(_ exchange: Exchange, pacing: Pacing) {
    guard exchange.hasDetails, let request = exchange.request, let messages = exchange.details.messages,
      messages.protocol == .grpc
    else { return nil }
    let start = request.timing.start
    func due(_ time: Timestamp) -> Int64 {
      switch pacing {
      case .recorded(let speed): speed.dividing(max(0, time.nanoseconds(since: start)))
      case .profile: max(0, time.nanoseconds(since: start))
      case .maximum: 0
      }
    }
    let count = request.body.bytes.count
    var pieces: [Piece] = []
    var (answers, end) = (0, 0)
    for message in messages.messages where message.kind == .grpc {
      guard message.direction == .request else {
        answers += 1
        continue
      }
      end = max(end, Int(clamping: message.offset &+ message.length))
      guard end <= count else { return nil }
      PacedBody.add(Piece(end: end, due: due(message.time), answers: answers), to: &pieces)
    }
    // Answers that came before the end of the body: the client may have waited for them.
    let before = messages.messages.lazy.filter {
      $0.kind == .grpc && $0.direction == .response && $0.time < request.timing.end
    }
    PacedBody.add(Piece(end: count, due: due(request.timing.end), answers: before.count), to: &pieces)
    guard pieces.count > 1 || pieces[0].due >= PacedBody.grain || pieces[0].answers > 0 else { return nil }
    pieces[pieces.count - 1].isLast = true
    self.pieces = pieces
  }

  private static func add(_ piece: Piece, to pieces: inout [Piece]) {
    if let last = pieces.last, last.answers == piece.answers, piece.due - last.due < grain {
      pieces[pieces.count - 1].end = piece.end
    } else {
      pieces.append(piece)
    }
  }

  var isOver: Bool { next == pieces.count }

  /// The bytes that may go, `elapsed` after the head and with so many answers there.
  /// - Returns: their range in the body, and whether the body ends with them; nil where nothing may go.
  mutating func take(elapsed: Int64, answers: Int) -> (range: Range<Int>, isLast: Bool)? {
    let first = next
    while next < pieces.count, pieces[next].due <= elapsed,
      pieces[next].answers <= answers || pieces[next].due + PacedBody.patience <= elapsed
    {
      next += 1
    }
    guard next > first else { return nil }
    defer { sent = pieces[next - 1].end }
    return (sent..<pieces[next - 1].end, pieces[next - 1].isLast)
  }

  /// When to ask again, if no answer comes before; nil where all was taken.
  func nextTime(elapsed: Int64) -> Int64? {
    guard next < pieces.count else { return nil }
    let due = pieces[next].due
    return due > elapsed ? due : due + PacedBody.patience
  }
}

/// Counts whole gRPC messages in a body's bytes: a flag, a length of four bytes, so many bytes.
struct MessageCount {
  private(set) var count = 0
  private var prefix = 0
  private var length: UInt32 = 0
  private var remaining: UInt32 = 0

  init() {}

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var offset = 0
    while offset < bytes.count {
      if remaining > 0 {
        let step = min(Int(remaining), bytes.count - offset)
        offset += step
        remaining -= UInt32(step)
        if remaining == 0 { count += 1 }
        continue
      }
      if prefix > 0 { length = length << 8 | UInt32(bytes[offset]) }
      prefix += 1
      offset += 1
      guard prefix == 5 else { continue }
      remaining = length
      if length == 0 { count += 1 }
      (prefix, length) = (0, 0)
    }
  }
}
