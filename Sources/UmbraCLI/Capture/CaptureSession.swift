// Carries out a capture: packets from sources through lanes into session files.
//
// In: a plan. Out: session files, a summary. A saved capture is read by the calling thread. A live one has a thread for
// each lane, and the calling thread watches: time, size, what a person sees. Session writers have threads of their own;
// a live capture never waits for them: what the disk cannot take is shed and counted.

import ExchangeAssembly
import Glibc
import HTTPModel
import PcapCapture
import SessionFile
import Synchronization
import TrafficRules

/// One capture from its beginning to its end.
///
/// `@unchecked Sendable`: `run()` is called once and everything it touches stays on its thread, or goes to lanes that
/// are themselves proven; from other threads only `stop()` and `isCapturing` are used, and both are atomics, and, once
/// the lanes and the sink are made, which then stay, `ledger`.
final class CaptureSession: @unchecked Sendable {
  let plan: CapturePlan
  let control: CaptureControl
  private(set) var sink: SessionSink?
  private(set) var lanes: [CaptureLane] = []
  private(set) var raw: RawPacketRecorder?
  private var rulesWatcher: RulesWatcher?
  var notes: [String] = []
  private var progress: ProgressLine
  private var lastRate: (time: Int64, exchanges: UInt64) = (0, 0)
  private var statusRequests = 0

  init(_ plan: CapturePlan) {
    self.plan = plan
    control = CaptureControl(maxExchanges: plan.maxExchanges, keepsRest: plan.mirror != nil)
    progress = ProgressLine(plan.progress)
  }

  /// Ends the capture soon, from any thread.
  func stop() { control.stop() }

  /// Whether a live capture has begun to see packets' copies.
  var isCapturing: Bool { control.isCapturing }

  /// - Returns: what there is to say at the end.
  /// - Throws: `CommandFailure`. What was captured until then is in the session file.
  func run() throws -> CaptureSummary {
    let began = monotonicNow()
    switch plan.origin {
    case .files(let paths): try readFiles(paths)
    case .interfaces(let names): try readInterfaces(names)
    }
    let written = try finishSession()
    finishRaw()
    progress.clear()
    let states = lanes.map { $0.state.withLock { $0 } }
    notes += UnreadableConnections(of: lanes).notes
    let first = states.compactMap(\.firstPacket).min()
    let last = states.compactMap(\.lastPacket).max()
    return CaptureSummary(
      origin: plan.origin.description, ledger: ledger, notes: notes, exchanges: control.exchanges, written: written,
      packetTime: first.flatMap { first in last.map { $0.nanoseconds(since: first) } } ?? 0,
      elapsed: monotonicNow() - began)
  }

  /// What the lanes had counted at their last tick, and what was shed.
  var ledger: Ledger {
    var ledger = Ledger()
    for lane in lanes { ledger.add(lane.state.withLock { $0.ledger }) }
    if let sink { ledger.add(sink.shed) }
    return ledger
  }

  // MARK: The session file

  /// Opens the session and makes the lanes.
  func begin(source: String, lanes count: Int, facts: [(String, String)] = []) throws {
    if let told = try plan.observation?.start() { announce(told) }
    let live = try plan.rules ?? LiveRules(paths: [])
    if let path = plan.destination {
      var metadata = SessionMetadata()
      metadata["tool"] = "umbra \(umbraVersion)"
      metadata["source"] = source
      metadata["command"] = CommandLine.arguments.joined(separator: " ")
      if let ports = plan.ports { metadata["ports"] = ports.description }
      if let filter = plan.filter { metadata["filter"] = filter }
      metadata["rules"] = live.rules.summary
      if !plan.keepsCredentials { metadata["redaction_key"] = live.keyFingerprint }
      for (name, value) in facts { metadata[name] = value }
      do {
        sink = try SessionSink(
          SessionSink.Plan(
            path: path, overwrite: plan.overwrite, rotation: plan.rotation, kept: plan.kept,
            queueLimit: queueLimit, metadata: metadata, key: plan.key),
          lanes: count)
      } catch { throw CommandFailure("\(error)") }
    }
    if let ring = plan.raw { raw = try RawPacketRecorder(ring) }
    let rules = CaptureRules(live, redacts: !plan.keepsCredentials, hiding: plan.hidden)
    if case .interfaces = plan.origin, !live.paths.isEmpty {
      rulesWatcher = try RulesWatcher(live, observation: plan.observation)
    }
    lanes = (0..<count).map {
      CaptureLane(plan, index: $0, count: count, rules: rules, sink: sink, raw: raw, control: control)
    }
    let destination = plan.destination.map { ", written to \($0)" } ?? ""
    StandardError.say("\(source)\(destination), in \(counted(count, "lane")); \(live.rules.summary)", .debug)
    plan.observation?.watch(lanes: lanes, sink: sink)
    plan.observation?.audit(
      "capture",
      [
        ("source", source), ("ports", plan.ports?.description ?? "all"), ("filter", plan.filter ?? ""),
        ("file", plan.destination ?? ""), ("credentials", plan.keepsCredentials ? "kept" : "tokens"),
        ("rules", live.paths.joined(separator: " ")), ("rules_in_force", live.rules.summary),
      ])
    if !live.paths.isEmpty { plan.observation?.watch(live) }
    try plan.mirror?.begin { [self] in ledger }
  }

