import NIOCore

/// Stands between the bytes of a connection and HTTP/2: counts them, and looks at the first ones, since HTTP/2 cannot say
/// what it was that was no HTTP/2.
///
/// In and out: the same bytes. Owner: its channel.
final class HTTP2Wire: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = IOData
  typealias OutboundOut = IOData

  private let engine: ReplayEngine
  /// Bytes that came so far and tell nothing yet; nil once they did.
  private var first: ByteBuffer? = ByteBuffer()

  init(engine: ReplayEngine) { self.engine = engine }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if first == nil {
      engine.didReceive(bytes: unwrapInboundIn(data).readableBytes)
      context.fireChannelRead(data)
      return
    }
    var bytes = unwrapInboundIn(data)
    engine.didReceive(bytes: bytes.readableBytes)
    first!.writeBuffer(&bytes)
    let kind = FirstBytes(first!.readableBytesView)
    if let failure = kind.failure {
      context.fireErrorCaught(failure)
      context.close(promise: nil)
    } else if case .settings = kind, let all = first.take() {
      context.fireChannelRead(wrapInboundOut(all))
    }
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    engine.didWrite(bytes: unwrapOutboundIn(data).readableBytes)
    context.write(data, promise: promise)
  }
}
