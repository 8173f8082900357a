// A file's first bytes to its format.

import PacketHeaders

/// The formats that are read.
enum CaptureFormat {
  case pcap(RecordLayout)
  /// Its section header is not consumed.
  case pcapng

  /// Recognizes a file, putting a decompressor before it where it is compressed; a pcap file's header is consumed.
  /// - Returns: nil where the header has not come yet, or reading was to stop before it came.
  static func recognize(_ input: CaptureInput) throws(CaptureError) -> CaptureFormat? {
    guard let start = try input.peek(4) else { return try tooShort(input) }
    if let compression = Decompressor.Format(magic: start), input.decompressor == nil {
      input.decompress(compression)
      return try recognize(input)
    }
    let magic = UInt32(bigEndian: start.loadUnaligned(as: UInt32.self))
    if magic == sectionHeader { return try input.peek(28) == nil ? tooShort(input, isCapture: true) : .pcapng }
    guard let variant = RecordLayout.Variant(magic: magic) else {
      throw .notACapture(path: input.name, content: try foreignContent(input))
    }
    guard let header = try input.peek(variant.fileHeaderLength) else { return try tooShort(input, isCapture: true) }
    var layout = RecordLayout(variant, header: header)
    guard layout.major == 2 || layout.isDGUX else {
      throw .versionUnknown(path: input.name, format: "pcap", major: layout.major, minor: layout.minor)
    }
    input.consume(variant.fileHeaderLength)
    try layout.settleHeaderLength(variant, input)
    return .pcap(layout)
  }

  /// pcapng's first block type, the same in both byte orders.
  static let sectionHeader: UInt32 = 0x0a0d_0d0a

  /// What it means that the header is not there.
  private static func tooShort(_ input: CaptureInput, isCapture: Bool = false) throws(CaptureError) -> CaptureFormat? {
    switch input.shortage {
    case .pending, .stopped: return nil
    case .replaced:
      input.restart()
      return nil
    case .end: break
    }
    if let decompressor = input.decompressor, let fault = decompressor.fault, fault != .foreign {
      if fault == .windowTooLarge { throw .compressionWindowTooLarge(path: input.name) }
      throw .compressionUnreadable(path: input.name, format: "\(decompressor.format)", isCutOff: fault == .cutOff)
    }
    if isCapture { throw .fileHeaderCut(path: input.name) }
    if input.available == 0 { throw .fileEmpty(path: input.name) }
    throw .notACapture(path: input.name, content: nil)
  }

  /// What the first bytes of formats say that people mistake for a capture.
  private static func foreignContent(_ input: CaptureInput) throws(CaptureError) -> CaptureError.ForeignContent? {
    let length = try input.peek(8) != nil ? 8 : 4
    guard let start = try input.peek(length) else { return nil }
    let bytes = UnsafeRawBufferPointer(start: start, count: length)
    return known.first { bytes.starts(with: $0.signature) }?.content
  }

  /// gzip and zstd stand here for those that are compressed twice.
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
