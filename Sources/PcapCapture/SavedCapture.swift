// Packets from a saved capture: pcap or pcapng, plain or compressed, from a file, a pipe or standard input.
//
// In: bytes. Out: packet records, problems, secrets. Owner: one reader, serial. Bounds: one buffer as large as the longest
// packet, at most `longestPacket`; the problems, interfaces and secrets kept are limited too.

import HTTPModel
import PacketHeaders

/// A saved source of packets.
///
/// What is wrong in the file's middle is data: it is told in ``problems`` and the rest is read where it can be found.
/// gzip and zstd are known by their first bytes, whatever the file's name.
public final class SavedCapture {
  /// Problems, in order, at most ``problemLimit`` of them. To be read at the end.
  public private(set) var problems: [SavedCaptureProblem] = []
  /// How many problems there were.
  public private(set) var problemCount: UInt64 = 0
  /// Packets that the filter kept back.
  public private(set) var filteredPackets: UInt64 = 0
  /// Bytes that damage made unreadable.
  public internal(set) var skippedBytes: UInt64 = 0
  /// Packets with an earlier time than one before them.
  public private(set) var packetsOutOfOrder: UInt64 = 0
  /// The most, in nanoseconds, by which a packet's time lies before one that stands before it.
  public private(set) var largestStepBack: Int64 = 0
  /// Whether ``takeSecrets()`` has something to give.
  public var hasSecrets: Bool { !secrets.isEmpty }

  enum Format { case pcap, pcapng }

  // What every packet touches is not checked for overlapping access, which would cost as much as the packet: the owner
  // is serial, and no access to one of these calls out while it lasts.

  let input: CaptureInput
  /// nil before the file's header is read.
  @exclusivity(unchecked) private(set) var format: Format?
  @exclusivity(unchecked) var blocks = BlockLayout()
  @exclusivity(unchecked) var records = RecordLayout()
  /// Nothing more can be read.
  @exclusivity(unchecked) private(set) var isAtEnd = false
  /// Where damage began, while nothing that can be read has been found behind it.
  @exclusivity(unchecked) var damage: Damage?
  @exclusivity(unchecked) var secrets: [CaptureSecrets] = []
  var secretsSize = 0
  private let filter: String?
  private var program: (linkType: LinkType, program: BPFProgram)?
  @exclusivity(unchecked) private var latest = Timestamp(nanoseconds: .min)
  /// Another file has taken the place of the one that was followed.
  private var isRestarted = false

  public static let problemLimit = 32
  /// Captured bytes that a packet may have; what claims more is damage.
  static let longestPacket = 16 << 20
  /// Bytes of secrets that wait to be taken.
  static let secretsLimit = 16 << 20

  /// Opens a file and reads its header.
  ///
  /// - Parameters:
  ///   - path: `-` is standard input.
  ///   - filter: a pcap-filter(7) expression; compiled for each link type that the file turns out to have.
  ///   - follows: a regular file is read on as it grows, and from its beginning where it is cut short or another file
  ///     takes its name (as `tail -F` does), until `mustStop` says so. The file has to be there, but may be empty.
  ///   - mustStop: asked at each read, and ten times a second while there is nothing to read; true ends the capture.
  public convenience init(
    path: String, filter: String? = nil, follows: Bool = false, mustStop: @escaping () -> Bool = { false }
  ) throws(CaptureError) {
    try self.init(
      CaptureInput(CaptureDescriptor(path: path, follows: follows), mustStop: mustStop), filter: filter,
      mayBegin: follows)
  }

  /// Reads from a descriptor at its present position, which is left open.
  public convenience init(
    descriptor: Int32, name: String, filter: String? = nil, follows: Bool = false,
    mustStop: @escaping () -> Bool = { false }
  ) throws(CaptureError) {
    let source = try CaptureDescriptor(descriptor: descriptor, isOwned: false, name: name, follows: follows)
    try self.init(CaptureInput(source, mustStop: mustStop), filter: filter, mayBegin: follows)
  }

  /// - Parameter mayBegin: whether the header may come later.
  init(_ input: CaptureInput, filter: String?, mayBegin: Bool) throws(CaptureError) {
    self.input = input
    self.filter = filter.flatMap { text in text.allSatisfy(\.isWhitespace) ? nil : text }
    while try !begin(), !isAtEnd, !mayBegin { input.wait() }
  }

