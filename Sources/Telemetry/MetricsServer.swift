// The server that scrapers and probes ask: /metrics, /healthz, /readyz over HTTP/1.1.
//
// In: a registry. Out: answers. Owner: one event loop on a thread of its own. Bounds: `connectionLimit` connections, each
// closed after `idleSeconds` without a request; bodies of requests are passed over.

import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Why there is no server.
public struct MetricsServerError: Error, CustomStringConvertible {
  public let address: ListenAddress
  public let reason: String

  public var description: String {
    "can't serve metrics on \(address): \(reason). Choose another address or port (--metrics)."
  }
}

public final class MetricsServer: Sendable {
  private let group: MultiThreadedEventLoopGroup
  private let channel: any Channel
  /// Where it listens, the port as it was given by the system.
  public let address: ListenAddress

  static let connectionLimit = 64
  static let idleSeconds: Int64 = 90

  /// Listens from now on.
  public init(_ address: ListenAddress, registry: MetricsRegistry) throws(MetricsServerError) {
    _ = MetricFamily.startTime
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let places = OpenPlaces()
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 64)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        guard places.take() else { return channel.close() }
        channel.closeFuture.whenComplete { _ in places.giveBack() }
        return channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
          try channel.pipeline.syncOperations.addHandlers([
            IdleStateHandler(readTimeout: .seconds(MetricsServer.idleSeconds)), MetricsHandler(registry),
          ])
        }
      }
    do {
      channel = try bootstrap.bind(host: address.host, port: Int(address.port)).wait()
    } catch {
      try? group.syncShutdownGracefully()
      throw MetricsServerError(address: address, reason: MetricsServer.reason(error))
    }
    self.group = group
    self.address = ListenAddress(
      host: address.host, port: UInt16(channel.localAddress?.port ?? Int(address.port)))
  }

  /// Closes all connections; nothing is served any more.
  public func stop() {
    try? channel.close().wait()
    // It fails only where it was shut down before.
    try? group.syncShutdownGracefully()
  }

  private static func reason(_ error: any Error) -> String {
    guard let error = error as? IOError else { return "the name is not known (\(error))" }
    switch error.errnoCode {
    case EADDRINUSE: return "the address is in use"
    case EACCES: return "that takes more rights, a port below 1024 does"
    case EADDRNOTAVAIL: return "no interface of this host has the address"
    default: return String(cString: strerror(error.errnoCode))
    }
  }
}

/// How many connections are open.
private final class OpenPlaces: Sendable {
  private let open = Atomic<Int>(0)

  func take() -> Bool {
    if open.add(1, ordering: .relaxed).newValue <= MetricsServer.connectionLimit { return true }
    giveBack()
    return false
  }

  func giveBack() { open.subtract(1, ordering: .relaxed) }
}

/// Answers one connection's requests.
private final class MetricsHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let registry: MetricsRegistry
  private var head: HTTPRequestHead?

  init(_ registry: MetricsRegistry) { self.registry = registry }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): self.head = head
    case .body: break
    case .end:
      guard let head = head.take() else { return }
      answer(head, context)
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
    var status = HTTPResponseStatus.ok
    var type = "text/plain; charset=utf-8"
    var body: [UInt8]
    var allow: String?
    let path = request.uri.prefix { $0 != "?" }
    switch path {
    case _ where request.method != .GET && request.method != .HEAD:
      (status, allow, body) = (.methodNotAllowed, "GET, HEAD", Array("only GET and HEAD\n".utf8))
    case "/metrics":
      let format = ExpositionFormat(accept: request.headers[canonicalForm: "accept"].joined(separator: ","))
      type = format.contentType
      body = Exposition.text(registry.collect(), format)
    case "/healthz": body = Array("ok\n".utf8)
    case "/readyz":
      let isReady = registry.isReady
      if !isReady { status = .serviceUnavailable }
      body = Array((isReady ? "ready\n" : "not ready\n").utf8)
    default: (status, body) = (.notFound, Array("not found: /metrics, /healthz and /readyz are here\n".utf8))
    }
    var head = HTTPResponseHead(version: request.version, status: status)
    head.headers.add(name: "content-type", value: type)
    head.headers.add(name: "content-length", value: "\(body.count)")
    head.headers.add(name: "cache-control", value: "no-store")
    if let allow { head.headers.add(name: "allow", value: allow) }
    if !request.isKeepAlive { head.headers.add(name: "connection", value: "close") }
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if request.method != .HEAD {
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
    }
    let written = context.writeAndFlush(wrapOutboundOut(.end(nil)))
    if !request.isKeepAlive {
      let context = NIOLoopBound(context, eventLoop: context.eventLoop)
      written.whenComplete { _ in context.value.close(promise: nil) }
    }
  }
}
