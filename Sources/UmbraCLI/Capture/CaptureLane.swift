// Packets to sealed blocks: what one thread of a capture does.
//
// In: packets of the connections that fall to this lane. Out: blocks for the sink, counters for whoever looks. Owner:
// one thread, but for ``state``.

import ExchangeAssembly
import HTTPModel
import PacketHeaders
import PcapCapture
import SessionFile
import Synchronization
import TCPReassembly
import TLSDecryption
import TrafficRules

/// Decodes, redacts and encodes.
///
/// `@unchecked Sendable`: made by the thread that starts it and from then on used by the lane's own thread alone;
/// others only read ``state``, which is behind a mutex.
final class CaptureLane: @unchecked Sendable {
  /// What others may see of a lane, as of its last tick.
  struct State: Sendable {
    var ledger = Ledger()
    var heldBytes = 0
    var firstPacket: Timestamp?
    var lastPacket: Timestamp?
    var unreadable: [UnreadableTLS: UInt64] = [:]
    /// Exchanges with an anomaly, by its raw value.
    var anomalies: [UInt64] = []
  }

  let state = Mutex(State())
  // Touched for every packet by one thread, and no method calls back: asking each time whether another access goes on
  // would cost a tenth of a small exchange.
  @exclusivity(unchecked) private var decoder: WireDecoder
  /// The one that was finished last; its memory goes round.
  @exclusivity(unchecked) private var exchange = Exchange()
  private let encoder = SessionEncoder()
  @exclusivity(unchecked) private var rules: CaptureRules
  private let sink: SessionSink?
  private let raw: RawPacketRecorder?
  private let secretsToKeep: RawPacketRecorder?
  private let keyLogs: KeyLogFollower?
  private let mirror: MirrorIntake?
  /// Where exchanges are logged.
  private let log: Observation?
  private let control: CaptureControl
  /// Which of how many lanes: connections are numbered so that no two lanes give one number.
  private let index: UInt32
  private let count: UInt32
  /// Starts of exchanges whose request was written before its answer came.
  @exclusivity(unchecked) private var writtenEarly: [ExchangeID: Timestamp] = [:]
  private var nextEarlyWrite: Int64 = 0
  /// Whether the rules take an exchange whose request was looked at before its answer came.
  @exclusivity(unchecked) private var decidedEarly: [ExchangeID: Bool] = [:]
  /// Requests that the shadow gets only once their answers are there, because these decide.
  @exclusivity(unchecked) private var offeredLater: Set<ExchangeID> = []
  private var generation = 0
  private var firstPacket: Timestamp?
  private var drops = Ledger()
  /// Exchanges with an anomaly, by its raw value.
  @exclusivity(unchecked) private var anomalies = [UInt64](repeating: 0, count: 128)

  init(
    _ plan: CapturePlan, index: Int, count: Int, rules: CaptureRules, sink: SessionSink?,
    raw: RawPacketRecorder?, control: CaptureControl
  ) {
    self.index = UInt32(index)
    self.count = UInt32(count)
    self.rules = rules
    self.sink = sink
    self.control = control
    self.raw = raw
    mirror = plan.mirror
    log = plan.observation.flatMap { $0.logsAccess ? $0 : nil }
    // Lanes read the same key logs: one of them hands them on.
    secretsToKeep = plan.rawHasSecrets && index == 0 ? raw : nil
    keyLogs = plan.keyLogs.isEmpty ? nil : KeyLogFollower(plan.keyLogs)
    let (reassembly, assembly) = CaptureLane.limits(plan, lanes: count)
    var fragments = FragmentLimits()
    fragments.heldBytes = plan.memoryLimit / count / 16
    decoder = WireDecoder(parsing: plan.parsing, fragments: fragments, reassembly: reassembly, assembly: assembly)
  }

