// A saved capture, read by the calling thread as fast as the disk takes what comes out.

import HTTPModel
import PcapCapture

extension CaptureSession {
  func readFiles(_ paths: [String]) throws {
    let path = paths[0]
    let source: SavedCapture
    do {
      source = try SavedCapture(path: path, filter: plan.filter, mustStop: { [control] in control.mustStop })
    } catch { throw CommandFailure("\(error)") }
    try begin(source: path == "-" ? "standard input" : "file \(path)", lanes: 1)
    let lane = lanes[0]
    var count = 0
    var first: Timestamp?
    var failure: CaptureError?
    do throws(CaptureError) {
      while !control.mustStop, let packet = try source.next() {
        if first == nil { first = packet.time }
        lane.receive(packet)
        if !lane.putExchanges() { break }
        count += 1
        if count & 0xfff == 0 {
          lane.publish()
          showProgress()
        }
        if isPast(first, lane.time) { break }
      }
    } catch { failure = error }
    var drops = Ledger()
    drops[.packetsFiltered] = source.filteredPackets
    // What the tool that made the file says it lost.
    drops[.packetsKernelDropped] = source.recordedDrops.kernelDrops
    drops[.packetsInterfaceDropped] = source.recordedDrops.interfaceDrops
    notes += source.problems.map { "\($0)" }
    guard lane.putRest(drops: drops), sink?.problem == nil else { throw failedWriting() }
    if let failure {
      // What was read before stays: the session is finished and the failure told.
      _ = try finishSession()
      throw CommandFailure("\(failure)")
    }
  }

  private func isPast(_ first: Timestamp?, _ now: Timestamp?) -> Bool {
    if let most = plan.maxSize, let sink, sink.bytes >= UInt64(most) { return true }
    guard let duration = plan.duration, let first, let now else { return false }
    return now.nanoseconds(since: first) >= duration
  }
}
