// A live capture: a thread for each lane, and the calling thread to watch over them.

import Glibc
import HTTPModel
import PcapCapture
import Synchronization

extension CaptureSession {
  func readInterfaces(_ names: [String]) throws {
    let sources = try open(names)
    // From here on nothing needs the right to capture but an interface that is waited for.
    if let dropped = try plan.privileges.drop(keepsCapture: plan.waits) { notes.append(dropped) }
    let lanesText = plan.fanout > 1 ? ", \(plan.fanout) threads" : ""
    let ring = "\(ByteSize(bytes: plan.bufferBytes)) ring"
    try begin(
      source: "interface \(names.joined(separator: ", "))", lanes: plan.fanout,
      facts: [("ring", "\(plan.bufferBytes)"), ("threads", "\(plan.fanout)")])
    announce(
      "capturing on \(names.joined(separator: ", ")) (\(ring)\(lanesText))"
        + (plan.destination.map { ", writing \($0)" } ?? "") + "; Ctrl-C ends")
    control.isCapturing = true
    let readers = zip(sources, lanes).map { LiveReader($0, lane: $1, control: control, waits: plan.waits) }
    var threads: [BackgroundThread] = []
    for (index, reader) in readers.enumerated() {
      threads.append(try BackgroundThread { reader.run(countsInterfaces: index == 0) })
    }
    watch(readers)
    control.stop()
    for thread in threads { thread.join() }
    notes += Set(readers.flatMap { $0.notes.withLock { $0 } }).sorted()
    if sink?.problem != nil { throw failedWriting() }
  }

  /// A set of captures for each lane; all of one interface share its packets.
  private func open(_ names: [String]) throws -> [LiveCaptureSet] {
    var sets: [LiveCaptureSet] = []
    for _ in 0..<plan.fanout {
      var captures: [LiveCapture] = []
      for (index, name) in names.enumerated() {
        var options = LiveCaptureOptions(
          interface: name, snapLength: plan.snapLength, bufferBytes: plan.bufferBytes / plan.fanout,
          promiscuous: plan.promiscuous, ports: plan.ports?.ranges ?? [], filter: plan.filter)
        // Groups are the network namespace's: the process's number keeps them apart from those of others.
        if plan.fanout > 1 { options.fanoutGroup = UInt16(truncatingIfNeeded: Int(getpid()) &+ index &* 7919) }
        captures.append(try openOrWait(options))
        if control.mustStop { return sets }
      }
      sets.append(LiveCaptureSet(captures))
    }
    return sets
  }

  private func openOrWait(_ options: LiveCaptureOptions) throws -> LiveCapture {
    var isTold = false
    while true {
      do throws(CaptureError) { return try LiveCapture(options) } catch {
        guard plan.waits, error.mayMend, !control.mustStop else { throw CommandFailure("\(error)") }
        if !isTold { announce("waiting for interface \(options.interface)") }
        isTold = true
        usleep(200_000)
      }
    }
  }

  /// Until there is a reason to end.
  private func watch(_ readers: [LiveReader]) {
    let began = monotonicNow()
    while !control.mustStop {
      usleep(50_000)
      showProgress()
      let now = monotonicNow()
      if let duration = plan.duration, now - began >= duration { return }
      if readers.allSatisfy({ $0.isDone.load(ordering: .acquiring) }) { return }
      guard let sink else { continue }
      sink.rotateIfDue(now: now)
      if sink.problem != nil { return }
      if let most = plan.maxSize, sink.bytes >= UInt64(most) { return }
    }
  }
}

/// What a lane's thread does in a live capture.
///
/// `@unchecked Sendable`: the sources and the lane are used by the one thread that runs ``run(countsInterfaces:)``;
/// what others look at is atomic or behind a mutex.
private final class LiveReader: @unchecked Sendable {
  let notes = Mutex<[String]>([])
  let isDone = Atomic<Bool>(false)
  private let sources: LiveCaptureSet
  private let lane: CaptureLane
  private let control: CaptureControl
  private let waits: Bool
  /// Interfaces that are gone and waited for.
  private var missing: [LiveCaptureOptions] = []
  private var nextTry: Int64 = 0

  init(_ sources: LiveCaptureSet, lane: CaptureLane, control: CaptureControl, waits: Bool) {
    self.sources = sources
    self.lane = lane
    self.control = control
    self.waits = waits
  }

  /// - Parameter countsInterfaces: whether the interfaces' own drops are counted here; one lane does for all.
  func run(countsInterfaces: Bool) {
    defer { isDone.store(true, ordering: .releasing) }
    var nextTick = monotonicNow()
    while !control.mustStop {
      let count = read()
      let now = monotonicNow()
      guard count == 0 || now >= nextTick else { continue }
      nextTick = now + 100_000_000
      lane.tick(wall: Timestamp(nanoseconds: wallNow()), drops: drops(countsInterfaces))
      reopen(now: now)
      if sources.isEmpty, missing.isEmpty { break }
    }
    // What the kernel has copied by now still counts.
    for _ in 0..<2 { _ = read() }
    lane.offerRest(drops: drops(countsInterfaces))
  }

  private func read() -> Int {
    let count = sources.read { packet in
      // Many packets are read at a time.
      if control.isFull { return }
      lane.receive(packet)
      lane.offerExchanges()
    }
    for loss in sources.takeLosses() {
      notes.withLock { $0.append("\(loss.error)") }
      if waits { missing.append(loss.options) }
    }
    return count
  }

  private func reopen(now: Int64) {
    guard !missing.isEmpty, now >= nextTry else { return }
    nextTry = now + 500_000_000
    missing.removeAll { options in
      guard let capture = try? LiveCapture(options) else { return false }
      sources.add(capture)
      notes.withLock { $0.append("interface \(options.interface) came back") }
      return true
    }
  }

  private func drops(_ countsInterfaces: Bool) -> Ledger {
    var drops = Ledger()
    for (_, statistics) in sources.statistics {
      drops[.packetsKernelDropped] += statistics.kernelDrops
      if countsInterfaces { drops[.packetsInterfaceDropped] += statistics.interfaceDrops }
    }
    return drops
  }
}

extension CaptureError {
  /// An interface that may yet come.
  fileprivate var mayMend: Bool {
    switch self {
    case .interfaceUnknown, .interfaceDown, .interfaceGone: true
    default: false
    }
  }
}