  /// What --memory-limit means for a lane: 3/8 of its share for connections, 1/16 for IP fragments, the rest for bytes
  /// that wait in reassembly and in unfinished messages, half each.
  private static func limits(_ plan: CapturePlan, lanes: Int) -> (ReassemblyLimits, AssemblyLimits) {
    let memory = plan.memoryLimit / lanes
    var reassembly = ReassemblyLimits()
    reassembly.connections = max(64, memory / 8 * 3 / bytesPerConnection)
    reassembly.heldBytes = memory / 32 * 9
    reassembly.heldBytesPerDirection = min(reassembly.heldBytesPerDirection, reassembly.heldBytes / 2)
    var assembly = AssemblyLimits(
      bodyBytes: plan.bodyLimit, heldBytes: memory / 32 * 9, serverPorts: plan.ports?.ranges ?? [])
    // A saved capture may bring its own secrets.
    if case .files = plan.origin { assembly.readsTLS = true } else { assembly.readsTLS = !plan.keyLogs.isEmpty }
    assembly.tellsRequests = plan.mirror != nil
    assembly.assumesHeaderTables = plan.assumesHeaderTables
    assembly.tls.waitNanoseconds = plan.tlsWait
    assembly.tls.heldBytes = min(plan.tlsHold, assembly.heldBytes)
    return (reassembly, assembly)
  }

  /// A connection that has begun a request: its place in the table, two decoders and what they hold back. Measured.
  private static let bytesPerConnection = 1792

  /// The latest packet time.
  var time: Timestamp? { decoder.time }

  func receive(_ packet: PacketRecord) {
    if firstPacket == nil { firstPacket = packet.time }
    raw?.add(packet)
    decoder.receive(packet.bytes, lengthOnWire: packet.lengthOnWire, linkType: packet.linkType, at: packet.time)
  }

  // MARK: Secrets

  /// Reads what was added to the key logs.
  func readKeyLogs() {
    keyLogs?.poll {
      decoder.addKeyLog($0, source: $1)
      secretsToKeep?.addSecrets($0, source: $1)
    } endLine: {
      decoder.endKeyLogLine(source: $0)
    }
  }

  /// Secrets that came with the packets.
  func addSecrets(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes {
      decoder.addKeyLog($0, source: Self.packetSource)
      secretsToKeep?.addSecrets($0, source: Self.packetSource)
    }
    decoder.endKeyLogLine(source: Self.packetSource)
  }

  /// Apart from the numbers of key logs.
  private static let packetSource = -1

  // MARK: Header tables

  /// What HTTP/2 connections have shown until now; see ``WireDecoder/shownHeaderTables``.
  var shownHeaderTables: ShownHeaderTables? {
    get { decoder.shownHeaderTables }
    set { decoder.shownHeaderTables = newValue }
  }

  // MARK: Exchanges

  /// Encodes what is finished, waiting for the disk. For captures read from a file.
  /// - Returns: false where the disk takes no more.
  func putExchanges() -> Bool {
    offerRequests()
    while decoder.nextExchange(into: &exchange) {
      guard let block = encode(&exchange), let sink else { continue }
      if !sink.put(block) { return false }
    }
    return true
  }

  /// Hands over what is encoded, waiting for the disk, though no block is full.
  func putBlocks() {
    guard let sink else { return }
    while let block = encoder.sealBlock() { if !sink.put(block) { return } }
  }

  /// Encodes what is finished and never waits.
  func offerExchanges() {
    offerRequests()
    while decoder.nextExchange(into: &exchange) {
      if let block = encode(&exchange) { sink?.offer(block, generation: generation) }
    }
  }

  /// Requests go to a shadow before their answers come.
  private func offerRequests() {
    guard let mirror else { return }
    for var request in decoder.takeRequests() {
      if rules.mayLeaveOut, !isOfferedEarly(request) { continue }
      number(&request)
      mirror.receive(request: request)
    }
  }

  /// Asks the rules once for each request; what they say holds for its exchange.
  private func isOfferedEarly(_ request: Exchange) -> Bool {
    rules.refresh()
    guard rules.selectsByRequest else {
      offeredLater.insert(request.id)
      return false
    }
    let isTaken = rules.takes(request)
    decidedEarly[request.id] = isTaken
    return isTaken
  }

