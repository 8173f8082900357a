// Saved captures, read by the calling thread as fast as the disk takes what comes out.

import HTTPModel
import PcapCapture

extension CaptureSession {
  func readFiles(_ paths: [String]) throws {
    let options = SavedCaptureOptions(
      filter: plan.filter, follows: plan.follows, window: plan.reorderWindow)
    var nextSeal = monotonicNow()
    let source: SavedCaptureSet
    do {
      source = try SavedCaptureSet(paths: paths, options: options) { [unowned self] in
        // Asked while there is nothing to read: what came until then goes to the disk.
        let now = monotonicNow()
        if plan.follows, now >= nextSeal {
          nextSeal = now + 500_000_000
          lanes.first?.readKeyLogs()
          lanes.first?.putBlocks()
          lanes.first?.publish()
          showProgress()
        }
        return control.mustStop
      }
    } catch { throw CommandFailure("\(error)") }
    let names = paths.map { $0 == "-" ? "standard input" : $0 }.joined(separator: ", ")
    try begin(source: paths == ["-"] ? names : "\(paths.count == 1 ? "file" : "files") \(names)", lanes: 1)
    if plan.follows {
      announce("following \(names)" + (plan.destination.map { ", writing \($0)" } ?? "") + "; Ctrl-C ends")
    }
    if plan.assumesHeaderTables { try learnHeaderTables(from: paths, options) }
    let failure = try read(source)
    // Those behind the last packet.
    takeSecrets(of: source)
    let lane = lanes[0]
    var drops = Ledger()
    drops[.packetsFiltered] = source.filteredPackets
    drops[.packetsHurried] = source.packetsHurried
    drops[.fileBytesSkipped] = source.skippedBytes
    // What the tool that made the file says it lost.
    drops[.packetsKernelDropped] = source.recordedDrops.kernelDrops
    drops[.packetsInterfaceDropped] = source.recordedDrops.interfaceDrops
    notes += source.problems.map { paths.count > 1 ? "\($0.path): \($0.problem)" : "\($0.problem)" }
    if source.packetsOutOfOrder > 0, plan.reorderWindow == 0, source.largestStepBack > 1_000_000 {
      notes.append(
        "\(counted(source.packetsOutOfOrder, "packet")) out of order, by up to "
          + "\(shortDuration(source.largestStepBack)): --reorder-window puts them in order")
    }
    guard lane.putRest(drops: drops), sink?.problem == nil else { throw failedWriting() }
    if let failure {
      // What was read before stays: the session is finished and the failure told.
      _ = try finishSession()
      throw CommandFailure("\(failure)")
    }
  }

  /// - Returns: why reading ended before the end.
  private func read(_ source: SavedCaptureSet) throws -> CaptureError? {
    let lane = lanes[0]
    lane.readKeyLogs()
    var count = 0
    var first: Timestamp?
    do throws(CaptureError) {
      while !control.mustStop, let packet = try source.next() {
        if first == nil { first = packet.time }
        if source.hasSecrets { takeSecrets(of: source) }
        lane.receive(packet)
        if !lane.putExchanges() { return nil }
        count += 1
        if count & 0xfff == 0 {
          lane.publish()
          showProgress()
        }
        if isPast(first, lane.time) { return nil }
      }
      return nil
    } catch { return error }
  }

  /// A first pass over the files for the header tables that connections show, so that those which came earlier have them
  /// too. What is read from a pipe, or still grows, is read once.
  private func learnHeaderTables(from paths: [String], _ options: SavedCaptureOptions) throws {
    guard !plan.follows, !paths.contains("-") else { return }
    var first = plan
    (first.raw, first.observation, first.mirror) = (nil, nil, nil)
    let lane = CaptureLane(
      first, index: 0, count: 1, rules: CaptureRules(try LiveRules(paths: []), redacts: false), sink: nil, raw: nil,
      control: CaptureControl(maxExchanges: nil))
    lane.readKeyLogs()
    // What can't be read is told by the second pass.
    let source = try? SavedCaptureSet(paths: paths, options: options) { [control] in control.mustStop }
    while !control.mustStop, let source, let packet = try? source.next() {
      if source.hasSecrets {
        for secrets in source.takeSecrets() where secrets.kind == .tlsKeyLog { lane.addSecrets(secrets.bytes) }
      }
      lane.receive(packet)
      _ = lane.putExchanges()
    }
    _ = lane.putRest(drops: Ledger())
    lanes[0].shownHeaderTables = lane.shownHeaderTables
  }

  private func takeSecrets(of source: SavedCaptureSet) {
    for secrets in source.takeSecrets() where secrets.kind == .tlsKeyLog { lanes[0].addSecrets(secrets.bytes) }
  }

  private func isPast(_ first: Timestamp?, _ now: Timestamp?) -> Bool {
    if let most = plan.maxSize, let sink, sink.bytes >= UInt64(most) { return true }
    guard let duration = plan.duration, let first, let now else { return false }
    return now.nanoseconds(since: first) >= duration
  }
}
