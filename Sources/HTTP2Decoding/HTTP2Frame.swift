// Purpose: frame headers and the numbers of RFC 9113, 4.1, 6 and 7.
// Input -> output: nine bytes -> HTTP2FrameHeader.

/// One of the two ends of a connection, named as in TCP: who is the client may have to be found out.
public enum HTTP2Side: Int, CaseIterable, Sendable {
  case originator = 0
  case responder = 1

  /// The other end.
  @inlinable public var opposite: HTTP2Side { self == .originator ? .responder : .originator }
}

/// What a frame is (RFC 9113, 6). Other numbers are extensions, which are passed over (5.5).
public enum HTTP2FrameType: UInt8, CaseIterable, Sendable {
  case data = 0
  case headers = 1
  case priority = 2
  case resetStream = 3
  case settings = 4
  case pushPromise = 5
  case ping = 6
  case goAway = 7
  case windowUpdate = 8
  case continuation = 9
}

/// A frame's flags; what one means depends on the frame's type (RFC 9113, 6).
public struct HTTP2FrameFlags: OptionSet, Hashable, Sendable {
  /// As on the wire.
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Nothing follows on the stream (0x1 of DATA and HEADERS).
  public static let endStream = HTTP2FrameFlags(rawValue: 0x01)
  /// Of SETTINGS and PING.
  public static let ack = HTTP2FrameFlags(rawValue: 0x01)
  /// The header block ends here.
  public static let endHeaders = HTTP2FrameFlags(rawValue: 0x04)
  /// Padding and its length are there.
  public static let padded = HTTP2FrameFlags(rawValue: 0x08)
  /// Priority fields are there (HEADERS).
  public static let priority = HTTP2FrameFlags(rawValue: 0x20)
}

/// RFC 9113, 4.1.
public struct HTTP2FrameHeader: Hashable, Sendable {
  /// Of the payload: 0 ..< 2^24.
  public var length: UInt32
  /// The type as on the wire, known or not (RFC 9113, 6).
  public var rawType: UInt8
  /// As on the wire; their meaning is the type's.
  public var flags: HTTP2FrameFlags
  /// Without the reserved bit; 0 ..< 2^31.
  public var stream: UInt32

  /// Octets of a frame header.
  public static let size = 9

  @inlinable
  public init(length: UInt32, rawType: UInt8, flags: HTTP2FrameFlags, stream: UInt32) {
    self.length = length
    self.rawType = rawType
    self.flags = flags
    self.stream = stream
  }

  /// Nil for an extension.
  @inlinable public var type: HTTP2FrameType? { HTTP2FrameType(rawValue: rawType) }

  /// - Parameter bytes: nine bytes can be read from here.
  @inline(__always)
  init(_ bytes: UnsafeRawPointer) {
    let word = UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
    length = UInt32(truncatingIfNeeded: word >> 40)
    rawType = UInt8(truncatingIfNeeded: word >> 32)
    flags = HTTP2FrameFlags(rawValue: UInt8(truncatingIfNeeded: word >> 24))
    let last = UInt32(bytes.load(fromByteOffset: 8, as: UInt8.self))
    stream = (UInt32(truncatingIfNeeded: word) << 8 | last) & 0x7fff_ffff
  }
}

/// RFC 9113, 7.
public struct HTTP2ErrorCode: RawRepresentable, Hashable, Sendable {
  /// As on the wire.
  public let rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// NO_ERROR.
  public static let noError = HTTP2ErrorCode(rawValue: 0)
  /// CANCEL.
  public static let cancel = HTTP2ErrorCode(rawValue: 8)

  /// The name in the RFC; nil for a number that it does not list.
  public var name: String? {
    let names = [
      "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
      "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
      "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
    ]
    return rawValue < names.count ? names[Int(rawValue)] : nil
  }
}
