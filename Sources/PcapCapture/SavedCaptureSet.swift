// Several saved captures read as one, by the time of their packets.
//
// In: paths. Out: packet records. Owner: one reader, serial. Bounds: those of each capture, and the window's.

import HTTPModel
import PacketHeaders

/// How saved captures are read together.
public struct SavedCaptureOptions: Sendable {
  /// A pcap-filter(7) expression.
  public var filter: String?
  /// Regular files are read on as they grow; see ``SavedCapture``.
  public var follows = false
  /// Nanoseconds of packet time within which packets are put in order; 0 leaves each file's order as it is.
  ///
  /// 0 is the default because a file's order is that in which packets were seen, and more to be trusted than a clock that
  /// was set back in between. A window is for captures that several threads or hosts wrote, where
  /// ``SavedCaptureSet/packetsOutOfOrder`` shows that it is needed. It costs a copy of each packet.
  public var window: Int64 = 0
  /// Bytes of packets that the window holds at most.
  public var windowBytes = 64 << 20

  public init(filter: String? = nil, follows: Bool = false, window: Int64 = 0, windowBytes: Int = 64 << 20) {
    self.filter = filter
    self.follows = follows
    self.window = window
    self.windowBytes = windowBytes
  }
}

/// Saved captures merged by time. Packets of the same time come in the order of the files.
///
/// A capture that has nothing now holds the others up, since its next packet may be the earliest: a pipe for as long as it
/// takes, a file that is followed for a second.
public final class SavedCaptureSet {
  private final class Source {
    let path: String
    let capture: SavedCapture
    /// Lent by the capture until it is asked again.
    @exclusivity(unchecked) var head: PacketRecord?
    /// When it was found to have nothing.
    var silentSince: ContinuousClock.Instant?

    init(path: String, capture: SavedCapture) {
      self.path = path
      self.capture = capture
    }
  }

  private let options: SavedCaptureOptions
  @exclusivity(unchecked) private var sources: [Source] = []
  /// Where there is one source: the way that most packets come.
  private let single: SavedCapture?
  /// Sources that have a packet, a binary heap by its time and then by their number.
  @exclusivity(unchecked) private var heap: [Int] = []
  /// Sources that have no packet now and are not at their end.
  @exclusivity(unchecked) private var silent: [Int] = []
  /// The source whose packet was handed over last.
  @exclusivity(unchecked) private var lender: Int?
  @exclusivity(unchecked) private var window: ReorderWindow?
  /// When silent sources are looked at again; nil means at once.
  private var nextLook: ContinuousClock.Instant?
  @exclusivity(unchecked) private var latest = Timestamp(nanoseconds: .min)
  @exclusivity(unchecked) private var outOfOrder: UInt64 = 0

  /// How long a silent file which is followed holds up the others.
  private static let patience = Duration.seconds(1)
  /// Between two looks at silent files while others have packets.
  private static let interval = Duration.milliseconds(100)

  /// Opens all files and reads their headers.
  ///
  /// - Parameters:
  ///   - paths: `-`, once, is standard input.
  ///   - mustStop: as for ``SavedCapture``.
  public init(
    paths: [String], options: SavedCaptureOptions = SavedCaptureOptions(), mustStop: @escaping () -> Bool = { false }
  ) throws(CaptureError) {
    self.options = options
    if options.window > 0 { window = ReorderWindow(span: options.window, limit: options.windowBytes) }
    // Many files share the memory that sixteen have.
    let capacity = max(1 << 14, CaptureInput.defaultCapacity * 16 / max(16, paths.count))
    var sources: [Source] = []
    for path in paths {
      let input = CaptureInput(
        try CaptureDescriptor(path: path, follows: options.follows), capacity: capacity, mustStop: mustStop)
      let capture = try SavedCapture(input, filter: options.filter, mayBegin: options.follows || paths.count > 1)
      sources.append(Source(path: path, capture: capture))
    }
    self.sources = sources
    single = sources.count == 1 ? sources[0].capture : nil
    silent = Array(sources.indices)
  }

  /// The next packet that passes the filter; nil at the end of all. Waits where the sources do.
  ///
  /// - Throws: as ``SavedCapture/next()``. The other files may be read on.
  public func next() throws(CaptureError) -> PacketRecord? {
    guard window != nil else { return if let single { try single.next() } else { try nextMerged() } }
    while true {
      if let packet = window!.pop(isLast: false) { return packet }
      guard let packet = try nextMerged() else { return window!.pop(isLast: true) }
      window!.push(packet)
    }
  }

  // MARK: What is told