  /// Live, a queue bridges the time in which the disk is slow. A reader of files waits for the disk anyway: with few
  /// blocks in flight their memory is used again while it is still in the processor's cache.
  private var queueLimit: Int {
    switch plan.origin {
    case .interfaces: SessionWriter.defaultQueueLimit
    case .files: 4 * SessionEncoder.blockTarget
    }
  }

  func finishSession() throws -> SessionSink.Written? {
    rulesWatcher?.stop()
    guard let sink else { return nil }
    var counted = Ledger()
    for lane in lanes { counted.add(lane.state.withLock { $0.ledger }) }
    let facts = UnreadableConnections(of: lanes).metadata
    do { return try sink.finish(ledger: counted, facts: facts) } catch { throw CommandFailure("\(error)") }
  }

  private func finishRaw() {
    guard let raw, let path = plan.raw?.path else { return }
    raw.finish()
    if let problem = raw.problem { notes.append("packets beside the session: \(problem)") }
    if raw.shedSecrets > 0 {
      notes.append(
        "\(counted(raw.shedSecrets, "byte")) of secrets left out of \(path): they are more than a quarter of a file")
    }
    if raw.shed > 0 { notes.append("\(counted(raw.shed, "packet")) left out of \(path): the disk was too slow") }
  }

  func failedWriting() -> CommandFailure {
    progress.clear()
    let reason = sink?.problem.map { "\($0)" } ?? "the session could not be written"
    return CommandFailure("\(reason); \(counted(control.exchanges, "exchange")) had been read")
  }

  // MARK: What a person sees

  func announce(_ text: String) {
    guard !plan.isQuiet, StandardError.isTerminal || StandardError.isJSON || plan.progress == .plain else { return }
    StandardError.say(text)
  }

  func showProgress() {
    let now = monotonicNow()
    if statusRequests != Interruption.statusRequests {
      statusRequests = Interruption.statusRequests
      progress.clear()
      let lines = [statusLine(now: now)] + LedgerText.lines(ledger)
      StandardError.write(lines.map { "umbra: \($0)\n" }.joined())
    }
    guard progress.isDue(now: now) else { return }
    progress.show(statusLine(now: now), now: now)
  }

  private func statusLine(now: Int64) -> String {
    let exchanges = control.exchanges
    let seconds = Double(now - lastRate.time) / 1e9
    let rate = lastRate.time == 0 ? 0 : Double(exchanges - lastRate.exchanges) / max(seconds, 0.001)
    lastRate = (now, exchanges)
    let ledger = ledger
    let held = lanes.reduce(0) { $0 + $1.state.withLock { $0.heldBytes } }
    let dropped = ledger[.packetsKernelDropped] + ledger[.packetsInterfaceDropped]
    return "\(grouped(ledger[.packetsSeen])) packets  \(grouped(exchanges)) exchanges (\(grouped(Int(rate)))/s)  "
      + "\(grouped(dropped)) dropped  \(ByteSize(bytes: held)) held"
  }
}