  private func encode(_ exchange: inout Exchange) -> RawBlock? {
    let decided = decidedEarly.isEmpty ? nil : decidedEarly.removeValue(forKey: exchange.id)
    let isNew = offeredLater.isEmpty ? false : offeredLater.remove(exchange.id) != nil
    guard decided ?? rules.takes(exchange) else { return nil }
    guard control.countExchange() else { return nil }
    if !exchange.anomalies.isEmpty { count(exchange.anomalies) }
    if sink == nil, mirror == nil, log == nil { return nil }
    number(&exchange)
    if isNew { mirror?.receive(request: exchange) } else { mirror?.receive(exchange: exchange) }
    if sink == nil, log == nil { return nil }
    rules.redact(&exchange)
    if let log { log.access(AccessLine(exchange).bytes) }
    if sink == nil { return nil }
    if !writtenEarly.isEmpty, let start = writtenEarly.removeValue(forKey: exchange.id) {
      return encoder.append(responseOf: exchange, requestStart: start)
    }
    return encoder.append(exchange)
  }

  private func count(_ anomalies: AnomalySet) {
    for anomaly in anomalies.members { self.anomalies[Int(anomaly.rawValue)] &+= 1 }
  }

  private func number(_ exchange: inout Exchange) {
    if count > 1 { exchange.id.connection = (exchange.id.connection &- 1) &* count &+ index &+ 1 }
  }

  // MARK: Time

  /// Ten times a second in a live capture: time passes for the decoder, old blocks go to the disk, others see.
  func tick(wall: Timestamp, drops: Ledger) {
    self.drops = drops
    readKeyLogs()
    // Packets wait in the kernel's ring for a moment: packet time lags behind the clock.
    let past = wall.advanced(byNanoseconds: -500_000_000)
    decoder.advance(to: past)
    offerExchanges()
    if let sink {
      moveToNextFile(sink)
      writeUnanswered(before: past, to: sink)
      while let block = encoder.sealIfOlder(than: wall.advanced(byNanoseconds: -600_000_000)) {
        sink.offer(block, generation: generation)
      }
    }
    publish()
  }

  /// What others see is as of now.
  func publish() {
    mirror?.tick()
    let ledger = ledger
    let held = decoder.heldBytes
    let (first, last) = (firstPacket, decoder.time)
    let (unreadable, anomalies) = (decoder.unreadable, anomalies)
    state.withLock {
      $0 = State(
        ledger: ledger, heldBytes: held, firstPacket: first, lastPacket: last, unreadable: unreadable,
        anomalies: anomalies)
    }
  }

  /// The packets have ended. For a live capture; one from a file ends with ``putRest()``.
  func offerRest(drops: Ledger) {
    self.drops = drops
    finish()
    offerExchanges()
    if let sink {
      moveToNextFile(sink)
      while let block = encoder.sealBlock() { sink.offer(block, generation: generation) }
    }
    publish()
  }

  /// The packets have ended, and the disk is waited for.
  /// - Returns: false where the disk takes no more.
  func putRest(drops: Ledger) -> Bool {
    self.drops = drops
    finish()
    var goesOn = putExchanges()
    if let sink {
      while goesOn, let block = encoder.sealBlock() { goesOn = sink.put(block) }
    }
    publish()
    return goesOn
  }

  /// Tells what is unfinished by now; not where as many exchanges as were asked for have come.
  private func finish() {
    if !control.isFull { decoder.finish() }
  }

  private var ledger: Ledger {
    var ledger = decoder.ledger
    ledger.add(drops)
    ledger.add(rules.ledger)
    ledger[.exchangesShed] += encoder.oversized
    return ledger
  }

  private func moveToNextFile(_ sink: SessionSink) {
    let next = sink.generation
    guard next != generation else { return }
    while let block = encoder.sealBlock() { sink.offer(block, generation: generation) }
    // Their requests are in the file before: in the next one the whole exchange is written.
    writtenEarly.removeAll()
    generation = next
    sink.move(ledger: ledger)
  }

  /// A request that still waits for its answer goes to the disk without it, so that a killed capture has it.
  private func writeUnanswered(before time: Timestamp, to sink: SessionSink) {
    let now = monotonicNow()
    guard now >= nextEarlyWrite else { return }
    nextEarlyWrite = now + 500_000_000
    guard rules.selectsByRequest else { return }
    for var exchange in decoder.takeUnanswered(before: time) {
      let isTaken = decidedEarly[exchange.id] ?? rules.takes(exchange)
      decidedEarly[exchange.id] = isTaken
      guard isTaken else { continue }
      number(&exchange)
      rules.redact(&exchange)
      writtenEarly[exchange.id] = exchange.start
      if let block = encoder.append(requestOf: exchange) { sink.offer(block, generation: generation) }
    }
  }
}
