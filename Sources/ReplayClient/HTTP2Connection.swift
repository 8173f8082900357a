import HTTPModel
import NIOCore
import NIOHPACK
import NIOHTTP2
import ReplaySchedule

/// One connection to the target that speaks HTTP/2, and the attempts that travel on its streams.
///
/// Confined to the event loop; the last handler of its channel, above NIO's of frames, which keeps windows and states.
/// Streams are entries of one table here rather than channels of their own. Requests beyond the target's limit on
/// concurrent streams wait, in order. `@exclusivity(unchecked)` where every request is: no access calls others. Bounds:
/// those of its streams' answers, and the cap on requests in flight.
final class HTTP2Connection: ChannelInboundHandler, TargetConnection {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  let engine: ReplayEngine
  private(set) var lane: Lane?
  private(set) var context: ChannelHandlerContext?
  private let composer: HTTP2RequestComposer
  @exclusivity(unchecked) private var indexed = IndexedFields()

  @exclusivity(unchecked) var streams = OpenStreams()
  /// Given and not yet on a stream.
  @exclusivity(unchecked) private var waiting = CircularBuffer<PlannedRequest>()
  private var nextStream = 1
  /// What the target allows (RFC 9113, 5.1.2): until it says so, as many as servers are asked to allow at least.
  var streamLimit = 100
  /// It has to be seen whether the target speaks HTTP/2.
  var isTrial = false
  /// Called once, when requests may be given to it, or won't.
  var whenReady: ((DialFailure?) -> Void)?

  /// An attempt has ended on it: it may have been closed meanwhile by a target that had not seen what was sent next.
  private var isReused = false
  /// The error that is about to close the channel.
  var failure: AttemptOutcome?
  private var isFlushDue = false
  /// Body bytes that came since the target was last told that it may send more on the connection.
  var unacknowledged = 0
  /// When what is being received was read.
  var readTime: Int64 = 0

  @exclusivity(unchecked) private(set) var deadline = Int64.max
  private(set) var idleSince: Int64 = 0
  var slot = -1

  init(engine: ReplayEngine, lane: Lane) {
    self.engine = engine
    self.lane = lane
    composer = engine.targets[lane.target].multiplexedComposer
  }

  var isIdle: Bool { streams.isEmpty && waiting.isEmpty }
  var multiplexes: Bool { true }
  var hasRoom: Bool { streams.count < streamLimit && nextStream < HTTP2Connection.lastStream }

  /// Stream numbers end at 2^31 - 1; before that another connection goes on.
  private static let lastStream = 1 << 30

  // MARK: Sending

  func send(_ request: PlannedRequest, now: Int64) {
    if nextStream >= HTTP2Connection.lastStream {
      retire()
      engine.wasNotProcessed(request, now: now)
      return
    }
    guard waiting.isEmpty, streams.count < streamLimit else {
      engine.didWaitForStream()
      waiting.append(request)
      deadline = min(deadline, now &+ engine.timeout(of: request))
      return
    }
    begin(request, now: now)
  }

  private func begin(_ request: PlannedRequest, now: Int64) {
    guard let context else {
      engine.end(request, .connectionReset, response: nil, now: now)
      return
    }
    let stream = HTTP2Stream(
      id: HTTP2StreamID(nextStream), request: request, bodyLimit: engine.options.bodyLimit, memory: engine.memory)
    nextStream += 2
    streams.append(stream)
    let isAgain = request.sent != 0
    request.sent = now
    schedule(stream, now: now)
    engine.didSend(request, bytes: 0, isAgain: isAgain)
    let headers = composer.compose(
      request.request, wasTLS: request.exchange?.isTLS ?? false, replaced: request.replaced, indexed: &indexed)
    let hasBody = !request.request.body.bytes.isEmpty || !request.request.trailers.isEmpty
    let ends = !hasBody && stream.paced == nil && request.fault?.resets != true
    stream.isSent = ends
    write(.headers(.init(headers: headers, endStream: ends)), of: stream.id, context)
    if request.fault?.resets == true {
      cut(stream, context, now: now)
    } else if stream.paced != nil {
      moveOn(stream, now: now)
    } else if !ends, !stream.awaitsContinue {
      writeBody(of: stream, 0..<request.request.body.bytes.count, isLast: true)
    }
    deadline = min(deadline, stream.deadline)
    flushSoon()
  }

  /// Sets the times of an attempt and the way of its body.
  private func schedule(_ stream: HTTP2Stream, now: Int64) {
    let request = stream.request
    var limit = engine.timeout(of: request)
    if let exchange = request.exchange, exchange.hasDetails {
      let pacing = engine.options.pacing
      stream.paced = PacedBody(exchange, pacing: pacing)
      if stream.paced != nil { stream.countMessages() }
      // A stream that was long in the recording may be as long again.
      if exchange.details.messages != nil { limit += request.recordedLength(at: pacing) }
      if let reset = exchange.details.reset, reset.byClient, pacing != .maximum {
        stream.cancelTime = now &+ request.recordedLength(at: pacing)
        engine.postpone(.move(self), until: stream.cancelTime)
      }
    }
    stream.attemptDeadline = now &+ limit
    stream.deadline = answerDeadline(of: stream)
    if request.awaitsContinue, stream.paced == nil {
      stream.awaitsContinue = true
      stream.deadline = min(stream.deadline, now &+ HTTP1Connection.continueTimeout)
    }
  }

