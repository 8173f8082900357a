// A saved capture's packets, by our own reader: pcap and pcapng, either byte order.
//
// In: a file or standard input. Out: packets one by one, borrowed. Owner: one thread. Bounds: one block or packet, 64 MiB
// at most; a file is mapped.

import Glibc
import HTTPModel
public import PacketHeaders

/// Something about a saved capture that did not end its reading in failure.
public enum SavedCaptureProblem: Hashable, Sendable, CustomStringConvertible {
  /// The file ends inside a packet or block.
  case truncated(path: String, offset: UInt64)
  /// Packets of link types that are not read.
  case linkTypesUnread([LinkType: UInt64])

  public var description: String {
    switch self {
    case .truncated(let path, let offset):
      "\(path) ends inside a packet at byte \(offset); everything before it was read"
    case .linkTypesUnread(let counts):
      counts.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) packets of \($0.key) can't be read" }
        .joined(separator: "; ")
    }
  }
}

/// Reads a saved capture.
public final class SavedCapture {
  private let input: CaptureInput
  private var format: any SavedCaptureFormat
  private let filterText: String?
  private var filters: [LinkType: CompiledFilter] = [:]
  /// Packets that the filter left out.
  public private(set) var filteredPackets: UInt64 = 0
  private var truncation: UInt64?
  private var unread: [LinkType: UInt64] = [:]

  /// - Parameters:
  ///   - path: a file, or `-` for standard input.
  ///   - filter: pcap-filter(7) text; compiled for each link type as it comes.
  public init(path: String, filter: String? = nil) throws(CaptureError) {
    input = try CaptureInput(path: path)
    format = try Self.detect(input)
    filterText = filter.flatMap { $0.allSatisfy(\.isWhitespace) ? nil : $0 }
    // A mistake in the filter is to be told even where the file holds no packet.
    if let filterText { _ = try CompiledFilter(filterText, linkType: .ethernet) }
  }

  /// What was odd, known at the end.
  public var problems: [SavedCaptureProblem] {
    var problems: [SavedCaptureProblem] = []
    if let truncation { problems.append(.truncated(path: input.path, offset: truncation)) }
    if !unread.isEmpty { problems.append(.linkTypesUnread(unread)) }
    return problems
  }

  /// The next packet that the filter lets through; nil at the end. Its bytes are borrowed until the next call.
  /// - Throws: where the file can't be read on, or is damaged so that no next packet can be found.
  public func next() throws(CaptureError) -> PacketRecord? {
    while truncation == nil {
      switch try format.next(input) {
      case .packet(let record):
        if !record.linkType.isSupported { unread[record.linkType, default: 0] += 1 }
        if let filterText, try !isWanted(record, filterText) {
          filteredPackets += 1
          continue
        }
        return record
      case .truncated: truncation = input.offset
      case .end: return nil
      }
    }
    return nil
  }

  private func isWanted(_ record: PacketRecord, _ text: String) throws(CaptureError) -> Bool {
    guard record.linkType.isSupported else { return true }
    let filter: CompiledFilter
    if let known = filters[record.linkType] {
      filter = known
    } else {
      filter = try CompiledFilter(text, linkType: record.linkType)
      filters[record.linkType] = filter
    }
    return filter.matches(record.bytes, lengthOnWire: record.lengthOnWire)
  }

  private static func detect(_ input: CaptureInput) throws(CaptureError) -> any SavedCaptureFormat {
    let start = try input.peek(24)
    if start.isEmpty { throw .fileEmpty(path: input.path) }
    if start.count >= 4 {
      let magic = start.loadUnaligned(as: UInt32.self)
      if let format = PcapFormat(magic: UInt32(littleEndian: magic)) { return try format.reading(header: input) }
      if UInt32(littleEndian: magic) == PcapngFormat.sectionHeader { return PcapngFormat() }
    }
    if start.starts(with: [0x1f, 0x8b]) {
      throw .fileCompressed(path: input.path, tool: "gzip", decompress: "for instance 'zcat FILE | umbra capture -r -'")
    }
    if start.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) {
      throw .fileCompressed(
        path: input.path, tool: "zstd", decompress: "for instance 'zstdcat FILE | umbra capture -r -'")
    }
    let hints: [([UInt8], String)] = [
      (Array("UMBRA".utf8), "an umbra session"), (Array("{".utf8), "JSON, perhaps a HAR file"),
      ([0x89] + Array("UMB".utf8), "an umbra session"), (Array("1 ".utf8), "perhaps a GoReplay file"),
    ]
    throw .fileNotCapture(path: input.path, hint: hints.first { start.starts(with: $0.0) }?.1)
  }
}

/// What a format finds next in its input.
enum SavedCaptureItem {
  case packet(PacketRecord)
  /// The input ends inside a packet or block.
  case truncated
  case end
}

protocol SavedCaptureFormat {
  mutating func next(_ input: CaptureInput) throws(CaptureError) -> SavedCaptureItem
}

extension UnsafeRawBufferPointer {
  /// An unsigned number at `offset`, which must be inside.
  @inline(__always)
  func u32(_ offset: Int, swapped: Bool) -> UInt32 {
    let value = UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    return swapped ? value.byteSwapped : value
  }

  @inline(__always)
  func u16(_ offset: Int, swapped: Bool) -> UInt16 {
    let value = UInt16(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    return swapped ? value.byteSwapped : value
  }
}
