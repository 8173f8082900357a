import Foundation
import HTTPModel
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
@testable import Telemetry
import Testing

/// A collector that keeps what it is sent.
private final class Collector: Sendable {
  struct Request: Sendable {
    var head: HTTPRequestHead
    var body: [UInt8]
  }

  private let received = Mutex<[Request]>([])
  private let channel: any Channel

  /// - Parameter status: what it answers; nil for nothing ever.
  init(status: HTTPResponseStatus?) throws {
    let handler = Mutex<(@Sendable (Request) -> Void)?>(nil)
    let box = Box(handler)
    channel = try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(Answerer(status: status) { box.take($0) })
        }
      }
      .bind(host: "127.0.0.1", port: 0).wait()
    box.handler.withLock { $0 = { [weak self] request in self?.received.withLock { $0.append(request) } } }
  }

  private final class Box: Sendable {
    let handler: Mutex<(@Sendable (Request) -> Void)?>
    init(_ handler: consuming Mutex<(@Sendable (Request) -> Void)?>) { self.handler = handler }
    func take(_ request: Request) { handler.withLock { $0 }?(request) }
  }

  private final class Answerer: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    private let status: HTTPResponseStatus?
    private let take: @Sendable (Request) -> Void
    private var request: Request?

    init(status: HTTPResponseStatus?, take: @escaping @Sendable (Request) -> Void) {
      self.status = status
      self.take = take
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head): request = Request(head: head, body: [])
      case .body(let part): request?.body += Array(part.readableBytesView)
      case .end:
        if let request { take(request) }
        guard let status else { return }
        var head = HTTPResponseHead(version: .http1_1, status: status)
        head.headers = ["content-length": "2", "content-type": "application/json"]
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "{}")))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
      }
    }
  }

  var requests: [Request] { received.withLock { $0 } }
  var endpoint: CollectorEndpoint { CollectorEndpoint("http://127.0.0.1:\(channel.localAddress!.port!)/otlp/")! }
  func stop() throws { try channel.close().wait() }
}

@Suite("Export of spans")
struct SpanExporterTests {
  private func span(_ ordinal: UInt32 = 1) throws -> AttemptSpan {
    let line = "GET /orders/7?token=x HTTP/1.1\r\n"
    var fields = HeaderFields(storage: Array(line.utf8))
    fields.append(name: "traceparent".utf8, value: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".utf8)
    fields.append(name: "tracestate".utf8, value: "a=\"1\"".utf8)
    let time = Timestamp(nanoseconds: 0)
    let request = HTTPRequest(
      version: .http11, methodRange: 0..<3, targetRange: 4..<22, fields: fields, body: HTTPBody(),
      timing: MessageTiming(start: time, headEnd: time, end: time))
    let attempt = Attempt(
      exchange: ExchangeID(connection: 1, ordinal: ordinal),
      scheduled: Timestamp(nanoseconds: 1_700_000_000_000_000_000),
      sent: Timestamp(nanoseconds: 1_700_000_000_000_000_500), firstByte: nil,
      end: Timestamp(nanoseconds: 1_700_000_000_000_900_000), outcome: .timeout, response: nil)
    return try #require(AttemptTracing(.child, seed: 1, targets: ["http://shadow:80"]).span(of: attempt, request))
  }

  @Test("A collector gets what the protocol asks for")
  func protocolOfTheCollector() throws {
    let collector = try Collector(status: .ok)
    let exporter = SpanExporter(collector.endpoint, version: "1.2")
    for ordinal: UInt32 in 1...3 { exporter.add(try span(ordinal)) }
    exporter.stop()
    #expect(exporter.counts == SpanExporter.Counts(exported: 3, dropped: 0, failed: 0))
    let request = try #require(collector.requests.first)
    #expect(request.head.method == .POST && request.head.uri == "/otlp/v1/traces")
    #expect(request.head.headers["content-type"] == ["application/json"])
    let document = try #require(JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any])
    let resource = try #require((document["resourceSpans"] as? [[String: Any]])?.first)
    #expect("\(try #require(resource["resource"]))".contains("service.name"))
    let scope = try #require((resource["scopeSpans"] as? [[String: Any]])?.first)
    let spans = try #require(scope["spans"] as? [[String: Any]])
    let first = try #require(spans.first)
    #expect(first["traceId"] as? String == "4bf92f3577b34da6a3ce929d0e0e4736")
    #expect(first["parentSpanId"] as? String == "00f067aa0ba902b7")
    #expect((first["spanId"] as? String)?.count == 16)
    #expect(first["traceState"] as? String == "a=\"1\"")
    #expect(first["kind"] as? Int == 3 && first["name"] as? String == "GET")
    #expect(first["startTimeUnixNano"] as? String == "1700000000000000500")
    #expect(first["endTimeUnixNano"] as? String == "1700000000000900000")
    #expect((first["status"] as? [String: Any])?["code"] as? Int == 2)
    #expect(!String(decoding: request.body, as: UTF8.self).contains("token=x"))
    #expect(Set(spans.compactMap { $0["spanId"] as? String }).count == spans.count)
    try collector.stop()
  }

  @Test("A collector that is away or refuses costs spans and nothing else")
  func failures() throws {
    let collector = try Collector(status: .serviceUnavailable)
    let refused = SpanExporter(collector.endpoint, version: "1")
    refused.add(try span())
    refused.stop()
    #expect(refused.counts == SpanExporter.Counts(exported: 0, dropped: 0, failed: 1))
    let endpoint = collector.endpoint
    try collector.stop()
    let away = SpanExporter(endpoint, version: "1")
    away.add(try span())
    away.stop()
    #expect(away.counts == SpanExporter.Counts(exported: 0, dropped: 0, failed: 1))
  }

  @Test("Behind a collector that hangs the queue is bounded, and the end comes")
  func hanging() throws {
    let collector = try Collector(status: nil)
    let exporter = SpanExporter(collector.endpoint, version: "1")
    let span = try span()
    for _ in 0..<(2 * SpanExporter.queueLimit) { exporter.add(span) }
    #expect(exporter.counts.dropped >= UInt64(SpanExporter.queueLimit - SpanExporter.batch))
    exporter.stop(seconds: 1)
    #expect(exporter.counts.exported == 0)
    try collector.stop()
  }

  @Test(
    "Endpoints",
    arguments: [
      ("http://localhost", "http://localhost:4318/v1/traces"), ("http://c:80/", "http://c:80/v1/traces"),
      ("http://[::1]/x", "http://[::1]:4318/x/v1/traces"), ("http://c:1/v1/traces", "http://c:1/v1/traces"),
      ("https://c", nil), ("c:4318", nil), ("http://", nil), ("http://c:0", nil), ("http://c/a b", nil),
    ])
  func endpoints(text: String, expected: String?) { #expect(CollectorEndpoint(text)?.description == expected) }
}
