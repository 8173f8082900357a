import HTTPModel
import NIOCore
import NIOSSL
import NIOTLS

/// Waits in a channel for TLS to be agreed, and then only passes on.
///
/// In: TLS's events and errors. Out: one call of `agreed` or `failed`. Owner: its channel.
final class HandshakeHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let agreed: (any Channel, String?) throws -> Void
  private var failed: ((DialFailure) -> Void)?

  init(
    agreed: @escaping (any Channel, String?) throws -> Void, failed: @escaping (DialFailure) -> Void
  ) {
    self.agreed = agreed
    self.failed = failed
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard failed != nil, case .handshakeCompleted(let name)? = event as? TLSUserEvent else {
      context.fireUserInboundEventTriggered(event)
      return
    }
    do {
      try agreed(context.channel, name)
      failed = nil
    } catch {
      fail(DialFailure(error, isHandshake: true))
      context.close(promise: nil)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard failed != nil else {
      context.fireErrorCaught(error)
      return
    }
    fail(DialFailure(error, isHandshake: true))
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail(DialFailure(.tlsHandshakeFailed, "it closed in the middle of the TLS handshake: does it speak TLS here?"))
    context.fireChannelInactive()
  }

  private func fail(_ failure: DialFailure) { failed.take()?(failure) }
}
