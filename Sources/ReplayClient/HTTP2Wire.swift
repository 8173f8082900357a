import NIOCore

/// Stands between the bytes of a connection and HTTP/2: counts them, joins small frames to one write, and looks at the first
/// bytes that come, since HTTP/2 cannot say what it was that was no HTTP/2.
///
/// In and out: the same bytes. Owner: its channel. Bounds: it holds back ``gatherLimit`` bytes until they are flushed.
final class HTTP2Wire: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = IOData
  typealias OutboundOut = IOData

  private let connection: HTTP2Connection
  private var engine: ReplayEngine { connection.engine }
  /// Bytes that came so far and tell nothing yet; nil once they did.
  private var first: ByteBuffer? = ByteBuffer()
  /// Frames that wait for the flush.
  private var gathered = ByteBuffer()

  private static let gatherLimit = 16_384

  init(of connection: HTTP2Connection) { self.connection = connection }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let engine = engine
    engine.isReading = true
    connection.readTime = engine.clock.now
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
    let data = unwrapOutboundIn(data)
    engine.didWrite(bytes: data.readableBytes)
    guard promise == nil, case .byteBuffer(let bytes) = data,
      gathered.readableBytes + bytes.readableBytes <= HTTP2Wire.gatherLimit
    else {
      writeGathered(context)
      context.write(wrapOutboundOut(data), promise: promise)
      return
    }
    // What was handed on is sent by now and its memory free again, unless the system took less.
    if gathered.readableBytes == 0 { gathered.clear() }
    gathered.writeImmutableBuffer(bytes)
  }

  func flush(context: ChannelHandlerContext) {
    writeGathered(context)
    context.flush()
  }

  private func writeGathered(_ context: ChannelHandlerContext) {
    guard gathered.readableBytes > 0 else { return }
    context.write(wrapOutboundOut(.byteBuffer(gathered)), promise: nil)
    gathered.moveReaderIndex(to: gathered.writerIndex)
  }
}
