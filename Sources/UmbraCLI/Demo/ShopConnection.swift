// A connection of the demo shop: HTTP/1.1 parts in, the responder's answers out.
// Owner: the connection's event loop. Bounds: one request at a time (NIO's pipeline handler holds the others back), its
// body up to ShopRequest.bodyLimit.

import Glibc
import HTTPModel
import NIOCore
import NIOHTTP1
import Synchronization

/// Numbers that look like those of a real service: no two alike, in no two runs the same.
final class RequestIdentifiers: Sendable {
  private let generator = Mutex(SystemRandomNumberGenerator())

  func next() -> UInt64 { generator.withLock { $0.next() } }
}

/// Collects a request, asks the responder, thinks as long as the answer says and writes it.
final class ShopConnection: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let responder: ShopResponder
  private let variant: ShopVariant
  private let identifiers: RequestIdentifiers
  private var head: HTTPRequestHead?
  private var body: [UInt8] = []
  private var bodyIsTooLarge = false

  init(responder: ShopResponder, variant: ShopVariant, identifiers: RequestIdentifiers) {
    self.responder = responder
    self.variant = variant
    self.identifiers = identifiers
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      body.removeAll()
      bodyIsTooLarge = false
      if head.version == .http1_1, head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }) {
        context.writeAndFlush(
          wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
      }
    case .body(let buffer):
      bodyIsTooLarge = bodyIsTooLarge || body.count + buffer.readableBytes > ShopRequest.bodyLimit
      if !bodyIsTooLarge { body.append(contentsOf: buffer.readableBytesView) }
    case .end:
      guard let head else { return }
      self.head = nil
      answer(head, context: context)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func answer(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
    let request = ShopRequest(
      head.method.rawValue, head.uri, fields: head.headers.map { ShopField($0.name, $0.value) }, body: body)
    let noise = ShopNoise(now: .wallClock(), requestID: identifiers.next())
    let response =
      bodyIsTooLarge ? ShopResponse.contentTooLarge(noise) : responder.respond(to: request, variant, noise)
    guard response.thinkingMilliseconds > 0 else { return write(response, to: head, context: context) }
    let pause = TimeAmount.milliseconds(Int64(response.thinkingMilliseconds))
    context.eventLoop.assumeIsolated().scheduleTask(in: pause) { [self] in
      if context.channel.isActive { write(response, to: head, context: context) }
    }
  }

  private func write(_ response: ShopResponse, to request: HTTPRequestHead, context: ChannelHandlerContext) {
    // To an HTTP/1.0 client nothing may be chunked (RFC 9112, 6.1): the encoder writes content of unknown length
    // under version 1.0 as it is, and closing ends it.
    let isHTTP10 = request.version == .http1_0
    var keepsAlive = request.isKeepAlive
    var head = HTTPResponseHead(
      version: isHTTP10 ? .http1_0 : .http1_1, status: HTTPResponseStatus(statusCode: response.status),
      headers: HTTPHeaders(response.fields.map { ($0.name, $0.value) }))
    var pieces: [[UInt8]] = []
    switch response.content {
    case .none: break
    case .whole(let bytes):
      head.headers.add(name: "Content-Length", value: String(bytes.count))
      pieces = [bytes]
    case .pieces(let content) where request.method == .HEAD:
      // The encoder would end chunked content that HEAD must not have.
      head.headers.add(name: "Content-Length", value: String(content.reduce(0) { $0 + $1.count }))
    case .pieces(let content):
      if isHTTP10 { keepsAlive = false } else { head.headers.add(name: "Transfer-Encoding", value: "chunked") }
      pieces = content
    }
    if isHTTP10 || !keepsAlive { head.headers.add(name: "Connection", value: keepsAlive ? "keep-alive" : "close") }
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if request.method != .HEAD {
      for piece in pieces where !piece.isEmpty {
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: piece)))), promise: nil)
      }
    }
    guard !keepsAlive else { return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
  }
}

extension Timestamp {
  /// The real-time clock now.
  fileprivate static func wallClock() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
  }
}
