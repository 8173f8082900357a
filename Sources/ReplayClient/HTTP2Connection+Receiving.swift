import HTTPModel
import NIOCore
import NIOHTTP2

// Frames that come: answers to their streams, what concerns the connection to it.

extension HTTP2Connection {
  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    let now = readTime
    switch frame.payload {
    case .headers(let payload):
      guard let stream = answered(frame.streamID, now) else { return }
      let progress = stream.take(payload.headers, endsStream: payload.endStream, at: engine.clock.timestamp(now))
      goOn(stream, progress, isWhole: payload.endStream, now)
    case .data(let payload):
      let stream = answered(frame.streamID, now)
      let count = payload.data.readableBytes + (payload.paddingBytes.map { $0 + 1 } ?? 0)
      acknowledge(count, of: payload.endStream ? nil : stream, context)
      guard let stream, case .byteBuffer(let bytes) = payload.data else { return }
      goOn(stream, stream.take(bytes, endsStream: payload.endStream), isWhole: payload.endStream, now)
    case .rstStream(let code): wasReset(frame.streamID, code, now: now)
    case .goAway(let last, let code, _): goAway(last, code, now: now)
    case .settings(.settings(let settings)):
      for setting in settings where setting.parameter == .maxConcurrentStreams { streamLimit = setting.value }
      whenReady.take()?(nil)
      beginWaiting(now: now)
    default: break
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    engine.isReading = false
    engine.flushAll()
    context.fireChannelReadComplete()
  }

  /// What HTTP/2 tells of streams and windows is no news: nothing is behind this handler.
  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {}

  /// The stream of a part of an answer; nil where it is over.
  private func answered(_ id: HTTP2StreamID, _ now: Int64) -> HTTP2Stream? {
    guard let stream = streams[id] else { return nil }
    if stream.request.firstByte == 0 {
      stream.request.firstByte = now
      if !stream.awaitsContinue { stream.deadline = stream.attemptDeadline }
    }
    return stream
  }

  private func goOn(_ stream: HTTP2Stream, _ progress: HTTP2Stream.Progress, isWhole: Bool, _ now: Int64) {
    switch progress {
    case .malformed: giveUp(stream, .malformedResponse, .protocolError, now: now)
    case .interim(let status): if status == 100 { sendWithheldBody(of: stream) }
    case .goesOn:
      if isWhole {
        finish(stream, .answered, now: now)
      } else if stream.paced != nil {
        moveOn(stream, now: now)
      }
    }
  }

  /// Lets the target send on. Windows are so large that this is rare.
  private func acknowledge(_ count: Int, of stream: HTTP2Stream?, _ context: ChannelHandlerContext) {
    unacknowledged += count
    if unacknowledged >= HTTP2Connection.window / 2 {
      write(.windowUpdate(windowSizeIncrement: unacknowledged), of: .rootStream, context)
      unacknowledged = 0
      flushSoon()
    }
    guard let stream else { return }
    stream.unacknowledged += count
    if stream.unacknowledged >= HTTP2Connection.window / 2 {
      write(.windowUpdate(windowSizeIncrement: stream.unacknowledged), of: stream.id, context)
      stream.unacknowledged = 0
      flushSoon()
    }
  }

  func sendWithheldBody(of stream: HTTP2Stream) {
    guard stream.awaitsContinue else { return }
    stream.awaitsContinue = false
    stream.deadline = answerDeadline(of: stream)
    writeBody(of: stream, 0..<stream.request.request.body.bytes.count, isLast: true)
    flushSoon()
  }

  func answerDeadline(of stream: HTTP2Stream) -> Int64 {
    guard stream.request.firstByte == 0, let limit = engine.options.firstByteTimeout else {
      return stream.attemptDeadline
    }
    return min(stream.attemptDeadline, stream.request.sent &+ limit)
  }

  private func wasReset(_ id: HTTP2StreamID, _ code: HTTP2ErrorCode, now: Int64) {
    guard let stream = streams[id] else { return }
    if code == .refusedStream {
      // Nothing was done with it (RFC 9113, 8.7).
      remove(stream, now: now)
      engine.wasNotProcessed(stream.request, now: now)
    } else {
      stream.isSent = true
      finish(stream, .streamReset, now: now)
    }
  }

  /// The target takes no more requests on this connection; those above `last` it has not looked at (RFC 9113, 6.8).
  private func goAway(_ last: HTTP2StreamID, _ code: HTTP2ErrorCode, now: Int64) {
    retire()
    let unseen = streams.removeAll(after: last)
    for stream in unseen { engine.wasNotProcessed(stream.request, now: now) }
    if code != .noError { failure = .connectionReset }
    closeIfDone()
  }
}