  /// Sends what of a paced body may go, and comes back for the rest.
  func moveOn(_ stream: HTTP2Stream, now: Int64) {
    guard stream.paced != nil else { return }
    let elapsed = now &- stream.request.sent
    if let (range, isLast) = stream.paced!.take(elapsed: elapsed, answers: stream.answers) {
      writeBody(of: stream, range, isLast: isLast)
    }
    if let time = stream.paced!.nextTime(elapsed: elapsed) {
      engine.postpone(.move(self), until: stream.request.sent &+ time)
    } else {
      stream.paced = nil
    }
    flushSoon()
  }

  func writeBody(of stream: HTTP2Stream, _ range: Range<Int>, isLast: Bool) {
    guard let context else { return }
    let request = stream.request.request
    let trailers = isLast ? composer.trailers(of: request, indexed: &indexed) : nil
    var promise: EventLoopPromise<Void>?
    if isLast {
      // Only a window's worth is certain to be taken at once.
      if request.body.bytes.count > HTTP2Connection.certainlyTaken {
        let taken = context.eventLoop.makePromise(of: Void.self)
        taken.futureResult.assumeIsolated().whenSuccess { stream.isSent = true }
        promise = taken
      } else {
        stream.isSent = true
      }
    }
    if !range.isEmpty || isLast && trailers == nil {
      let data = HTTP2Frame.FramePayload.Data(
        data: .byteBuffer(ByteBuffer(bytes: request.body.bytes[range])), endStream: isLast && trailers == nil)
      write(.data(data), of: stream.id, context, promise: trailers == nil ? promise : nil)
    }
    if let trailers {
      write(.headers(.init(headers: trailers, endStream: true)), of: stream.id, context, promise: promise)
    }
  }

  private static let certainlyTaken = 16_384

  /// A fault: ends the stream in the middle of the request. The others on the connection go on.
  private func cut(_ stream: HTTP2Stream, _ context: ChannelHandlerContext, now: Int64) {
    engine.countReset()
    let half = stream.request.request.body.bytes.count / 2
    if half > 0 { writeBody(of: stream, 0..<half, isLast: false) }
    write(.rstStream(.cancel), of: stream.id, context)
    flushSoon()
    remove(stream, now: now)
    engine.end(stream.request, .connectionReset, response: nil, now: now, result: .abandoned)
  }

  func write(
    _ payload: HTTP2Frame.FramePayload, of stream: HTTP2StreamID, _ context: ChannelHandlerContext,
    promise: EventLoopPromise<Void>? = nil
  ) {
    context.write(wrapOutboundOut(HTTP2Frame(streamID: stream, payload: payload)), promise: promise)
  }

  func flushSoon() {
    guard !isFlushDue else { return }
    isFlushDue = true
    engine.flushSoon(self)
  }

  func flush() {
    isFlushDue = false
    context?.flush()
  }

  /// Begins what waited for a stream.
  func beginWaiting(now: Int64) {
    while streams.count < streamLimit, let request = waiting.popFirst() { begin(request, now: now) }
  }

  // MARK: The ends of attempts

  func remove(_ stream: HTTP2Stream, now: Int64) {
    streams.remove(stream.id)
    isReused = true
    // What is read is somewhat older than what is sent next.
    if !waiting.isEmpty { beginWaiting(now: engine.clock.now) }
    if streams.isEmpty {
      idleSince = now
      deadline = now &+ engine.options.idleTimeout
    }
  }

  func finish(_ stream: HTTP2Stream, _ outcome: AttemptOutcome, now: Int64) {
    // An answer that did not wait for the end of its request leaves the rest unsent.
    if !stream.isSent, let context, context.channel.isActive {
      write(.rstStream(outcome == .answered ? .noError : .cancel), of: stream.id, context)
      flushSoon()
    }
    let request = stream.request
    remove(stream, now: now)
    request.heldBytes += stream.keptBytes
    let response = stream.takeResponse(at: engine.clock.timestamp(now))
    if request.closesConnection { retire() } else { closeIfDone() }
    if outcome == .connectionReset || outcome == .closedEarly || outcome == .streamReset {
      engine.fail(request, outcome, response: response, now: now)
    } else {
      engine.end(request, outcome, response: response, now: now)
    }
  }

  /// Ends an attempt that the target thinks to be going on.
  func giveUp(_ stream: HTTP2Stream, _ outcome: AttemptOutcome, _ code: HTTP2ErrorCode, now: Int64) {
    stream.isSent = true
    if let context {
      write(.rstStream(code), of: stream.id, context)
      flushSoon()
    }
    finish(stream, outcome, now: now)
  }

  // MARK: Time

