import Glibc
import HTTPModel
import NIOCore
import NIOPosix

/// Makes TCP connections to one address of the target.
struct Dialer {
  let address: SocketAddress
  /// Nanoseconds.
  let timeout: Int64
  let eventLoop: any EventLoop
  /// Bytes read at once from a throttled connection, which is read only when it asks for more; nil for others.
  var throttledRead: Int?

  /// Bytes that a throttled connection moves at once: those of a fiftieth of a second.
  static func throttledPiece(_ bytesPerSecond: Int) -> Int { min(65_536, max(1, bytesPerSecond / 50)) }

  /// Connects; `done` is called on the event loop, exactly once, with how it failed or nil.
  ///
  /// Must be called on the event loop.
  func connect(_ connection: TargetConnection, done: @escaping (AttemptOutcome?) -> Void) {
    let handler = NIOLoopBound(connection, eventLoop: eventLoop)
    var bootstrap = ClientBootstrap(group: eventLoop).connectTimeout(.nanoseconds(timeout))
    if let throttledRead {
      bootstrap = bootstrap.channelOption(.autoRead, value: false).channelOption(.maxMessagesPerRead, value: 1)
        .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: throttledRead))
    }
    bootstrap
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
      }
      .connect(to: address)
      .assumeIsolated()
      .whenComplete { result in
        switch result {
        case .success: done(nil)
        case .failure(let error): done(Dialer.outcome(of: error))
        }
      }
  }

  /// Connects and closes at once, to see whether anybody listens. Blocks; not on the event loop.
  /// - Returns: why it failed, nil where it did not.
  func probe() -> String? {
    do {
      let channel = try ClientBootstrap(group: eventLoop).connectTimeout(.nanoseconds(timeout))
        .connect(to: address).wait()
      channel.close(promise: nil)
      return nil
    } catch {
      switch Dialer.outcome(of: error) {
      case .connectionRefused: return "connection refused"
      case .connectTimeout: return "no answer within \(timeout / 1_000_000) ms"
      default: return (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
      }
    }
  }

  private static func outcome(of error: any Error) -> AttemptOutcome {
    if case .connectTimeout = error as? ChannelError { return .connectTimeout }
    guard let error = error as? IOError else { return .connectFailed }
    switch error.errnoCode {
    case ECONNREFUSED, ECONNRESET: return .connectionRefused
    case ETIMEDOUT: return .connectTimeout
    default: return .connectFailed
    }
  }
}
