// A TLS connection in the place of the streams that it protects.
//
// In: ciphertext in order, gaps and ends. Out: the plaintext, to the streams within. Owner: ApplicationStreams.
// Bounds: TLSLimits; the ciphertext of all connections that wait for secrets counts against AssemblyLimits.heldBytes.

import HTTPModel
import TCPReassembly
import TLSDecryption

final class TLSStreams {
  private let place: StreamPlace
  private let limits: AssemblyLimits
  private let client: StreamDirection
  private var connection: TLSConnection
  /// From the first plaintext on.
  private var inner: ApplicationStreams?
  private var ended: Set<TLSSide> = []
  private var isUnreadable = false
  private var held = 0

  init(_ place: StreamPlace, client: StreamDirection, limits: AssemblyLimits) {
    self.place = place
    self.client = client
    self.limits = limits
    connection = TLSConnection(limits: limits.tls, joinedMidstream: !place.sawStart)
  }

  func read(
    _ bytes: UnsafeRawBufferPointer, _ direction: StreamDirection, _ origin: MessageOrigin,
    into output: inout AssemblyOutput
  ) {
    connection.receive(
      bytes, from: side(direction), offset: origin.offset, acknowledged: origin.acknowledged, time: origin.time,
      keys: output.keys)
    drain(into: &output)
    // Beyond the common limit nothing more may wait.
    if !output.mayHold, connection.heldBytes > 0 {
      connection.abandon()
      drain(into: &output)
    }
  }

  func readGap(_ length: UInt64, _ direction: StreamDirection, at time: Timestamp, into output: inout AssemblyOutput) {
    connection.gap(length, from: side(direction), time: time, keys: output.keys)
    drain(into: &output)
  }

  func readEnd(
    _ end: StreamEnd, _ direction: StreamDirection, at time: Timestamp, into output: inout AssemblyOutput
  ) {
    connection.end(side(direction), time: time, keys: output.keys)
    drain(into: &output)
  }

  /// Ciphertext is held for secrets that may yet come.
  var waits: Bool { connection.state == .waitingForSecrets }

  /// Time alone, or secrets, may bring it forward.
  var isBlocked: Bool { connection.isBlocked }

  /// The key log may have grown, or time has passed.
  func retry(at time: Timestamp, into output: inout AssemblyOutput) {
    connection.retry(keys: output.keys, time: time)
    drain(into: &output)
  }

  func close(at time: Timestamp, anomaly: Anomaly?, into output: inout AssemblyOutput) {
    connection.close(time: time, keys: output.keys)
    drain(into: &output)
    inner?.close(at: time, anomaly: anomaly, into: &output)
  }

  func noteOverlap(_ direction: StreamDirection) { inner?.noteOverlap(direction) }

  func tellUnanswered(before time: Timestamp, into unanswered: inout [Exchange]) {
    inner?.tellUnanswered(before: time, into: &unanswered)
  }

  private func side(_ direction: StreamDirection) -> TLSSide { direction == client ? .client : .server }

  private func direction(_ side: TLSSide) -> StreamDirection { side == .client ? client : client.opposite }

  private func drain(into output: inout AssemblyOutput) {
    while let event = connection.nextEvent() {
      switch event {
      case .plaintext(let side, let bytes, let offset, let acknowledged, let time):
        let origin = MessageOrigin(offset: offset, acknowledged: acknowledged, time: time)
        let streams = open()
        bytes.withUnsafeBytes { streams.read($0, direction(side), origin, into: &output) }
      case .gap(let side, let time):
        // How much plaintext is missing, nobody knows: more than any message has.
        let origin = MessageOrigin(offset: 0, acknowledged: nil, time: time)
        inner?.readGap(Self.unknownLength, .tcpGap, direction(side), origin, into: &output)
      case .closed(let side, let time), .ended(let side, let time):
        if ended.insert(side).inserted { inner?.readEnd(.fin, direction(side), at: time, into: &output) }
      case .anomaly(let anomaly): inner?.note(anomaly)
      case .alert: break
      case .unreadable(_, let reason, let serverName):
        if !isUnreadable { output.countUnreadable(serverName, reason.identifier) }
        isUnreadable = true
      }
    }
    output.hold(connection.heldBytes - held)
    held = connection.heldBytes
    if connection.isBlocked { output.somethingWaits = true }
  }

  /// The plaintext's is that of the streams within, also after they were closed.
  var account: ByteAccount {
    var account = ByteAccount(connection)
    if let inner { account += inner.account }
    return account
  }

  private static let unknownLength: UInt64 = 1 << 48

  private func open() -> ApplicationStreams {
    if let inner { return inner }
    var within = place
    within.facts = ConnectionFacts(encapsulation: place.facts?.encapsulation ?? "", tls: connection.facts)
    let streams = ApplicationStreams(within, limits: limits, client: client)
    inner = streams
    return streams
  }
}
