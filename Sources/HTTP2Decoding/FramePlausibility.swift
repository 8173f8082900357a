// Purpose: how likely is it that nine bytes are a frame header, and what follows them its payload?
// Input -> output: bytes with what is known of the connection -> evidence in bits, or nil: they cannot be.
//
// One bit of evidence means that random bytes pass half as often. Data is not random, mostly there are more zeros in it,
// so what zeros prove is capped, and a frame that could be made of them alone proves nothing.

/// What is known of the connection whose frames are judged.
struct FrameContext: Sendable {
  /// Largest payload that the peer allows; nil where its SETTINGS were not seen.
  var maxFrameSize: UInt32?
  /// The highest stream that anyone used; 0 where unknown.
  var highestStream: UInt32 = 0
  /// Nil where it is not known who the client is.
  var senderIsClient: Bool?

  /// Streams that may have been opened in a gap.
  static let streamSlack: UInt32 = 4096
  /// Larger ones exist (grpc-go: 1 MiB), but not where SETTINGS were never seen.
  static let largestUnknown: UInt32 = 1 << 20
}

enum FramePlausibility {
  /// Evidence of a frame header.
  /// - Parameter bytes: nine bytes can be read from here.
  static func header(_ bytes: UnsafeRawPointer, _ context: FrameContext) -> (HTTP2FrameHeader, bits: Int)? {
    // Most bytes of a body fail here: a first byte over 0x10 would be a payload of more than 1 MiB.
    if context.maxFrameSize ?? 0 <= FrameContext.largestUnknown, bytes.load(as: UInt8.self) > 0x10 { return nil }
    let reserved = bytes.load(fromByteOffset: 5, as: UInt8.self) & 0x80
    guard reserved == 0 else { return nil }
    let header = HTTP2FrameHeader(bytes)
    guard let bits = evidence(header, context) else { return nil }
    return (header, bits)
  }

  /// Evidence of a header, the reserved bit not looked at.
  static func evidence(_ header: HTTP2FrameHeader, _ context: FrameContext) -> Int? {
    let length = header.length
    guard length <= context.maxFrameSize ?? FrameContext.largestUnknown, let type = header.type else { return nil }
    let lengthBits = length <= 16_384 ? 10 : 4
    let flags = header.flags.rawValue
    let stream = header.stream
    switch type {
    case .data:
      guard flags & ~0x09 == 0, length > 0 || flags == 1, flags & 8 == 0 || length > 0 else { return nil }
      return plus(streamBits(stream, context), lengthBits + 14)
    case .headers:
      guard flags & ~0x2d == 0, length > 0 else { return nil }
      if context.senderIsClient == true, stream & 1 == 0 { return nil }
      return plus(streamBits(stream, context), lengthBits + 12)
    case .priority: return length == 5 && flags == 0 ? plus(streamBits(stream, context), 40) : nil
    case .resetStream: return length == 4 && flags == 0 ? plus(streamBits(stream, context), 40) : nil
    case .settings:
      guard stream == 0, flags & ~1 == 0 else { return nil }
      if flags == 1 { return length == 0 ? 48 : nil }
      // An empty one looks like a small number among zeros.
      return length % 6 == 0 && length <= 6 * 32 ? (length == 0 ? 24 : 48) : nil
    case .pushPromise:
      guard flags & ~0x0c == 0, length > 4, context.senderIsClient != true, stream & 1 == 1 else { return nil }
      return plus(streamBits(stream, context), lengthBits + 12)
    case .ping: return length == 8 && flags & ~1 == 0 && stream == 0 ? 56 : nil
    case .goAway: return length >= 8 && length <= 1024 && flags == 0 && stream == 0 ? 48 : nil
    case .windowUpdate:
      guard length == 4, flags == 0 else { return nil }
      return stream == 0 ? 48 : plus(streamBits(stream, context), 40)
    case .continuation:
      guard flags & ~4 == 0 else { return nil }
      return plus(streamBits(stream, context), lengthBits + 14)
    }
  }

  /// RFC 9113, 6.
  static func definedFlags(_ header: HTTP2FrameHeader) -> HTTP2FrameFlags {
    switch header.type {
    case .data: [.endStream, .padded]
    case .headers: [.endStream, .endHeaders, .padded, .priority]
    case .settings, .ping: .ack
    case .pushPromise: [.endHeaders, .padded]
    case .continuation: .endHeaders
    case .priority, .resetStream, .goAway, .windowUpdate, nil: []
    }
  }

