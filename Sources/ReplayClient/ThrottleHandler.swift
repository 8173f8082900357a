import NIOCore

/// Lets so many bytes a second through, each way: below TLS and HTTP/2, which know nothing of it.
///
/// In and out: the channel's bytes, in pieces of a fiftieth of a second. Owner: its channel, which must read only when it
/// is asked to. What waits to be written is bounded by what the requests in flight hold.
final class ThrottleHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let rate: Int
  private var unsent = CircularBuffer<(ByteBuffer, EventLoopPromise<Void>?)>()
  private var isWriting = false
  private var isReading = false

  init(_ bytesPerSecond: Int) { rate = bytesPerSecond }

  /// The channel reads by itself only when asked, so this asks.
  func channelActive(context: ChannelHandlerContext) {
    context.fireChannelActive()
    context.read()
  }

  /// Reads are this handler's matter.
  func read(context: ChannelHandlerContext) {}

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let count = unwrapInboundIn(data).readableBytes
    context.fireChannelRead(data)
    guard !isReading else { return }
    isReading = true
    after(count, context) { handler, context in
      handler.isReading = false
      context.read()
    }
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    unsent.append((unwrapOutboundIn(data), promise))
  }

  func flush(context: ChannelHandlerContext) { if !isWriting { writePiece(context) } }

  private func writePiece(_ context: ChannelHandlerContext) {
    guard let (buffer, promise) = unsent.first else {
      isWriting = false
      return
    }
    isWriting = true
    var rest = buffer
    let piece = rest.readSlice(length: min(rest.readableBytes, Dialer.throttledPiece(rate))) ?? ByteBuffer()
    unsent.removeFirst()
    if rest.readableBytes > 0 { unsent.prepend((rest, promise)) }
    context.writeAndFlush(wrapOutboundOut(piece), promise: rest.readableBytes > 0 ? nil : promise)
    after(piece.readableBytes, context) { $0.writePiece($1) }
  }

  /// Goes on when so many bytes have had their time.
  private func after(
    _ bytes: Int, _ context: ChannelHandlerContext,
    _ body: @escaping @Sendable (ThrottleHandler, ChannelHandlerContext) -> Void
  ) {
    let held = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    context.eventLoop.scheduleTask(in: .nanoseconds(Int64(clamping: bytes &* 1_000_000_000 / rate))) {
      let (handler, context) = held.value
      if context.channel.isActive { body(handler, context) }
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    for (_, promise) in unsent { promise?.fail(ChannelError.ioOnClosedChannel) }
    unsent.removeAll()
    context.fireChannelInactive()
  }
}