  /// The next packet that passes the filter; nil at the end. Waits where the source does.
  ///
  /// - Throws: where reading fails, or the filter does not fit a link type that appears in the file's middle, or a file
  ///   that took a followed one's place is no capture.
  public func next() throws(CaptureError) -> PacketRecord? {
    while true {
      if let packet = try poll() { return packet }
      if isAtEnd { return nil }
      input.wait()
    }
  }

  /// The next packet that passes the filter; nil at the end or where there is none now.
  func poll() throws(CaptureError) -> PacketRecord? {
    while true {
      let packet =
        switch format {
        case .pcap: try nextRecord()
        case .pcapng: try nextPacketBlock()
        case nil: nil as PacketRecord?
        }
      guard let packet else {
        if isAtEnd { return nil }
        if isRestarted || format == nil {
          isRestarted = false
          if try begin() { continue }
        }
        return nil
      }
      if packet.time < latest { noteOrder(packet.time) } else { latest = packet.time }
      if filter == nil { return packet }
      if try passes(packet) { return packet }
    }
  }

  /// The secrets that were read since the last call, in the file's order. Where nobody takes them, those over
  /// 16 MB are dropped, with a problem.
  public func takeSecrets() -> [CaptureSecrets] {
    defer { (secrets, secretsSize) = ([], 0) }
    return secrets
  }

  /// All secrets of a pcapng file, read ahead: those that stand behind the packets that they decrypt come too late
  /// otherwise. Costs one reading of the file.
  ///
  /// - Returns: nothing for a pipe or standard input, which can be read once only.
  public static func secrets(
    path: String, mustStop: @escaping () -> Bool = { false }
  ) throws(CaptureError) -> [CaptureSecrets] {
    if path == "-" { return [] }
    let source = try CaptureDescriptor(path: path)
    if source.mayWait { return [] }
    let capture = try SavedCapture(CaptureInput(source, mustStop: mustStop), filter: nil, mayBegin: false)
    guard capture.format == .pcapng else { return [] }
    while try capture.next() != nil {}
    return capture.takeSecrets()
  }

  /// Reads the file's header.
  /// - Returns: false where it has not come yet, or the end has.
  private func begin() throws(CaptureError) -> Bool {
    guard let recognized = try CaptureFormat.recognize(input) else {
      if input.shortage == .stopped { end() }
      return false
    }
    switch recognized {
    case .pcap(let layout):
      format = .pcap
      records = layout
      if !layout.linkType.isSupported { note(.linkTypeUnread(layout.linkType), at: 0) }
      try program(for: layout.linkType)
    case .pcapng:
      format = .pcapng
      try beginFirstSection()
    }
    return true
  }

  /// The filter's program for a link type; nil without a filter.
  @discardableResult
  private func program(for linkType: LinkType) throws(CaptureError) -> BPFProgram? {
    guard let filter else { return nil }
    if let program, program.linkType == linkType { return program.program }
    let compiled = try BPFProgram.saved(filter, linkType: linkType)
    program = (linkType, compiled)
    return compiled
  }

  @inline(never)
  private func passes(_ packet: PacketRecord) throws(CaptureError) -> Bool {
    guard let program = try program(for: packet.linkType), !program.matches(packet) else { return true }
    filteredPackets &+= 1
    return false
  }

  @inline(never)
  private func noteOrder(_ time: Timestamp) {
    packetsOutOfOrder &+= 1
    let step = latest.nanoseconds.subtractingReportingOverflow(time.nanoseconds)
    largestStepBack = max(largestStepBack, step.overflow ? .max : step.partialValue)
  }

  // MARK: The end

  @inline(never)
  func note(_ kind: SavedCaptureProblem.Kind, at offset: UInt64) {
    problemCount &+= 1
    if problems.count < SavedCapture.problemLimit { problems.append(SavedCaptureProblem(offset: offset, kind: kind)) }
  }

  private func end() { isAtEnd = true }

  /// There are not the bytes that the record at `offset` needs: they may come yet, or the file ends here.
  @inline(never)
  func runOut(at offset: UInt64) {
    switch input.shortage {
    case .pending: return
    case .stopped: return end()
    case .end, .replaced: break
    }
    if let fault = input.decompressor?.fault {
      note(SavedCaptureProblem.Kind(fault), at: offset)
    } else if input.available > 0, damage == nil {
      note(.cutOff, at: offset)
    }
    if input.shortage == .end { return end() }
    note(.replaced, at: offset)
    input.restart()
    (format, damage, isRestarted) = (nil, nil, true)
    blocks.beginFile()
  }
}