  /// Evidence of a whole payload under a header that is plausible. 0 where it says nothing.
  static func payload(_ bytes: UnsafeRawBufferPointer, of header: HTTP2FrameHeader) -> Int? {
    switch header.type {
    case .windowUpdate:
      let increment = word(bytes, at: 0)
      return increment > 0 && increment < 1 << 31 ? 1 : nil
    case .resetStream: return word(bytes, at: 0) <= 0xff ? 20 : nil
    case .settings:
      for start in stride(from: 0, to: bytes.count - 5, by: 6) {
        let identifier = UInt16(bytes[start]) << 8 | UInt16(bytes[start + 1])
        // GREASE (RFC 8701 in spirit) takes 0x?a?a.
        guard (1...32).contains(identifier) || identifier & 0x0f0f == 0x0a0a else { return nil }
        if identifier == 2, word(bytes, at: start + 2) > 1 { return nil }
      }
      return bytes.isEmpty ? 0 : 10
    case .goAway:
      return word(bytes, at: 0) >> 31 == 0 && word(bytes, at: 4) <= 0xff ? 20 : nil
    case .priority: return word(bytes, at: 0) & 0x7fff_ffff != header.stream ? 0 : nil
    case .headers, .pushPromise:
      guard let block = fragment(bytes, of: header) else { return nil }
      guard header.flags.contains(.endHeaders) else { return 0 }
      return BlockSyntax.looksLikeBlock(UnsafeRawBufferPointer(rebasing: bytes[block])) ? 12 : nil
    case .data:
      return header.flags.contains(.padded) && (bytes.first.map { Int($0) } ?? 0) >= bytes.count ? nil : 0
    case .ping, .continuation, nil: return 0
    }
  }

  /// The block's part of a HEADERS or PUSH_PROMISE payload (RFC 9113, 6.2 and 6.6); nil where padding and fixed parts
  /// do not fit.
  static func fragment(_ bytes: UnsafeRawBufferPointer, of header: HTTP2FrameHeader) -> Range<Int>? {
    var start = 0
    var end = bytes.count
    if header.flags.contains(.padded) {
      guard end > 0 else { return nil }
      end -= Int(bytes[0])
      start = 1
    }
    if header.type == .headers, header.flags.contains(.priority) { start += 5 }
    if header.type == .pushPromise { start += 4 }
    return start <= end ? start..<end : nil
  }

  private static func streamBits(_ stream: UInt32, _ context: FrameContext) -> Int? {
    guard stream > 0 else { return nil }
    if context.highestStream > 0 {
      let highest = min(context.highestStream, .max >> 1) &+ FrameContext.streamSlack
      return stream <= highest ? min(16, highest.leadingZeroBitCount) : nil
    }
    return min(16, stream.leadingZeroBitCount)
  }

  @inline(__always)
  private static func plus(_ a: Int?, _ b: Int) -> Int? { a.map { $0 + b } }

  private static func word(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt32 {
    UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }
}

/// Whether bytes could be a header block (RFC 7541, 6), as far as it can be told without its table.
enum BlockSyntax {
  /// Every representation ends where the next begins and the last one at the end; a fixed index is not 0. A block
  /// begins with a pseudo-header field, or is one of trailers, which have a literal name.
  static func looksLikeBlock(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var offset = 0
    while offset < bytes.count {
      let first = bytes[offset]
      if first & 0x80 != 0 {
        guard let index = integer(bytes, &offset, prefix: 7), index > 0, index <= 4096 else { return false }
        continue
      }
      if first & 0xe0 == 0x20 {
        guard let size = integer(bytes, &offset, prefix: 5), size <= 1 << 24 else { return false }
        continue
      }
      guard let index = integer(bytes, &offset, prefix: first & 0xc0 == 0x40 ? 6 : 4), index <= 4096 else {
        return false
      }
      if index == 0 {
        guard let name = string(bytes, &offset), !name.isEmpty else { return false }
      }
      guard string(bytes, &offset) != nil else { return false }
    }
    return !bytes.isEmpty
  }

  /// RFC 7541, 5.1; nil where it is cut or over 2^28.
  private static func integer(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int, prefix: UInt8) -> Int? {
    guard offset < bytes.count else { return nil }
    let mask = UInt8(1) << prefix &- 1
    var value = Int(bytes[offset] & mask)
    offset += 1
    guard value == Int(mask) else { return value }
    var shift = 0
    while offset < bytes.count, shift <= 21 {
      let byte = bytes[offset]
      offset += 1
      value += Int(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return value }
      shift += 7
    }
    return nil
  }

  private static func string(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> Range<Int>? {
    guard let length = integer(bytes, &offset, prefix: 7), length <= bytes.count - offset else { return nil }
    defer { offset += length }
    return offset..<(offset + length)
  }

  /// Who sends a block that begins so: a client where the first field is one of a request's pseudo-header fields,
  /// a server where it is `:status`; nil where that does not tell.
  static func senderIsClient(_ bytes: UnsafeRawBufferPointer) -> Bool? {
    var offset = 0
    while offset < bytes.count, bytes[offset] & 0xe0 == 0x20 {
      guard integer(bytes, &offset, prefix: 5) != nil else { return nil }
    }
    guard offset < bytes.count else { return nil }
    let first = bytes[offset]
    let prefix: UInt8 = first & 0x80 != 0 ? 7 : first & 0xc0 == 0x40 ? 6 : 4
    guard let index = integer(bytes, &offset, prefix: prefix) else { return nil }
    switch index {
    case 1...7: return true
    case 8...14: return false
    default: return nil
    }
  }
}
