// Packets from a saved capture: pcap or pcapng, from a file, a pipe or standard input.
//
// In: bytes. Out: packet records, problems. Owner: one reader, serial. Bounds: one buffer as large as the longest
// packet, at most `longestPacket`; the problems and interfaces kept are limited too.

import PacketHeaders

/// A saved source of packets.
///
/// What is wrong in the file's middle is data: it is told in ``problems`` and the rest is read where it can be found.
public final class SavedCapture {
  /// Problems, in order, at most ``problemLimit`` of them. To be read at the end.
  public private(set) var problems: [SavedCaptureProblem] = []
  /// How many problems there were.
  public private(set) var problemCount: UInt64 = 0
  /// Packets that the filter kept back.
  public private(set) var filteredPackets: UInt64 = 0

  let input: CaptureInput
  /// pcapng's blocks, or nil where the file is pcap.
  var blocks: BlockLayout?
  var records: RecordLayout
  /// Nothing more can be read.
  var isAtEnd = false
  private let filter: String?
  private var program: (linkType: LinkType, program: BPFProgram)?

  public static let problemLimit = 32
  /// Captured bytes that a packet may have; what claims more is damage.
  static let longestPacket = 16 << 20

  /// Opens a file and reads its header.
  ///
  /// - Parameters:
  ///   - path: `-` is standard input.
  ///   - filter: a pcap-filter(7) expression; compiled for each link type that the file turns out to have.
  ///   - mustStop: asked some times a second while a pipe has nothing to read; true ends the capture.
  public convenience init(
    path: String, filter: String? = nil, mustStop: @escaping () -> Bool = { false }
  ) throws(CaptureError) {
    try self.init(CaptureInput(path: path, mustStop: mustStop), filter: filter)
  }

  /// Reads from a descriptor at its present position, which is left open.
  public convenience init(
    descriptor: Int32, name: String, filter: String? = nil, mustStop: @escaping () -> Bool = { false }
  ) throws(CaptureError) {
    try self.init(
      CaptureInput(descriptor: descriptor, isOwned: false, name: name, mustStop: mustStop), filter: filter)
  }

  private init(_ input: CaptureInput, filter: String?) throws(CaptureError) {
    self.input = input
    self.filter = filter.flatMap { text in text.allSatisfy(\.isWhitespace) ? nil : text }
    switch try CaptureFormat.recognize(input) {
    case .pcap(let layout):
      records = layout
      if !layout.linkType.isSupported { note(.linkTypeUnread(layout.linkType), at: 0) }
      try program(for: layout.linkType)
    case .pcapng:
      records = RecordLayout()
      blocks = BlockLayout()
      try beginFirstSection()
    }
  }

  /// The next packet that passes the filter; nil at the end.
  ///
  /// - Throws: where reading fails, or the filter does not fit a link type that appears in the file's middle.
  public func next() throws(CaptureError) -> PacketRecord? {
    while true {
      guard let packet = try blocks == nil ? nextRecord() : nextPacketBlock() else { return nil }
      if filter == nil { return packet }
      if let program = try program(for: packet.linkType), !program.matches(packet) {
        filteredPackets &+= 1
        continue
      }
      return packet
    }
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

  func note(_ kind: SavedCaptureProblem.Kind, at offset: UInt64) {
    problemCount &+= 1
    if problems.count < SavedCapture.problemLimit { problems.append(SavedCaptureProblem(offset: offset, kind: kind)) }
  }

  /// Notes why nothing more can be read.
  func end(_ kind: SavedCaptureProblem.Kind? = nil, at offset: UInt64 = 0) {
    if let kind { note(kind, at: offset) }
    isAtEnd = true
  }
}
