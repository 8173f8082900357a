// A file's first bytes to its format.

import PacketHeaders

/// The formats that are read.
enum CaptureFormat {
  case pcap(RecordLayout)
  /// Its section header is not consumed.
  case pcapng

  /// Recognizes a file; a pcap file's header is consumed.
  static func recognize(_ input: CaptureInput) throws(CaptureError) -> CaptureFormat {
    guard let start = try input.peek(4) else {
      if input.available == 0 { throw .fileEmpty(path: input.name) }
      throw .notACapture(path: input.name, content: nil)
    }
    let magic = UInt32(bigEndian: start.loadUnaligned(as: UInt32.self))
    if magic == sectionHeader { return .pcapng }
    guard let kind = RecordLayout.Kind(magic: magic) else {
      throw .notACapture(path: input.name, content: try foreignContent(input))
    }
    guard let header = try input.peek(24) else { throw .fileHeaderCut(path: input.name) }
    let layout = RecordLayout(kind, header: header)
    guard layout.major == 2 else {
      throw .versionUnknown(path: input.name, format: "pcap", major: layout.major, minor: layout.minor)
    }
    input.consume(24)
    return .pcap(layout)
  }

  /// pcapng's first block type, the same in both byte orders.
  static let sectionHeader: UInt32 = 0x0a0d_0d0a

  /// What the first bytes of formats say that people mistake for a capture.
  private static func foreignContent(_ input: CaptureInput) throws(CaptureError) -> CaptureError.ForeignContent? {
    let length = try input.peek(8) != nil ? 8 : 4
    guard let start = try input.peek(length) else { return nil }
    let bytes = UnsafeRawBufferPointer(start: start, count: length)
    return known.first { bytes.starts(with: $0.signature) }?.content
  }

  private static let known: [(signature: [UInt8], content: CaptureError.ForeignContent)] = [
    ([0x1f, 0x8b], .compressed(by: "gzip", tool: "gzip -dc")),
    ([0x28, 0xb5, 0x2f, 0xfd], .compressed(by: "zstd", tool: "zstd -dc")),
    ([0x04, 0x22, 0x4d, 0x18], .compressed(by: "lz4", tool: "lz4 -dc")),
    ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], .compressed(by: "xz", tool: "xz -dc")),
    (Array("BZh".utf8), .compressed(by: "bzip2", tool: "bzip2 -dc")),
    (Array("snoop\0\0\0".utf8), .otherCapture(format: "snoop")),
    (Array("GMBU".utf8), .otherCapture(format: "Network Monitor")),
    (Array("TRSNIFF ".utf8), .otherCapture(format: "Sniffer")),
    ([0x89] + Array("UMBRA\r\n".utf8), .umbraSession),
  ]
}