  /// Each file's problems, files in the order in which they were named.
  public var problems: [(path: String, problem: SavedCaptureProblem)] {
    sources.flatMap { source in source.capture.problems.map { (source.path, $0) } }
  }

  /// How many problems there were in all.
  public var problemCount: UInt64 { sources.reduce(0) { $0 &+ $1.capture.problemCount } }

  /// Packets that the filter kept back.
  public var filteredPackets: UInt64 { sources.reduce(0) { $0 &+ $1.capture.filteredPackets } }

  /// Bytes that damage made unreadable.
  public var skippedBytes: UInt64 { sources.reduce(0) { $0 &+ $1.capture.skippedBytes } }

  /// What the programs that wrote the files say they lost.
  public var recordedDrops: RecordedDrops {
    sources.reduce(into: RecordedDrops()) { $0.add($1.capture.recordedDrops) }
  }

  /// Packets that were handed over after one with a later time: with a window those that came too late for it.
  public var packetsOutOfOrder: UInt64 {
    if let window { return window.late }
    return single?.packetsOutOfOrder ?? outOfOrder
  }

  /// The most, in nanoseconds, by which a file is out of order in itself: the window that it takes.
  public var largestStepBack: Int64 { sources.reduce(0) { max($0, $1.capture.largestStepBack) } }

  /// Packets that the window let go before their time because its bytes were used up.
  public var packetsHurried: UInt64 { window?.hurried ?? 0 }

  /// Whether ``takeSecrets()`` has something to give.
  public var hasSecrets: Bool {
    single?.hasSecrets ?? sources.contains { $0.capture.hasSecrets }
  }

  /// The secrets that were read since the last call.
  public func takeSecrets() -> [CaptureSecrets] { sources.flatMap { $0.capture.takeSecrets() } }

  // MARK: Merging

  private func nextMerged() throws(CaptureError) -> PacketRecord? {
    if let lender {
      self.lender = nil
      try advance(lender)
    }
    while true {
      if !silent.isEmpty {
        let now = ContinuousClock.now
        if nextLook.map({ $0 <= now }) ?? true { try lookAtSilent(now) }
        if silent.contains(where: { holdsUp($0, now) }) || heap.isEmpty && !silent.isEmpty {
          nextLook = nil
          sources[silent[0]].capture.input.wait()
          continue
        }
      }
      guard let first = heap.first, let packet = sources[first].head else { return nil }
      removeFirst()
      lender = first
      if packet.time < latest { outOfOrder &+= 1 } else { latest = packet.time }
      return packet
    }
  }

  /// Asks a source that has lent its packet for the next one.
  private func advance(_ index: Int) throws(CaptureError) {
    sources[index].head = nil
    if let packet = try sources[index].capture.poll() {
      sources[index].head = numbered(packet, index)
      insert(index)
    } else if !sources[index].capture.isAtEnd {
      sources[index].silentSince = .now
      silent.append(index)
      nextLook = nil
    }
  }

  private func lookAtSilent(_ now: ContinuousClock.Instant) throws(CaptureError) {
    let before = silent
    silent = []
    defer { nextLook = silent.isEmpty ? nil : now + SavedCaptureSet.interval }
    for index in before {
      if let packet = try sources[index].capture.poll() {
        sources[index].head = numbered(packet, index)
        sources[index].silentSince = nil
        insert(index)
      } else if !sources[index].capture.isAtEnd {
        if sources[index].silentSince == nil { sources[index].silentSince = now }
        silent.append(index)
      }
    }
  }

  private func holdsUp(_ index: Int, _ now: ContinuousClock.Instant) -> Bool {
    guard options.follows, let since = sources[index].silentSince else { return true }
    return sources[index].capture.input.isPipe || now - since < SavedCaptureSet.patience
  }

  /// Interfaces of different files have different numbers.
  private func numbered(_ packet: PacketRecord, _ index: Int) -> PacketRecord {
    var packet = packet
    packet.interface |= index << 32
    return packet
  }

  private func precedes(_ a: Int, _ b: Int) -> Bool {
    guard let first = sources[a].head?.time, let second = sources[b].head?.time else { return a < b }
    return first != second ? first < second : a < b
  }

  private func insert(_ index: Int) {
    heap.append(index)
    var child = heap.count - 1
    while child > 0, precedes(heap[child], heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private func removeFirst() {
    let last = heap.removeLast()
    if heap.isEmpty { return }
    heap[0] = last
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { return }
      if child + 1 < heap.count, precedes(heap[child + 1], heap[child]) { child += 1 }
      guard precedes(heap[child], heap[parent]) else { return }
      heap.swapAt(parent, child)
      parent = child
    }
  }
}
