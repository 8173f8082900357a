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

extension ContentCoding {
  /// Codings that one body may have; more is an attack on the decoder.
  public static let maximumCodings = 8

  /// The names in the values of Content-Encoding fields, in the order applied; `identity` and empty ones are left out.
  public static func names(in values: some Sequence<some Sequence<UInt8>>) -> [String] { [] }

  /// Removes codings from a body, the last applied first.
  /// - Parameters:
  ///   - bytes: the body after transfer coding.
  ///   - codings: names as in Content-Encoding, in the order applied.
  ///   - limit: the most bytes that any step may put out.
  public static func decode(_ bytes: [UInt8], codings: [String], limit: Int) throws(ContentCodingError) -> [UInt8] {
    []
  }

  /// Compresses as one gzip member (RFC 1952) without name or time: the same input gives the same output.
  /// - Parameter level: zlib's, 1 (fast) to 9 (small).
  public static func gzip(_ bytes: [UInt8], level: Int32 = 6) -> [UInt8] { [] }
}
