import HTTPModel
import ReplaySchedule
import Synchronization
import Testing

@testable import ReplayClient

/// Messages of gRPC calls at their times, and after the answers that they followed.
@Suite(.timeLimit(.minutes(1))) struct PacedBodyTests {
  /// A call with messages of one byte each, at these milliseconds after its start.
  private func call(requests: [Int64], responses: [Int64], end: Int64) -> Exchange {
    let body = requests.map { _ in "\0\0\0\0\u{1}x" }.joined()
    var exchange = multiplexed("/a.B/C", method: "POST", fields: [("content-type", "application/grpc")], body: body)
    let start = exchange.request!.timing.start
    func moment(_ milliseconds: Int64) -> Timestamp { start.advanced(byNanoseconds: milliseconds * 1_000_000) }
    exchange.request!.timing.end = moment(end)
    exchange.response!.timing.end = moment(end + 1)
    var messages: [(Int64, StreamMessage.Direction)] = requests.map { ($0, .request) }
    messages += responses.map { ($0, .response) }
    messages.sort { $0.0 < $1.0 }
    var offsets: [UInt64] = [0, 0]
    var recorded = StreamMessages(.grpc)
    for (time, direction) in messages {
      let side = Int(direction.rawValue)
      recorded.messages.append(
        StreamMessage(direction: direction, kind: .grpc, time: moment(time), offset: offsets[side] + 5, length: 1))
      offsets[side] += 6
    }
    exchange.details.messages = recorded
    return exchange
  }

  @Test func oneMessageGoesAtOnce() {
    #expect(PacedBody(call(requests: [0], responses: [5], end: 0), pacing: .realTime) == nil)
    #expect(PacedBody(multiplexed("/", body: "abc"), pacing: .realTime) == nil)
  }

  @Test func messagesHaveTheirTimesAndTheSpeedThatTheRunHas() throws {
    let exchange = call(requests: [0, 10, 20], responses: [], end: 20)
    var body = try #require(PacedBody(exchange, pacing: .recorded(speed: Ratio(2, 1))))
    #expect(body.pieces.map(\.due) == [0, 5_000_000, 10_000_000])
    #expect(body.take(elapsed: 0, answers: 0)?.range == 0..<6)
    #expect(body.take(elapsed: 4_000_000, answers: 0) == nil)
    #expect(body.nextTime(elapsed: 4_000_000) == 5_000_000)
    let rest = body.take(elapsed: 10_000_000, answers: 0)
    #expect(rest?.range == 6..<18 && rest?.isLast == true && body.isOver)
  }

  @Test func whatFollowedAnAnswerWaitsForItWithinALimit() throws {
    let exchange = call(requests: [0, 10], responses: [5, 15], end: 20)
    var body = try #require(PacedBody(exchange, pacing: .maximum))
    #expect(body.pieces.map(\.answers) == [0, 1, 2])
    #expect(body.take(elapsed: 0, answers: 0)?.range == 0..<6)
    #expect(body.take(elapsed: 1_000_000, answers: 0) == nil)
    #expect(body.take(elapsed: 2_000_000, answers: 1)?.range == 6..<12)
    let end = body.take(elapsed: PacedBody.patience, answers: 1)
    #expect(end?.range == 12..<12 && end?.isLast == true)
  }

  @Test func messagesAreCountedWhereverTheyAreCut() {
    let bytes: [UInt8] = [0, 0, 0, 0, 2, 1, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 9]
    for cut in 0...bytes.count {
      var count = MessageCount()
      Array(bytes[..<cut]).withUnsafeBytes { count.add($0) }
      Array(bytes[cut...]).withUnsafeBytes { count.add($0) }
      #expect(count.count == 3)
    }
  }

  @Test func aConversationKeepsItsTurns() throws {
    let turns = Mutex<[String]>([])
    let server = HostileServer { peer in
      guard peer.beginHTTP2() else { return }
      while let frame = peer.requestFrame() {
        turns.withLock { $0.append(frame.kind == .headers ? "head" : frame.endsStream ? "end" : "message") }
        if frame.kind == .headers {
          peer.send(.headers([(":status", "200"), ("content-type", "application/grpc")], stream: frame.stream))
        } else if frame.endsStream {
          peer.send(.headers([("grpc-status", "0")], stream: frame.stream, ends: true))
        } else {
          turns.withLock { $0.append("answer") }
          peer.send(Frame(.data, stream: frame.stream, [0, 0, 0, 0, 1, 7]))
        }
      }
    }
    let exchange = call(requests: [0, 10, 20], responses: [5, 15, 25], end: 30)
    let results = try replay([exchange], to: "h2c://127.0.0.1:\(server.port)").results
    let response = try #require(results[0].attempts[0].response)
    #expect(response.trailers.first("grpc-status").map { text($0) } == "0" && response.body.size == 18)
    let wanted = ["head", "message", "answer", "message", "answer", "message", "answer", "end"]
    #expect(turns.withLock { $0 } == wanted)
  }
}
