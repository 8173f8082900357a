// Carries out a capture: packets from a source through the decoder into a session file.
//
// In: a plan. Out: a session file, a summary. One thread reads, decodes and encodes; the session writer's own thread
// compresses and writes. A live capture never waits for it: what the disk cannot take is shed and counted.

import ExchangeAssembly
import Glibc
import HTTPModel
import PacketHeaders
import PcapCapture
import SessionFile
import Synchronization
import TCPReassembly
import TrafficRules

///
/// `@unchecked Sendable`: `run()` is called once and everything it touches stays on its thread; from other threads only
/// `stop()` and `isCapturing` are used, and both are atomics.
final class CaptureSession: @unchecked Sendable {
  private let plan: CapturePlan
  private var decoder: WireDecoder
  private let encoder = SessionEncoder()
  private var redactor = CredentialRedactor()
  private var writer: SessionWriter?
  private var progress: ProgressLine
  private var shed = Ledger()
  private var drops = Ledger()
  private var exchanges: UInt64 = 0
  /// Starts of exchanges whose request was written before its answer came.
  private var writtenEarly: [ExchangeID: Timestamp] = [:]
  private var nextEarlyWrite: Int64 = 0
  private var firstPacket: Timestamp?
  private var metadata = SessionMetadata()
  private var notes: [String] = []
  private var lastRate: (time: Int64, exchanges: UInt64) = (0, 0)
  private let stopRequested = Atomic<Bool>(false)
  private let capturing = Atomic<Bool>(false)

  init(_ plan: CapturePlan) {
    self.plan = plan
    progress = ProgressLine(plan.progress)
    var reassembly = ReassemblyLimits()
    reassembly.heldBytes = plan.memoryLimit / 2
    reassembly.heldBytesPerDirection = min(reassembly.heldBytesPerDirection, plan.memoryLimit / 4)
    decoder = WireDecoder(
      reassembly: reassembly,
      assembly: AssemblyLimits(
        bodyBytes: plan.bodyLimit, heldBytes: plan.memoryLimit / 2, serverPorts: plan.ports?.ranges ?? []))
  }

  /// Ends the capture soon, from any thread.
  func stop() { stopRequested.store(true, ordering: .relaxed) }

  /// Whether a live capture has begun to see packets' copies.
  var isCapturing: Bool { capturing.load(ordering: .acquiring) }

  private var mustStop: Bool { Interruption.isRequested || stopRequested.load(ordering: .relaxed) }

  /// - Returns: what there is to say at the end.
  /// - Throws: `CommandFailure`. What was captured until then is in the session file.
  func run() throws -> CaptureSummary {
    let began = monotonicNow()
    switch plan.origin {
    case .file(let path): try readFile(path)
    case .interface(let name): try readInterface(name)
    }
    decoder.finish()
    try takeExchanges()
    try finishSession()
    progress.clear()
    return CaptureSummary(
      origin: plan.origin.description, destination: plan.destination, ledger: ledger, notes: notes,
      exchanges: exchanges, written: writer?.written,
      packetTime: firstPacket.flatMap { first in decoder.time.map { $0.nanoseconds(since: first) } } ?? 0,
      elapsed: monotonicNow() - began)
  }

  // MARK: Sources

  private func readFile(_ path: String) throws {
    let source: SavedCapture
    do {
      source = try SavedCapture(path: path, filter: plan.filter, mustStop: { self.mustStop })
    } catch { throw CommandFailure("\(error)") }
    try openSession(source: path == "-" ? "standard input" : "file \(path)")
    var count = 0
    do {
      while let packet = try source.next() {
        receive(packet)
        try takeExchanges()
        count += 1
        if count & 0xfff == 0 {
          showProgress()
          if mustStop { break }
        }
        if isFull { break }
      }
    } catch let error as CaptureError {
      // What was read before stays: the session is finished and the failure told.
      try finishSession()
      throw CommandFailure("\(error)")
    }
    drops[.packetsFiltered] = source.filteredPackets
    // What the tool that made the file says it lost.
    drops[.packetsKernelDropped] = source.recordedDrops.kernelDrops
    drops[.packetsInterfaceDropped] = source.recordedDrops.interfaceDrops
    notes += source.problems.map { "\($0)" }
  }

  private func readInterface(_ name: String) throws {
    let source: LiveCapture
    do {
      source = try LiveCapture(
        LiveCaptureOptions(
          interface: name, snapLength: plan.snapLength, bufferBytes: plan.bufferBytes, promiscuous: plan.promiscuous,
          ports: plan.ports?.ranges ?? [], filter: plan.filter))
    } catch { throw CommandFailure("\(error)") }
    try openSession(source: "interface \(name)")
    announce(name)
    capturing.store(true, ordering: .releasing)
    let began = monotonicNow()
    var nextTick = began + 100_000_000
    do {
      while !mustStop, !isFull {
        let count = try source.read { packet in
          self.receive(packet)
          self.takeLiveExchanges()
        }
        let now = monotonicNow()
        if count == 0 || now >= nextTick {
          nextTick = now + 100_000_000
          try tick(source)
          if let duration = plan.duration, now - began >= duration { break }
        }
      }
    } catch {
      notes.append("\(error)")
    }
    // What the kernel has copied by now still counts.
    for _ in 0..<2 {
      _ = try? source.read { packet in
        self.receive(packet)
        self.takeLiveExchanges()
      }
    }
    note(source.statistics)
  }

  private func announce(_ name: String) {
    guard !plan.isQuiet, StandardError.isTerminal || plan.progress == .plain else { return }
    StandardError.write("umbra: capturing on \(name)\(plan.destination.map { ", writing \($0)" } ?? ""); Ctrl-C ends\n")
  }

