// One connection of the demo's shopper: bursts of requests out at their times, answers in, each one checked.
// Owner: the task that runs it. Bounds: its patience; an answer is held whole.

import ContentCoding
import HTTPModel
import NIOCore
import NIOHTTP1
import NIOPosix

/// Carries out a ``ShopperVisit``.
struct ShopperConnection: Sendable {
  let planned: ShopperVisit
  let responder: ShopResponder
  let port: Int
  /// How long a burst's answers may take.
  let patience: TimeAmount

  private typealias Wire = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

  /// - Parameter start: what the bursts' times count from.
  /// - Throws: `CancellationError`; what goes wrong on the connection is in the tally.
  func run(start: ContinuousClock.Instant) async throws -> ShopperTally {
    guard let first = planned.bursts.first else { return ShopperTally() }
    try await Task.sleep(until: start + first.at)
    var tally = ShopperTally()
    do {
      let wire = try await connect()
      tally = try await wire.executeThenClose { inbound, outbound in
        try await converse(inbound, outbound, channel: wire.channel, start: start)
      }
    } catch let error as CancellationError {
      throw error
    } catch {
      tally.complain(about: first.requests[0].request, "\(error)")
    }
    return tally
  }

  private func connect() async throws -> Wire {
    try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandlers([
            HTTPRequestEncoder(),
            ByteToMessageHandler(
              HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .forward)),
          ])
          return try Wire(wrappingChannelSynchronously: channel)
        }
      }
  }

  private func converse(
    _ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>,
    _ outbound: NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>, channel: any Channel,
    start: ContinuousClock.Instant
  ) async throws -> ShopperTally {
    var tally = ShopperTally()
    tally.connections = 1
    var answers = inbound.makeAsyncIterator()
    for burst in planned.bursts {
      try await Task.sleep(until: start + burst.at)
      let limit = channel.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
      defer { limit.cancel() }
      tally.requests += burst.requests.count
      do {
        try await send(burst, outbound, &answers)
        for planned in burst.requests {
          guard let answer = try await answer(&answers) else {
            tally.complain(about: planned.request, "the connection closed before the answer was whole")
            return tally
          }
          tally.answered += 1
          tally.statuses[answer.status, default: 0] += 1
          tally.bodyBytes += answer.body.count
          if let complaint = complaint(about: answer, to: planned.request) {
            tally.complain(about: planned.request, complaint)
          }
        }
      } catch let error as CancellationError {
        throw error
      } catch {
        tally.complain(about: burst.requests[0].request, "\(error)")
        return tally
      }
    }
    return tally
  }

  /// Requests that need no answer in between leave in one write, as pipelining clients do it; a chunk is a write.
  private func send(
    _ burst: ShopperBurst, _ outbound: NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>,
    _ answers: inout NIOAsyncChannelInboundStream<HTTPClientResponsePart>.AsyncIterator
  ) async throws {
    var gathered: [HTTPClientRequestPart] = []
    for planned in burst.requests {
      gathered.append(.head(head(of: planned)))
      if planned.chunkSizes.isEmpty {
        if !planned.request.body.isEmpty {
          gathered.append(.body(.byteBuffer(ByteBuffer(bytes: planned.request.body))))
        }
        gathered.append(.end(nil))
        continue
      }
      try await outbound.write(contentsOf: gathered)
      gathered = []
      // The next thing to come is 100: the server sends nothing else before the body.
      if planned.expectsContinue { _ = try await answers.next() }
      var rest = planned.request.body[...]
      for size in planned.chunkSizes {
        try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: rest.prefix(size)))))
        rest = rest.dropFirst(size)
      }
      gathered = [.end(nil)]
    }
    try await outbound.write(contentsOf: gathered)
  }

  private func head(of planned: ShopperRequest) -> HTTPRequestHead {
    let request = planned.request
    var headers = HTTPHeaders(request.fields.map { ($0.name, $0.value) })
    if !planned.chunkSizes.isEmpty {
      headers.add(name: "Transfer-Encoding", value: "chunked")
    } else if !request.body.isEmpty {
      headers.add(name: "Content-Length", value: String(request.body.count))
    }
    return HTTPRequestHead(
      version: self.planned.kind == .http10 ? .http1_0 : .http1_1, method: HTTPMethod(rawValue: request.method),
      uri: request.target, headers: headers)
  }

  private struct Answer {
    var status: Int
    var headers: HTTPHeaders
    var body: [UInt8]
  }

  /// The next final response; nil where the connection ended before its end.
  private func answer(
    _ parts: inout NIOAsyncChannelInboundStream<HTTPClientResponsePart>.AsyncIterator
  ) async throws -> Answer? {
    var answer: Answer?
    while let part = try await parts.next() {
      switch part {
      case .head(let head) where head.status.code >= 200:
        answer = Answer(status: Int(head.status.code), headers: head.headers, body: [])
      case .head: break
      case .body(let buffer): answer?.body.append(contentsOf: buffer.readableBytesView)
      case .end: if let answer { return answer }
      }
    }
    return nil
  }

  /// What is wrong with an answer, by what the primary says; nil where nothing is.
  private func complaint(about answer: Answer, to request: ShopRequest) -> String? {
    var plain = request
    plain.fields.removeAll { $0.name == "Accept-Encoding" }
    let expected = responder.respond(
      to: plain, .primary, ShopNoise(now: Timestamp(nanoseconds: 0), requestID: 0))
    if answer.status != expected.status { return "status \(answer.status), not \(expected.status)" }
    let codings = answer.headers["content-encoding"]
    if answer.headers.first(name: "content-type") != expected.value("content-type") { return "another content type" }
    guard let content = try? ContentCoding.decode(answer.body, codings: codings, limit: 1 << 20) else {
      return "content that cannot be decoded"
    }
    let wanted = request.method == "HEAD" ? [] : expected.bytes
    return withoutTime(content) == withoutTime(wanted) ? nil : "other content"
  }

  /// Content without the moment in which it was made.
  private func withoutTime(_ content: [UInt8]) -> [UInt8] {
    let mark = Array("\"generated_at\":\"".utf8)
    guard content.count > mark.count,
      let start = (0...content.count - mark.count).last(where: { content[$0...].starts(with: mark) })
    else { return content }
    let time = content[(start + mark.count)...].prefix { $0 != 0x22 }
    return Array(content[..<time.startIndex] + content[time.endIndex...])
  }
}
