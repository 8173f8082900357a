import Glibc
import HTTPModel
import NIOCore
import NIOPosix
import NIOSSL

/// Makes connections to one address of the target.
struct Dialer {
  let target: ReplayTarget
  let address: SocketAddress
  /// Nanoseconds, of the connection and its TLS handshake.
  let timeout: Int64
  let eventLoop: any EventLoop
  /// For `https`.
  var contexts: SecurityContexts?
  /// What each connection may read, and write, in a second; nil for any number of bytes.
  var bytesPerSecond: Int?

  /// Bytes that a throttled connection moves at once: those of a fiftieth of a second.
  static func throttledPiece(_ bytesPerSecond: Int) -> Int { min(65_536, max(1, bytesPerSecond / 50)) }

  /// Connects; `done` is called on the event loop, exactly once, with a connection that is ready for requests.
  ///
  /// Must be called on the event loop.
  func connect(
    _ route: Route, engine: ReplayEngine, lane: Lane,
    done: @escaping (Result<any TargetConnection, DialFailure>) -> Void
  ) {
    switch route {
    case .plainHTTP1: connectPlain(engine, lane, done)
    case .plainHTTP2, .plainTrial:
      let connection = HTTP2Connection(engine: engine, lane: lane)
      connection.isTrial = route == .plainTrial
      let completion = DialCompletion(done)
      connection.whenReady = { completion.end($0.map { .failure($0) } ?? .success(connection)) }
      let handler = NIOLoopBound(connection, eventLoop: eventLoop)
      open { channel in
        try handler.value.addHandlers(to: channel, bytesPerSecond: bytesPerSecond)
      } then: { result in
        switch result {
        case .failure(let failure): completion.end(.failure(failure))
        case .success(let channel): completion.limit(timeout, channel)
        }
      }
    case .secure(let offer):
      let completion = DialCompletion(done)
      let agreed = NIOLoopBound(
        { (channel: any Channel, name: String?) throws in
          let connection = try connection(agreed: name, offer, engine: engine, lane: lane, on: channel)
          completion.end(.success(connection))
        }, eventLoop: eventLoop)
      secure(offer, agreed: { try agreed.value($0, $1) }, completion.fail) { completion.limit(timeout, $0) }
    }
  }

  /// The way that most requests go, without a step more than it needs.
  private func connectPlain(
    _ engine: ReplayEngine, _ lane: Lane, _ done: @escaping (Result<any TargetConnection, DialFailure>) -> Void
  ) {
    let connection = HTTP1Connection(engine: engine, lane: lane, bytesPerSecond: bytesPerSecond, isPlain: true)
    let handler = NIOLoopBound(connection, eventLoop: eventLoop)
    open { channel in
      try channel.pipeline.syncOperations.addHandler(handler.value)
    } then: { result in
      done(result.map { _ in connection })
    }
  }

  /// Makes a connection of what TLS has agreed on.
  private func connection(
    agreed name: String?, _ offer: OfferedProtocols, engine: ReplayEngine, lane: Lane, on channel: any Channel
  ) throws -> any TargetConnection {
    if name == "h2" {
      let connection = HTTP2Connection(engine: engine, lane: lane)
      try connection.addHandlers(to: channel, bytesPerSecond: nil)
      return connection
    }
    guard offer != .http2 else { throw Dialer.noHTTP2 }
    let connection = HTTP1Connection(engine: engine, lane: lane, bytesPerSecond: nil, isPlain: false)
    try channel.pipeline.syncOperations.addHandler(connection)
    return connection
  }

  static let noHTTP2 = DialFailure(
    .protocolNotAgreed, "it does not agree to HTTP/2 in TLS: leave --protocol h2 out, or switch HTTP/2 on there")

  /// Opens a connection with TLS.
  /// - Parameters:
  ///   - agreed: called once TLS is agreed, with the application protocol; handlers it adds see all that follows.
  ///   - opened: called once there is a connection, which is before or after TLS is agreed.
  func secure(
    _ offer: OfferedProtocols, agreed: @escaping @Sendable (any Channel, String?) throws -> Void,
    _ failed: @escaping (DialFailure) -> Void, opened: @escaping (any Channel) -> Void
  ) {
    let end = NIOLoopBound(failed, eventLoop: eventLoop)
    // SNI and the check of names take names alone (RFC 6066, 3); an address is checked as one.
    let name = IPAddress(target.host) == nil ? target.host : nil
    guard let context = contexts?[offer] else {
      failed(DialFailure(.connectFailed, "there is nothing to make TLS of"))
      return
    }
    open { channel in
      let pipeline = channel.pipeline.syncOperations
      if let bytesPerSecond { try pipeline.addHandler(ThrottleHandler(bytesPerSecond)) }
      try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: name))
      try pipeline.addHandler(HandshakeHandler(agreed: agreed) { end.value($0) })
    } then: { result in
      switch result {
      case .success(let channel): opened(channel)
      case .failure(let failure): failed(failure)
      }
    }
  }

  /// Opens a connection without a word on it.
  func open(
    with initialize: @escaping @Sendable (any Channel) throws -> Void,
    then done: @escaping (Result<any Channel, DialFailure>) -> Void
  ) {
    var bootstrap = ClientBootstrap(group: eventLoop).connectTimeout(.nanoseconds(timeout))
    if let bytesPerSecond {
      bootstrap = bootstrap.channelOption(.autoRead, value: false).channelOption(.maxMessagesPerRead, value: 1)
        .channelOption(
          .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Dialer.throttledPiece(bytesPerSecond)))
    } else {
      // A large answer of a usual size comes in one piece rather than two.
      bootstrap = bootstrap.channelOption(
        .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 2048, maximum: 128 << 10))
    }
    bootstrap
      .channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try initialize(channel) } }
      .connect(to: address)
      .assumeIsolated()
      .whenComplete { result in
        switch result {
        case .success(let channel): done(.success(channel))
        case .failure(let error): done(.failure(DialFailure(error, isHandshake: true)))
        }
      }
  }
}

/// Tells once how dialling ended: in whichever way it ends first. Confined to the event loop.
final class DialCompletion {
  private var done: ((Result<any TargetConnection, DialFailure>) -> Void)?

  init(_ done: @escaping (Result<any TargetConnection, DialFailure>) -> Void) { self.done = done }

  var isOver: Bool { done == nil }

  func end(_ result: Result<any TargetConnection, DialFailure>) { done.take()?(result) }

  func fail(_ failure: DialFailure) { end(.failure(failure)) }

  /// Gives up when this time has passed.
  func limit(_ nanoseconds: Int64, _ channel: any Channel) {
    guard !isOver else { return }
    let completion = NIOLoopBound(self, eventLoop: channel.eventLoop)
    channel.eventLoop.scheduleTask(in: .nanoseconds(nanoseconds)) {
      guard !completion.value.isOver else { return }
      completion.value.fail(DialFailure(.connectTimeout, "no handshake within \(nanoseconds / 1_000_000) ms"))
      channel.close(promise: nil)
    }
  }
}