  // MARK: The data's way

  private func receive(_ packet: PacketRecord) {
    if firstPacket == nil { firstPacket = packet.time }
    decoder.receive(packet.bytes, lengthOnWire: packet.lengthOnWire, linkType: packet.linkType, at: packet.time)
  }

  /// From a file: waits for the disk.
  private func takeExchanges() throws {
    while var exchange = decoder.nextExchange() {
      guard let block = encode(&exchange) else { continue }
      if writer?.put(block) == false { throw failedWriting() }
    }
  }

  /// Live: never waits.
  private func takeLiveExchanges() {
    while var exchange = decoder.nextExchange() {
      if let block = encode(&exchange) { offer(block) }
    }
  }

  private func encode(_ exchange: inout Exchange) -> RawBlock? {
    exchanges += 1
    guard writer != nil else { return nil }
    if !plan.keepsCredentials { redactor.redact(&exchange) }
    if !writtenEarly.isEmpty, let start = writtenEarly.removeValue(forKey: exchange.id) {
      return encoder.append(responseOf: exchange, requestStart: start)
    }
    return encoder.append(exchange)
  }

  /// A request that still waits for its answer goes to the disk without it, so that a killed capture has it.
  private func writeUnanswered(before time: Timestamp) {
    let now = monotonicNow()
    guard writer != nil, now >= nextEarlyWrite else { return }
    nextEarlyWrite = now + 500_000_000
    for var exchange in decoder.takeUnanswered(before: time) {
      writtenEarly[exchange.id] = exchange.start
      if !plan.keepsCredentials { redactor.redact(&exchange) }
      if let block = encoder.append(requestOf: exchange) { offer(block) }
    }
  }

  private func offer(_ block: RawBlock) {
    guard let writer, !writer.offer(block) else { return }
    shed[.blocksShed] += 1
    shed[.exchangesShed] += UInt64(block.exchangeCount)
  }

  /// Ten times a second in a live capture: time passes for the decoder, old blocks go to the disk, a person sees.
  private func tick(_ source: LiveCapture) throws {
    let wall = Timestamp(nanoseconds: wallNow())
    // Packets wait in the kernel's ring for a moment: packet time lags behind the clock.
    decoder.advance(to: wall.advanced(byNanoseconds: -500_000_000))
    takeLiveExchanges()
    writeUnanswered(before: wall.advanced(byNanoseconds: -500_000_000))
    while let block = encoder.sealIfOlder(than: wall.advanced(byNanoseconds: -600_000_000)) { offer(block) }
    note(source.statistics)
    showProgress()
    if writer?.problem != nil { throw failedWriting() }
  }

  private var isFull: Bool {
    if let most = plan.maxExchanges, exchanges >= most { return true }
    if let most = plan.maxSize, let writer, writer.written.bytes + UInt64(writer.queuedBytes) >= UInt64(most) {
      return true
    }
    if case .file = plan.origin, let duration = plan.duration, let first = firstPacket, let now = decoder.time {
      return now.nanoseconds(since: first) >= duration
    }
    return false
  }

  // MARK: The session file

  private func openSession(source: String) throws {
    guard let path = plan.destination else { return }
    metadata["tool"] = "umbra \(umbraVersion)"
    metadata["source"] = source
    metadata["command"] = CommandLine.arguments.joined(separator: " ")
    if let filter = CaptureFilter.text(ports: plan.ports?.ranges ?? [], and: plan.filter) {
      metadata["filter"] = filter
    }
    do {
      let destination: SessionWriter.Destination =
        path == "-"
        ? .descriptor(STDOUT_FILENO, name: "standard output") : .path(path, overwrite: plan.overwrite)
      let writer = try SessionWriter(destination, kind: .session, created: Timestamp(nanoseconds: wallNow()))
      _ = writer.put(.metadata(metadata))
      self.writer = writer
    } catch { throw CommandFailure("\(error)") }
  }

  private func finishSession() throws {
    guard let writer else { return }
    while let block = encoder.sealBlock() {
      if !writer.put(block) { break }
    }
    shed[.exchangesShed] += encoder.oversized
    do { try writer.finish(ledger: ledger) } catch { throw CommandFailure("\(error)") }
  }

  private func failedWriting() -> CommandFailure {
    progress.clear()
    let reason = writer?.problem.map { "\($0)" } ?? "the session could not be written"
    return CommandFailure("\(reason). \(counted(exchanges, "exchange")) had been read; what was written is readable.")
  }

  private var ledger: Ledger {
    var ledger = decoder.ledger
    ledger.add(shed)
    ledger.add(drops)
    return ledger
  }

  private func note(_ statistics: LiveCaptureStatistics) {
    drops[.packetsKernelDropped] = statistics.kernelDrops
    drops[.packetsInterfaceDropped] = statistics.interfaceDrops
  }

  // MARK: What a person sees

  private func showProgress() {
    let now = monotonicNow()
    guard progress.isDue(now: now) else { return }
    let seconds = Double(now - lastRate.time) / 1e9
    let rate = lastRate.time == 0 ? 0 : Double(exchanges - lastRate.exchanges) / max(seconds, 0.001)
    lastRate = (now, exchanges)
    let packets = decoder.ledger[.packetsSeen]
    let dropped = drops[.packetsKernelDropped] + drops[.packetsInterfaceDropped]
    progress.show(
      "\(grouped(packets)) packets  \(grouped(exchanges)) exchanges (\(grouped(Int(rate)))/s)  "
        + "\(grouped(dropped)) dropped  \(ByteSize(bytes: decoder.heldBytes)) held", now: now)
  }
}
