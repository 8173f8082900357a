// Spans to a collector over OTLP/HTTP, in the background.
//
// In: spans from any thread. Out: POST requests, one at a time. Owner: one event loop on a thread of its own. Bounds:
// `queueLimit` spans wait; the newest are dropped and counted when the collector is slow or away. Who adds never waits.

import HTTPModel
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Where a collector is: `http://HOST[:PORT][/PATH]`; the default port is 4318, `/v1/traces` is added to the path.
public struct CollectorEndpoint: Hashable, Sendable, CustomStringConvertible {
  public var host: String
  public var port: UInt16
  public var path: String

  public init?(_ text: String) {
    let scheme = "http://"
    guard text.lowercased().hasPrefix(scheme) else { return nil }
    let rest = text.dropFirst(scheme.count)
    let authority = rest.prefix { $0 != "/" }
    var path = String(rest.dropFirst(authority.count))
    while path.hasSuffix("/") { path.removeLast() }
    let withPort = authority.contains(":") && !authority.hasSuffix("]") ? String(authority) : "\(authority):4318"
    guard !authority.isEmpty, !authority.hasPrefix(":"), let address = ListenAddress(withPort), address.port > 0,
      path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
    else { return nil }
    (host, port) = (address.host, address.port)
    self.path = path.hasSuffix("/v1/traces") ? path : path + "/v1/traces"
  }

  var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
  public var description: String { "http://\(authority)\(path)" }
}

public final class SpanExporter: Sendable {
  public struct Counts: Hashable, Sendable {
    public var exported: UInt64 = 0
    /// The queue was full.
    public var dropped: UInt64 = 0
    /// The collector refused them or could not be reached.
    public var failed: UInt64 = 0
  }

  private struct State {
    var spans: [AttemptSpan] = []
    var counts = Counts()
    var isSending = false
    var ended = false
  }

  static let queueLimit = 4096
  static let batch = 512
  private let endpoint: CollectorEndpoint
  private let version: String
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  private let state = Mutex(State())

  public init(_ endpoint: CollectorEndpoint, version: String) {
    self.endpoint = endpoint
    self.version = version
    let interval = TimeAmount.milliseconds(500)
    group.next().scheduleRepeatedTask(initialDelay: interval, delay: interval) { [weak self] task in
      guard let self else { return task.cancel() }
      self.sendNext()
    }
  }

  public var counts: Counts { state.withLock { $0.counts } }

  /// Takes a span to be sent soon, or drops it.
  public func add(_ span: AttemptSpan) {
    state.withLock { state in
      if state.spans.count < SpanExporter.queueLimit, !state.ended {
        state.spans.append(span)
      } else {
        state.counts.dropped += 1
      }
    }
  }

  /// Sends what waits, for as long as `seconds`, and ends.
  public func stop(seconds: Int64 = 5) {
    state.withLock { $0.ended = true }
    let deadline = NIODeadline.now() + .seconds(seconds)
    while NIODeadline.now() < deadline, state.withLock({ !$0.spans.isEmpty || $0.isSending }) {
      let sent = group.next().flatSubmit { [self] in sendNext() ?? group.next().makeSucceededVoidFuture() }
      let limit = group.next().scheduleTask(deadline: deadline) {}
      sent.whenComplete { _ in limit.cancel() }
      _ = try? limit.futureResult.wait()
    }
    state.withLock { state in
      state.counts.dropped += UInt64(state.spans.count)
      state.spans = []
    }
    // It fails only where it was shut down before.
    try? group.syncShutdownGracefully()
  }

  /// Sends a batch, unless one is on its way or none waits.
  @discardableResult
  private func sendNext() -> EventLoopFuture<Void>? {
    let spans = state.withLock { state -> [AttemptSpan] in
      guard !state.isSending, !state.spans.isEmpty else { return [] }
      let spans = Array(state.spans.prefix(SpanExporter.batch))
      state.spans.removeFirst(spans.count)
      state.isSending = true
      return spans
    }
    guard !spans.isEmpty else { return nil }
    return post(AttemptSpan.request(spans, version: version)).always { [self] result in
      let isTaken = if case .success(let status) = result { (200...299).contains(status) } else { false }
      state.withLock { state in
        state.isSending = false
        if isTaken { state.counts.exported += UInt64(spans.count) } else { state.counts.failed += UInt64(spans.count) }
      }
    }.map { _ in }.flatMapErrorThrowing { _ in }
  }

  /// - Returns: the answer's status.
  private func post(_ body: [UInt8]) -> EventLoopFuture<Int> {
    let loop = group.next()
    let answered = loop.makePromise(of: Int.self)
    var head = HTTPRequestHead(version: .http1_1, method: .POST, uri: endpoint.path)
    head.headers = [
      "host": endpoint.authority, "content-type": "application/json", "content-length": "\(body.count)",
      "connection": "close", "user-agent": "umbra/\(version)",
    ]
    let request = head
    ClientBootstrap(group: loop).connectTimeout(.seconds(3))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHTTPClientHandlers()
          try channel.pipeline.syncOperations.addHandlers([
            IdleStateHandler(allTimeout: .seconds(10)), AnswerHandler(answered),
          ])
        }
      }
      .connect(host: endpoint.host, port: Int(endpoint.port))
      .whenComplete { result in
        switch result {
        case .success(let channel):
          channel.write(HTTPClientRequestPart.head(request), promise: nil)
          channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
          channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        case .failure(let error): answered.fail(error)
        }
      }
    return answered.futureResult
  }
}

/// Waits for one answer.
private final class AnswerHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart

  private struct ClosedEarly: Error {}
  private let answered: EventLoopPromise<Int>
  private var status: Int?
  private var isDone = false

  init(_ answered: EventLoopPromise<Int>) { self.answered = answered }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): status = Int(head.status.code)
    case .body: break
    case .end:
      finish()
      context.close(promise: nil)
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
  }

  func channelInactive(context: ChannelHandlerContext) { finish() }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func finish() {
    guard !isDone else { return }
    isDone = true
    if let status { answered.succeed(status) } else { answered.fail(ClosedEarly()) }
  }
}
