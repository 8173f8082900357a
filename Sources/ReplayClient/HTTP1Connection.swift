import Glibc
import HTTPModel
import NIOCore

/// One connection to the target that speaks HTTP/1, and the attempt that travels on it.
///
/// Confined to the event loop; the last handler of its channel. Bytes of the answer go in, the end of the attempt goes to
/// the engine. It ends each attempt that it was given exactly once, and takes the next only after that.
final class HTTP1Connection: ChannelInboundHandler, TargetConnection {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let engine: ReplayEngine
  private let composer: RequestComposer
  private(set) var lane: Lane?
  private var context: ChannelHandlerContext?
  /// Reads what is there before anything is done with it, so that no two accesses to it overlap.
  @exclusivity(unchecked) private var reader: ResponseReader

  /// The attempt in flight.
  private(set) var current: PlannedRequest?
  /// An attempt has ended on this connection before the current one: it may have been closed meanwhile.
  private var isReused = false
  /// Bytes of the request that the kernel has not taken.
  private var isWriting = false
  /// Where a request is written to at once, which takes a fraction of what a channel's queue takes; nil below TLS and a
  /// throttle. It stays the channel's: used only while that is active, and it is closed on this event loop alone.
  private var socket: NIOBSDSocket.Handle?
  private let isPlain: Bool
  /// Of a throttle on this connection itself; nil where there is none, or one below TLS.
  private let bytesPerSecond: Int?
  /// What a throttle holds back, and when it lets more of it, or of the answer, through.
  private var unsent: ByteBuffer?
  private var nextMove: Int64 = 0
  /// What follows the head once the target has said that it wants it (RFC 9110, 10.1.1).
  private var withheldBody: ByteBuffer?
  /// The error that is about to close the channel.
  private var failure: AttemptOutcome?

  /// When something must happen: the attempt's time is up, the body is sent unasked, or the connection was idle too long.
  private(set) var deadline = Int64.max
  private var attemptDeadline = Int64.max
  /// Since when nothing is in flight.
  private(set) var idleSince: Int64 = 0
  /// Where the engine lists this connection.
  var slot = -1

  /// - Parameter isPlain: its bytes are those on the wire.
  init(engine: ReplayEngine, lane: Lane, bytesPerSecond: Int?, isPlain: Bool) {
    self.engine = engine
    self.isPlain = isPlain
    self.lane = lane
    composer = engine.targets[lane.target].composer
    self.bytesPerSecond = bytesPerSecond
    reader = ResponseReader(bodyLimit: engine.options.bodyLimit, memory: engine.memory)
  }

  var isIdle: Bool { current == nil }
  var multiplexes: Bool { false }
  var hasRoom: Bool { current == nil }

  // MARK: Sending

  /// Sends a request; the connection must be idle and open.
  func send(_ request: PlannedRequest, now: Int64) {
    guard let context, lane != nil else {
      engine.end(request, .connectionReset, response: nil, now: now)
      return
    }
    current = request
    let isAgain = request.sent != 0
    request.sent = now
    attemptDeadline = now &+ engine.timeout(of: request)
    deadline = engine.options.firstByteTimeout.map { min(attemptDeadline, now &+ $0) } ?? attemptDeadline
    failure = nil
    withheldBody = nil
    reader.begin(
      answering: request.request, into: request.spareAnswer.take(), repeating: request.takeRecordedBody())

    composer.compose(request.request, replaced: request.replaced)
    if request.fault?.resets == true {
      var bytes = composer.buffer
      bytes.moveWriterIndex(to: bytes.readableBytes / 2)
      engine.didSend(request, bytes: bytes.readableBytes, isAgain: isAgain)
      cut(request, after: bytes, on: context, now: now)
      return
    }
    engine.didSend(request, bytes: composer.count, isAgain: isAgain)
    let taken = request.awaitsContinue ? 0 : writeAtOnce(on: context)
    if taken == composer.count { return }
    var bytes = composer.buffer
    bytes.moveReaderIndex(forwardBy: taken)
    if request.awaitsContinue {
      let head = composer.headLength
      withheldBody = bytes.getSlice(at: head, length: bytes.readableBytes - head)
      bytes.moveWriterIndex(to: head)
      deadline = min(deadline, now &+ HTTP1Connection.continueTimeout)
    }
    write(bytes, on: context)
  }

