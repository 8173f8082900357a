// Purpose: is this HTTP/2? Asked of a connection's first bytes, and of bytes from the middle of one.
// Input -> output: what a side has sent so far -> a verdict. Bounds: HTTP2Limits.maxRecognitionBytes.

/// Tells from the bytes of a connection that was joined in its middle whether it speaks HTTP/2.
public struct HTTP2Recognition: Sendable {
  /// What is known by now.
  public enum Verdict: Hashable, Sendable {
    case yes
    case no
    case needsMore
  }

  /// Whether bytes are a client's connection preface (RFC 9113, 3.4): all of it, or a part that may become one.
  public static func preface(_ bytes: UnsafeRawBufferPointer) -> Verdict {
    let preface = HTTP2FrameDecoder.preface
    let count = min(bytes.count, preface.utf8CodeUnitCount)
    for index in 0..<count where bytes[index] != preface.utf8Start[index] { return .no }
    return count == preface.utf8CodeUnitCount ? .yes : .needsMore
  }

  /// Whether bytes are a server's first ones after a client's preface: SETTINGS, and nothing that HTTP/1 or TLS begins
  /// with.
  public static func serverPreface(_ bytes: UnsafeRawBufferPointer) -> Verdict {
    guard bytes.count >= HTTP2FrameHeader.size else {
      // Length below 2^16, type, flags, stream.
      let fixed: [UInt8?] = [0, nil, nil, 4, 0, 0, 0, 0, 0]
      return zip(bytes, fixed).allSatisfy { $1 == nil || $0 == $1 } ? .needsMore : .no
    }
    let header = HTTP2FrameHeader(bytes.baseAddress!)
    return header.type == .settings && header.stream == 0 && header.flags.isEmpty && header.length % 6 == 0
      && header.length <= 6 * 64 ? .yes : .no
  }

  private var search: FrameBoundarySearch
  private let limit: Int
  private var seen = 0
  /// Which side sends this, where the first header block tells.
  public private(set) var senderIsClient: Bool?
  /// What the bytes so far say.
  public private(set) var verdict = Verdict.needsMore

  /// For one side of a connection that was joined in its middle: hand over what it sends until there is a verdict. It
  /// says yes only where a chain of frames is proven, and no where none was found in so many bytes.
  public init(limits: HTTP2Limits = HTTP2Limits()) {
    limit = limits.maxRecognitionBytes
    search = FrameBoundarySearch(limit: limits.maxSearchBytes)
  }

  /// - Parameter bytes: what follows, borrowed until return.
  public mutating func add(_ bytes: UnsafeRawBufferPointer) -> Verdict {
    guard verdict == .needsMore else { return verdict }
    let (taken, found) = search.take(bytes)
    seen += taken
    if let found {
      verdict = .yes
      noteSender(from: found)
    } else if seen >= limit {
      verdict = .no
    }
    _ = search.shrink()
    return verdict
  }

  /// Goes along the proven frames to the first header block.
  private mutating func noteSender(from place: Int) {
    let window = search.window
    var offset = place - search.base
    senderIsClient = window.withUnsafeBytes { bytes -> Bool? in
      while offset >= 0, offset + HTTP2FrameHeader.size <= bytes.count {
        let header = HTTP2FrameHeader(bytes.baseAddress! + offset)
        let start = offset + HTTP2FrameHeader.size
        let end = start + Int(header.length)
        if header.type == .pushPromise { return false }
        if header.type == .headers, end <= bytes.count {
          let payload = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
          guard let part = FramePlausibility.fragment(payload, of: header) else { return nil }
          return BlockSyntax.senderIsClient(UnsafeRawBufferPointer(rebasing: payload[part]))
        }
        offset = end
      }
      return nil
    }
  }
}
