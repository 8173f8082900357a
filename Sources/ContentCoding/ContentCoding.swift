// Content codings (RFC 9110, 8.4.1): the bytes of a body and its Content-Encoding to the content, and back for gzip.
//
// Owner: whoever calls; no state is kept. Bounds: output never exceeds the limit that the caller names, whatever the
// input promises; memory beyond the output is the decoders' windows (gzip 32 KB, br 16 MB, zstd 8 MB).

/// A content coding that this module can remove (RFC 9110, 8.4.1; RFC 7932 for br, RFC 8878 for zstd).
public enum ContentCoding: String, CaseIterable, Sendable {
  case gzip
  case deflate
  case br
  case zstd
  case identity

  /// The coding with this name; case does not count and `x-gzip` is gzip (RFC 9110, 8.4.1.3).
  public init?(name: some StringProtocol) {
    let lowered = name.lowercased()
    guard let coding = ContentCoding(rawValue: lowered == "x-gzip" ? "gzip" : lowered) else { return nil }
    self = coding
  }
}

/// Why content could not be decoded.
public enum ContentCodingError: Error, Hashable, Sendable {
  /// The name as it stood in the field.
  case unknownCoding(name: String)
  /// The output would be longer than `limit` bytes.
  case overLimit(coding: ContentCoding, limit: Int)
  /// The input ends before the coding's end. `decoded` is what came out until there, in the innermost coding that
  /// could still be undone.
  case truncated(coding: ContentCoding, decoded: [UInt8])
  /// The input breaks the coding's rules or its checksum does not match. `decoded` as above.
  case malformed(coding: ContentCoding, decoded: [UInt8])
  /// More than ``ContentCoding/maximumCodings`` codings were applied.
  case tooManyCodings(count: Int)
}

extension ContentCodingError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownCoding(let name): "the content coding '\(name)' is not known"
    case .overLimit(let coding, let limit):
      "the content is longer than \(limit) bytes once \(coding.rawValue) is removed"
    case .truncated(let coding, let decoded):
      "the \(coding.rawValue) content ends too early; \(decoded.count) bytes could be decoded"
    case .malformed(let coding, let decoded):
      "the \(coding.rawValue) content is damaged; \(decoded.count) bytes could be decoded"
    case .tooManyCodings(let count):
      "the content has \(count) codings; more than \(ContentCoding.maximumCodings) are not undone"
    }
  }
}

extension ContentCoding {
  /// Codings that one body may have; more is an attack on the decoder.
  public static let maximumCodings = 8

  /// The names in the values of Content-Encoding fields, in the order applied; `identity` and empty ones are left out.
  public static func names(in values: some Sequence<some Sequence<UInt8>>) -> [String] {
    values.flatMap { value in
      String(decoding: Array(value), as: UTF8.self).split(separator: ",").compactMap { part in
        let name = part.drop { $0 == " " || $0 == "\t" }
        let end = name.lastIndex { $0 != " " && $0 != "\t" }
        guard let end, name[...end].lowercased() != "identity" else { return nil }
        return String(name[...end])
      }
    }
  }

  /// Removes codings from a body, the last applied first.
  ///
  /// As browsers do: bytes behind a coding's end are passed over, gzip members and zstd frames that follow one another
  /// are one content, `deflate` is taken with or without zlib's frame. A body of no bytes has no content, whatever its
  /// codings: answers to HEAD name some.
  /// - Parameters:
  ///   - bytes: the body after transfer coding.
  ///   - codings: names as in Content-Encoding, in the order applied.
  ///   - limit: the most bytes that any step may put out.
  /// - Throws: before anything is decoded where a name is not known; else what went wrong first.
  public static func decode(
    _ bytes: [UInt8], codings: [String], limit: Int
  ) throws(ContentCodingError) -> [UInt8] {
    guard codings.count <= maximumCodings else { throw .tooManyCodings(count: codings.count) }
    var known: [ContentCoding] = []
    for name in codings {
      guard let coding = ContentCoding(name: name) else { throw .unknownCoding(name: name) }
      if coding != .identity { known.append(coding) }
    }
    var content = bytes
    var fault: (end: DecodingEnd, coding: ContentCoding)?
    for coding in known.reversed() where !content.isEmpty {
      var output = BoundedOutput(limit: limit)
      let end = content.withUnsafeBytes { coding.decode($0, to: &output) }
      // What comes out of a damaged outer coding is decoded as far as it goes; the first fault is the one to tell.
      if fault == nil, end != .whole { fault = (end, coding) }
      if fault?.end == .overLimit { break }
      content = output.bytes
    }
    switch fault {
    case nil: return content
    case (.overLimit, let coding)?: throw .overLimit(coding: coding, limit: limit)
    case (.truncated, let coding)?: throw .truncated(coding: coding, decoded: content)
    case (_, let coding)?: throw .malformed(coding: coding, decoded: content)
    }
  }

  private func decode(_ input: UnsafeRawBufferPointer, to output: inout BoundedOutput) -> DecodingEnd {
    switch self {
    case .gzip: Inflation.gzip(input, to: &output)
    case .deflate: Inflation.deflate(input, to: &output)
    case .br: BrotliDecoding.decode(input, to: &output)
    case .zstd: ZstandardDecoding.decode(input, to: &output)
    case .identity: output.append(input) ? .whole : .overLimit
    }
  }
}

/// How a decoder came to its end.
enum DecodingEnd {
  case whole, truncated, malformed, overLimit
}

/// Decoded bytes, never more than a limit.
struct BoundedOutput {
  /// Bytes that a decoder puts out at a time.
  static let pieceSize = 64 << 10

  private let limit: Int
  private(set) var bytes: [UInt8] = []

  init(limit: Int) { self.limit = max(0, limit) }

  /// - Returns: false where the piece goes over the limit; what fits is kept.
  mutating func append(_ piece: UnsafeRawBufferPointer) -> Bool {
    let room = limit - bytes.count
    bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: piece.prefix(room)))
    return piece.count <= room
  }
}