  /// Sends so much and ends the connection with RST.
  private func cut(_ request: PlannedRequest, after bytes: ByteBuffer, on context: ChannelHandlerContext, now: Int64) {
    engine.countReset()
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
      .assumeIsolated().whenComplete { _ in }
    guard current != nil else { return }
    current = nil
    close()
    engine.end(request, .connectionReset, response: nil, now: now, result: .abandoned)
  }

  /// How long the body waits for `100 (Continue)`; curl waits as long.
  static let continueTimeout: Int64 = 1_000_000_000

  /// Requests up to this size fit into an empty send buffer at once, so that nobody needs to be told when they are out.
  private static let certainlyTaken = 4096

  /// Writes a request that nothing is before.
  /// - Returns: how many bytes the kernel took; the rest, and what went wrong, is the channel's.
  private func writeAtOnce(on context: ChannelHandlerContext) -> Int {
    guard let socket, context.channel.isActive else { return 0 }
    return composer.withBytes { max(0, Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))) }
  }

  private func write(_ bytes: ByteBuffer, on context: ChannelHandlerContext) {
    if let rate = bytesPerSecond {
      unsent = bytes
      writePiece(rate, on: context, now: engine.clock.now)
      return
    }
    // A write that fails closes the channel and says so to nobody but a promise.
    failure = .connectionReset
    if socket != nil || bytes.readableBytes > HTTP1Connection.certainlyTaken {
      isWriting = true
      let written = context.eventLoop.makePromise(of: Void.self)
      written.futureResult.assumeIsolated().whenSuccess { self.isWriting = false }
      context.writeAndFlush(wrapOutboundOut(bytes), promise: written)
    } else {
      context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }
    if context.channel.isActive { failure = nil }
  }

  /// Sends on what a throttle allows at once, and comes back for the rest.
  private func writePiece(_ rate: Int, on context: ChannelHandlerContext, now: Int64) {
    guard var rest = unsent, let piece = rest.readSlice(length: min(rest.readableBytes, Dialer.throttledPiece(rate)))
    else {
      return
    }
    unsent = rest.readableBytes > 0 ? rest : nil
    failure = .connectionReset
    context.writeAndFlush(wrapOutboundOut(piece), promise: nil)
    guard context.channel.isActive else { return }
    failure = nil
    wait(for: piece.readableBytes, rate, now: now)
  }

  /// Until so many bytes have had their time.
  private func wait(for bytes: Int, _ rate: Int, now: Int64) {
    nextMove = now &+ Int64(clamping: bytes &* 1_000_000_000 / rate)
    engine.postpone(.move(self), until: nextMove)
  }

  /// A throttled connection's time has come: writes, or once all is written, reads on.
  func moveOn(now: Int64) {
    // Of several waits the last one counts.
    guard let rate = bytesPerSecond, let context, now >= nextMove else { return }
    if unsent != nil { writePiece(rate, on: context, now: now) } else { context.read() }
  }

  private func sendWithheldBody() {
    guard let body = withheldBody, let context else { return }
    withheldBody = nil
    deadline = answerDeadline
    write(body, on: context)
  }

  /// When the attempt's time is up, as far as the answer has come.
  private var answerDeadline: Int64 {
    guard let current, current.firstByte == 0, let limit = engine.options.firstByteTimeout else {
      return attemptDeadline
    }
    return min(attemptDeadline, current.sent &+ limit)
  }

  // MARK: Receiving

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    engine.didReceive(bytes: bytes.readableBytes)
    guard let request = current else {
      // Unasked: no answer to anything that was sent, so nothing can follow on this connection.
      close()
      return
    }
    let now = engine.clock.now
    if request.firstByte == 0 {
      request.firstByte = now
      if withheldBody == nil { deadline = attemptDeadline }
    }
    if let rate = bytesPerSecond { wait(for: bytes.readableBytes, rate, now: now) }
    bytes.withUnsafeReadableBytes { bytes in
      var offset = 0
      read: while true {
        switch reader.read(bytes, from: &offset, at: engine.clock.timestamp(now)) {
        case .needsMore: break read
        case .interim(let status): if status == 100 { sendWithheldBody() }
        case .malformed:
          finish(HTTP1Connection.outcome(of: bytes), now: now, keeps: false)
          break read
        case .whole(let keeps):
          finish(.answered, now: now, keeps: keeps && offset == bytes.count)
          break read
        }
      }
    }
  }

  /// What an answer that is none says by its first bytes.
  private static func outcome(of bytes: UnsafeRawBufferPointer) -> AttemptOutcome {
    if case .tls = FirstBytes(bytes) { .targetSpeaksTLS } else { .malformedResponse }
  }

  /// Ends the attempt in flight.
  /// - Parameter keeps: another request may follow on this connection.
  private func finish(_ outcome: AttemptOutcome, now: Int64, keeps: Bool) {
    guard let request = current else { return }
    current = nil
    isReused = true
    idleSince = now
    deadline = now &+ engine.options.idleTimeout
    // A request that the target answered before all of it was sent leaves the connection between two messages.
    if !keeps || isWriting || unsent != nil || withheldBody != nil || request.closesConnection {
      close()
    } else if let lane, lane.overlaps {
      lane.spare.append(self)
    }
    request.heldBytes += reader.keptBytes
    let response = reader.takeResponse(at: engine.clock.timestamp(now))
    if outcome == .connectionReset || outcome == .closedEarly {
      engine.fail(request, outcome, response: response, now: now)
    } else {
      engine.end(request, outcome, response: response, now: now)
    }
  }

  // MARK: Time

  /// Does what ``deadline`` stands for.
  func deadlinePassed(now: Int64) {
    if current == nil {
      close()
    } else if now >= answerDeadline {
      finish(.timeout, now: now, keeps: false)
    } else {
      sendWithheldBody()
    }
  }

  /// Gives up the attempt in flight, if there is one, and closes.
  func interrupt(now: Int64) {
    if current != nil { finish(.interrupted, now: now, keeps: false) } else { close() }
  }

  // MARK: Opening and closing

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func channelActive(context: ChannelHandlerContext) {
    if bytesPerSecond != nil { context.read() }
    guard isPlain, bytesPerSecond == nil else { return }
    socket = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
  }

  func handlerRemoved(context: ChannelHandlerContext) { (self.context, socket) = (nil, nil) }

  /// Nothing waits: each request is a write of its own.
  func flush() {}

  /// Closes a connection that was made after the run had ended, before it was given anything.
  func abandon() {
    lane = nil
    context?.close(promise: nil)
  }

  /// Lets go of the lane and closes the channel. No attempt may be in flight.
  func close() {
    detach()
    context?.close(promise: nil)
  }

  private func detach() {
    guard let lane else { return }
    self.lane = nil
    deadline = .max
    lane.letGo(self)
    engine.didClose(self, of: lane)
  }

  /// It has one attempt at most, and none where its lane has another use for its place.
  func retire() { close() }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    failure = DialFailure(error, isHandshake: false).outcome
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    detach()
    guard let request = current else { return }
    let now = engine.clock.now
    if request.firstByte == 0, isReused {
      current = nil
      engine.connectionWasDead(request, now: now)
      return
    }
    let isWhole = failure == nil && reader.readEnd()
    finish(isWhole ? .answered : failure ?? .closedEarly, now: now, keeps: false)
  }
}
