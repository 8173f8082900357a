// One of the demo's two servers: HTTP/1.1 over loopback, answering with ShopResponder.
//
// In: connections on 127.0.0.1. Out: answers that a seed determines, but for the noise that every real service has.
// Owner: the demo command, which starts and stops it. Bounds: a request's body is read up to ShopRequest.bodyLimit;
// one request of a connection is answered at a time.

import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A small shop's API, served until ``stop()``.
final class DemoShop: Sendable {
  let variant: ShopVariant
  /// The port on 127.0.0.1.
  let port: Int

  private let listener: any Channel
  private let connections: OpenConnections

  /// Starts serving.
  /// - Parameters:
  ///   - seed: of the catalogue; two shops with the same seed sell the same.
  ///   - port: 0 lets the kernel choose.
  /// - Throws: `IOError` where the port cannot be bound.
  init(variant: ShopVariant, seed: UInt64, port: Int = 0) async throws {
    let responder = ShopResponder(seed: seed)
    let connections = OpenConnections()
    let identifiers = RequestIdentifiers()
    self.listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .serverChannelOption(.backlog, value: 128)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          connections.add(channel)
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(
            ShopConnection(responder: responder, variant: variant, identifiers: identifiers))
        }
      }
      .bind(host: "127.0.0.1", port: port).get()
    self.variant = variant
    self.connections = connections
    self.port = listener.localAddress?.port ?? 0
  }

  /// Closes the listener and every connection; returns when they are closed. Answers under way are lost.
  func stop() async {
    try? await listener.close()
    await connections.closeAll()
  }
}

/// The connections that a shop has open.
private final class OpenConnections: Sendable {
  private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

  func add(_ channel: any Channel) {
    let key = ObjectIdentifier(channel)
    channels.withLock { $0[key] = channel }
    channel.closeFuture.whenComplete { _ in self.channels.withLock { $0[key] = nil } }
  }

  func closeAll() async {
    let open = channels.withLock { Array($0.values) }
    for channel in open { channel.close(promise: nil) }
    for channel in open { try? await channel.closeFuture.get() }
  }
}
