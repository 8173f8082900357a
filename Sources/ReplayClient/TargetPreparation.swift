import Glibc
import HTTPModel
import NIOCore
import NIOPosix

/// A target whose place is known.
struct PreparedTarget: Sendable {
  let target: ReplayTarget
  let address: SocketAddress
  let contexts: SecurityContexts?

  func dialer(_ options: ReplayOptions, on eventLoop: any EventLoop) -> Dialer {
    Dialer(
      target: target, address: address, timeout: options.connectTimeout, eventLoop: eventLoop, contexts: contexts,
      bytesPerSecond: options.faults.lazy.compactMap { if case .throttle(let rate) = $0 { rate } else { nil } }.min())
  }
}

/// Finds a target's address and tries, before anything is sent, whether it speaks what is wanted of it.
///
/// In: options and a target. Out: its place, or an error that says what to do. Blocks; not for the event loop.
struct TargetPreparation {
  let options: ReplayOptions
  let eventLoop: any EventLoop

  /// The first of a target's addresses that takes a connection; without a check, the first.
  func prepare(_ target: ReplayTarget) throws(ReplayError) -> PreparedTarget {
    if target.scheme == .h2c, options.protocolChoice == .http1 {
      throw .optionOutOfRange(name: "--protocol", expected: "h2 for \(target): h2c is HTTP/2")
    }
    let contexts =
      target.isTLS
      ? try SecurityContexts(options.security, offering: Route.offers(options.protocolChoice)) : nil
    var failure: ReplayError?
    for address in try addresses(of: target) {
      let prepared = PreparedTarget(target: target, address: address, contexts: contexts)
      guard options.checksTarget, let reason = probe(prepared) else { return prepared }
      let place = target.socketPath ?? "\(address.ipAddress ?? "?"):\(target.port)"
      switch reason.outcome {
      case .connectionRefused, .connectTimeout, .connectFailed:
        failure = failure ?? .targetUnreachable(target: target.description, address: place, reason: reason.reason)
      default: throw .notAgreed(target: target.description, address: place, reason: reason.reason)
      }
    }
    throw failure ?? .nameNotResolved(host: target.host, reason: "it has no address")
  }

  private func addresses(of target: ReplayTarget) throws(ReplayError) -> [SocketAddress] {
    if let path = target.socketPath {
      do { return [try SocketAddress(unixDomainSocketPath: path)] } catch {
        throw .nameNotResolved(host: path, reason: "a socket's path has at most 107 bytes")
      }
    }
    let known = options.resolved.first { ($0.host == target.host || $0.host == "*") && $0.port == target.port }
    guard let known else { return try resolveAddresses(of: target.host, port: target.port) }
    var addresses: [SocketAddress] = []
    for text in known.addresses {
      guard let address = try? SocketAddress(ipAddress: text, port: Int(target.port)) else {
        throw .optionOutOfRange(name: "--resolve", expected: "an IPv4 or IPv6 address instead of '\(text)'")
      }
      addresses.append(address)
    }
    return addresses
  }

  // MARK: The probe

  /// How long a target has to say that it does not want this client after all: in TLS 1.3 it says so after the handshake.
  private static let secondThoughts = TimeAmount.milliseconds(100)

  /// Connects, agrees on TLS and HTTP/2 where that is to be spoken, and closes.
  /// - Returns: why it failed, nil where it did not.
  private func probe(_ prepared: PreparedTarget) -> DialFailure? {
    let result = eventLoop.makePromise(of: DialFailure?.self)
    let choice = options.protocolChoice
    eventLoop.execute {
      let dialer = prepared.dialer(options, on: eventLoop)
      let probe = TargetProbe(result, on: eventLoop)
      let held = NIOLoopBound(probe, eventLoop: eventLoop)
      switch Route(to: prepared.target.scheme, choice, wasHTTP2: true, speaksHTTP2: nil) {
      case .plainHTTP1, .plainTrial:
        dialer.open(with: { _ in }) { probe.connected($0, isDone: true) }
      case .plainHTTP2:
        dialer.open(with: { try $0.pipeline.syncOperations.addHandler(held.value) }) { result in
          probe.connected(result, isDone: false)
          if case .success(let channel) = result { probe.askForSettings(on: channel) }
        }
      case .secure(let offer):
        dialer.secure(
          offer,
          agreed: { channel, name in
            try channel.pipeline.syncOperations.addHandler(held.value)
            guard offer != .http2 || name == "h2" else { throw Dialer.noHTTP2 }
            if name == "h2" {
              held.value.askForSettings(on: channel)
            } else {
              held.value.wait(TargetPreparation.secondThoughts)
            }
          }, { probe.end($0) }, opened: { probe.connected(.success($0), isDone: false) })
      }
      probe.limit(.nanoseconds(options.connectTimeout))
    }
    do { return try result.futureResult.wait() } catch { return DialFailure(error, isHandshake: true) }
  }
}

/// Looks at what comes on a connection before anything was asked on it. Confined to the event loop.
private final class TargetProbe: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let eventLoop: any EventLoop
  private var result: EventLoopPromise<DialFailure?>?
  private var channel: (any Channel)?
  private var bytes = ByteBuffer()
  private var wantsSettings = false

  init(_ result: EventLoopPromise<DialFailure?>, on eventLoop: any EventLoop) {
    self.result = result
    self.eventLoop = eventLoop
  }

  func connected(_ outcome: Result<any Channel, DialFailure>, isDone: Bool) {
    switch outcome {
    case .failure(let failure): end(failure)
    case .success(let channel):
      self.channel = channel
      if result == nil || isDone { end(nil) }
    }
  }

  /// Says so little that no server has begun anything: the preface and an empty SETTINGS frame (RFC 9113, 3.4).
  func askForSettings(on channel: any Channel) {
    wantsSettings = true
    let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]
    channel.writeAndFlush(ByteBuffer(bytes: preface), promise: nil)
  }

  func wait(_ time: TimeAmount) { after(time) { $0.end(nil) } }

  func limit(_ time: TimeAmount) {
    after(time) { probe in
      probe.end(
        probe.wantsSettings
          ? DialFailure(.protocolNotAgreed, "it does not answer HTTP/2: write http://, or --protocol http/1.1")
          : DialFailure(.connectTimeout, "no answer within \(time.nanoseconds / 1_000_000) ms"))
    }
  }

  private func after(_ time: TimeAmount, _ body: @escaping @Sendable (TargetProbe) -> Void) {
    let held = NIOLoopBound(self, eventLoop: eventLoop)
    eventLoop.scheduleTask(in: time) { body(held.value) }
  }

  func end(_ failure: DialFailure?) {
    result.take()?.succeed(failure)
    channel?.close(promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var piece = unwrapInboundIn(data)
    bytes.writeBuffer(&piece)
    let kind = FirstBytes(bytes.readableBytesView)
    if wantsSettings, let failure = kind.failure {
      end(failure)
    } else if case .settings = kind {
      end(nil)
    }
    if bytes.readableBytes > 64 { bytes.clear() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { end(DialFailure(error, isHandshake: false)) }

  func channelInactive(context: ChannelHandlerContext) {
    end(
      wantsSettings
        ? DialFailure(.protocolNotAgreed, "it closed instead of speaking HTTP/2: write http://, or --protocol http/1.1")
        : nil)
    context.fireChannelInactive()
  }
}
