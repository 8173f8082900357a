// A frame's header (RFC 6455, 5.2). In: bytes borrowed for the call. Out: a value. Owner: WebSocketDecoder.
//
//   FIN RSV1-3 opcode(4) | MASK length(7) | length(16 or 64) | masking key(32)

struct WebSocketFrameHeader: Sendable {
  let bits: UInt8
  let isMasked: Bool
  /// The masking key with the byte that comes first lowest.
  let key: UInt32
  let length: UInt64
  /// Another encoding of the length would have been shorter, or its top bit is set.
  let isLengthInvalid: Bool

  var isFinal: Bool { bits & 0x80 != 0 }
  var isCompressed: Bool { bits & 0x40 != 0 }
  var opcode: UInt8 { bits & 0x0f }
  var isControl: Bool { bits & 0x08 != 0 }

  /// Bytes of a header whose second byte is this.
  static func size(second: UInt8) -> Int {
    let extended =
      switch second & 0x7f {
      case 126: 2
      case 127: 8
      default: 0
      }
    return 2 &+ extended &+ (second & 0x80 != 0 ? 4 : 0)
  }

  /// - Parameter bytes: exactly a header.
  init(_ bytes: UnsafeRawBufferPointer) {
    bits = bytes[0]
    isMasked = bytes[1] & 0x80 != 0
    let short = bytes[1] & 0x7f
    var place = 2
    switch short {
    case 126:
      length = UInt64(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
      isLengthInvalid = length < 126
      place = 4
    case 127:
      length = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
      isLengthInvalid = length < 1 << 16 || length >> 63 != 0
      place = 10
    default:
      length = UInt64(short)
      isLengthInvalid = false
    }
    key = isMasked ? UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)) : 0
  }

  /// Whether a header like this is to be believed where boundaries are not known.
  func isPlausible(from sender: WebSocketSender, allowsCompression: Bool) -> Bool {
    guard isMasked == (sender == .client), bits & 0x30 == 0, !isLengthInvalid, length <= 1 << 20 else { return false }
    switch opcode {
    case 0: return !isCompressed && length > 0
    case 1, 2: return !isCompressed || allowsCompression
    case 8, 9, 10: return !isCompressed && isFinal && length <= 125
    default: return false
    }
  }
}

/// Appends bytes, undoing their masking (RFC 6455, 5.3).
func appendUnmasked(
  _ piece: UnsafeRawBufferPointer, of header: WebSocketFrameHeader, phase: UInt64, to bytes: inout [UInt8]
) {
  let start = bytes.count
  bytes.append(contentsOf: piece)
  if header.key == 0 { return }
  bytes.withUnsafeMutableBytes {
    unmask(UnsafeMutableRawBufferPointer(rebasing: $0[start...]), key: header.key, phase: phase)
  }
}

/// Undoes masking in place.
/// - Parameters:
///   - key: the first byte lowest.
///   - phase: bytes of the payload before these.
func unmask(_ bytes: UnsafeMutableRawBufferPointer, key: UInt32, phase: UInt64) {
  let shift = UInt32(truncatingIfNeeded: phase & 3) &* 8
  let turned = shift == 0 ? key : key >> shift | key << (32 &- shift)
  let word = UInt64(turned) << 32 | UInt64(turned)
  let wide = SIMD4<UInt64>(repeating: UInt64(littleEndian: word))
  var index = 0
  while index &+ 32 <= bytes.count {
    let value = bytes.loadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self)
    bytes.storeBytes(of: value ^ wide, toByteOffset: index, as: SIMD4<UInt64>.self)
    index &+= 32
  }
  while index < bytes.count {
    bytes[index] ^= UInt8(truncatingIfNeeded: turned >> (UInt32(truncatingIfNeeded: index & 3) &* 8))
    index &+= 1
  }
}

/// Whether bytes are UTF-8 (RFC 3629, 4).
/// - Parameter mayBeCut: the last character may lack its end.
func isUTF8(_ bytes: UnsafeRawBufferPointer, mayBeCut: Bool) -> Bool {
  var index = 0
  while index < bytes.count {
    if index &+ 8 <= bytes.count,
      bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
    {
      index &+= 8
      continue
    }
    let lead = bytes[index]
    var second: ClosedRange<UInt8> = 0x80...0xbf
    let length: Int
    switch lead {
    case 0x00...0x7f: length = 1
    case 0xc2...0xdf: length = 2
    case 0xe0...0xef:
      length = 3
      if lead == 0xe0 { second = 0xa0...0xbf } else if lead == 0xed { second = 0x80...0x9f }
    case 0xf0...0xf4:
      length = 4
      if lead == 0xf0 { second = 0x90...0xbf } else if lead == 0xf4 { second = 0x80...0x8f }
    default: return false
    }
    var place = 1
    while place < length {
      if index &+ place == bytes.count { return mayBeCut }
      if !(place == 1 ? second : 0x80...0xbf).contains(bytes[index &+ place]) { return false }
      place &+= 1
    }
    index &+= length
  }
  return true
}