  func deadlinePassed(now: Int64) {
    guard !isIdle else { return close() }
    func end(of request: PlannedRequest) -> Int64 { request.started &+ engine.timeout(of: request) }
    let overdue = waiting.filter { end(of: $0) <= now }
    if !overdue.isEmpty { waiting.removeAll { end(of: $0) <= now } }
    for request in overdue { engine.end(request, .timeout, response: nil, now: now) }
    for stream in streams.all where stream.deadline <= now {
      if now >= answerDeadline(of: stream) {
        giveUp(stream, .timeout, .cancel, now: now)
      } else {
        sendWithheldBody(of: stream)
      }
    }
    guard !isIdle else { return }
    let first = waiting.reduce(Int64.max) { min($0, end(of: $1)) }
    deadline = streams.all.reduce(first) { min($0, $1.deadline) }
  }

  func moveOn(now: Int64) {
    for stream in streams.all where stream.paced != nil || stream.cancelTime != 0 {
      if stream.cancelTime != 0, stream.cancelTime <= now {
        giveUp(stream, .cancelled, .cancel, now: now)
      } else if stream.paced != nil {
        moveOn(stream, now: now)
      }
    }
  }

  func interrupt(now: Int64) {
    let unsent = waiting
    waiting.removeAll()
    for stream in streams.all { giveUp(stream, .interrupted, .cancel, now: now) }
    for request in unsent { engine.end(request, .interrupted, response: nil, now: now) }
    close()
  }

  // MARK: Opening and closing

  /// In bytes, of each stream and of the connection: an answer is never held up.
  static let window = 1 << 30

  /// Makes the channel speak HTTP/2.
  func addHandlers(to channel: any Channel, bytesPerSecond: Int?) throws {
    let pipeline = channel.pipeline.syncOperations
    if let bytesPerSecond { try pipeline.addHandler(ThrottleHandler(bytesPerSecond)) }
    try pipeline.addHandler(HTTP2Wire(of: self))
    var configuration = NIOHTTP2Handler.ConnectionConfiguration()
    configuration.initialSettings = [
      HTTP2Setting(parameter: .enablePush, value: 0),
      HTTP2Setting(parameter: .initialWindowSize, value: HTTP2Connection.window),
      HTTP2Setting(parameter: .maxHeaderListSize, value: 1 << 20),
    ]
    // What a target sends is to be recorded, not judged; it is bounded elsewhere.
    configuration.headerBlockValidation = .disabled
    configuration.contentLengthValidation = .disabled
    configuration.maximumSequentialEmptyDataFrames = 10_000
    configuration.maximumRecentlyResetStreams = 10_000
    configuration.maximumConnectionGlitches = .max
    configuration.controlFrameRateLimit.maximumCount = .max
    var streams = NIOHTTP2Handler.StreamConfiguration()
    streams.streamResetFrameRateLimit.maximumCount = .max
    streams.streamErrorRateLimit.maximumCount = .max
    try pipeline.addHandler(
      NIOHTTP2Handler(mode: .client, connectionConfiguration: configuration, streamConfiguration: streams))
    try pipeline.addHandler(self)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    if context.channel.isActive { widen(context) }
  }

  func channelActive(context: ChannelHandlerContext) {
    widen(context)
    context.fireChannelActive()
    if !isTrial { whenReady.take()?(nil) }
  }

  private func widen(_ context: ChannelHandlerContext) {
    write(.windowUpdate(windowSizeIncrement: HTTP2Connection.window), of: .rootStream, context)
    context.flush()
  }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func abandon() {
    lane = nil
    context?.close(promise: nil)
  }

  func retire() {
    if let lane {
      self.lane = nil
      lane.letGo(self)
    }
    let now = engine.clock.now
    while let request = waiting.popFirst() { engine.wasNotProcessed(request, now: now) }
    closeIfDone()
  }

  func closeIfDone() { if lane == nil, isIdle { close() } }

  func close() {
    let lane = lane
    self.lane = nil
    lane?.letGo(self)
    deadline = .max
    engine.didClose(self, of: lane)
    if isFlushDue { context?.flush() }
    context?.close(promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? NIOHTTP2Errors.StreamError {
      guard let stream = streams[error.streamID] else { return }
      stream.isSent = true
      finish(stream, .malformedResponse, now: engine.clock.now)
      return
    }
    let failure = DialFailure(error, isHandshake: false)
    self.failure = failure.outcome
    whenReady.take()?(failure)
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    engine.isReading = false
    whenReady.take()?(DialFailure(.protocolNotAgreed, "it closed instead of speaking HTTP/2"))
    let now = engine.clock.now
    let (open, unsent) = (streams.all, waiting)
    streams.removeAll()
    waiting.removeAll()
    close()
    for stream in open {
      let request = stream.request
      if request.firstByte == 0, isReused, failure == nil || failure == .connectionReset {
        engine.connectionWasDead(request, now: now)
        continue
      }
      request.heldBytes += stream.keptBytes
      engine.fail(
        request, failure ?? .closedEarly, response: stream.takeResponse(at: engine.clock.timestamp(now)), now: now)
    }
    for request in unsent { engine.wasNotProcessed(request, now: now) }
    engine.flushAll()
  }
}
