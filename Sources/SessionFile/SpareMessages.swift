// What a reader keeps of messages that it has read: memory for others, and bodies that come again.

import Glibc
import HTTPModel

/// Messages that nobody needs any more: others are read into their memory. Bounds: so many small ones of each, and large
/// responses of 8 MB together.
struct SpareMessages {
  var requests: [HTTPRequest] = []
  var responses: [HTTPResponse] = []
  var repeated = RepeatedBodies()
  /// Responses with large bodies, whose memory goes to such alone.
  private var large: [HTTPResponse] = []
  /// The memory of their bodies.
  private var largeBytes = 0

  private static let limit = 256
  /// Of a message, in bytes; a larger body is a large one.
  static let sizeLimit = 4096
  /// Of a body; larger ones are given back by ``HTTPModel/HTTPBody`` itself.
  private static let bodyLimit = 128 << 10
  private static let largeLimit = 8 << 20

  mutating func add(_ exchange: inout Exchange) {
    if let request = exchange.request.take(), requests.count < Self.limit,
      request.fields.storage.count + request.body.bytes.count <= Self.sizeLimit
    {
      requests.append(request)
    }
    guard var response = exchange.response.take(), response.fields.storage.count <= Self.sizeLimit else { return }
    if repeated.holds(response.body.bytes) { response.body.bytes = [] }
    let capacity = response.body.bytes.capacity
    if capacity <= Self.sizeLimit {
      if responses.count < Self.limit { responses.append(response) }
    } else if capacity <= Self.bodyLimit, largeBytes + capacity <= Self.largeLimit {
      largeBytes += capacity
      large.append(response)
    }
  }

  var hasLarge: Bool { !large.isEmpty }

  mutating func takeLarge() -> HTTPResponse {
    largeBytes -= large[large.count - 1].body.bytes.capacity
    return large.removeLast()
  }
}

/// Large bodies that are recorded more than once share their memory: an answer that is compared with them finds them in
/// the caches. The first time a body is only noted, so that one that never comes again costs no memory.
///
/// Bounds: 512 bodies, 8 MB together. When either is reached all are forgotten.
struct RepeatedBodies {
  /// By fingerprint; empty where the body was seen but once.
  private var bodies: [UInt64: [UInt8]] = [:]
  private var heldBytes = 0

  private static let limit = 512
  private static let heldLimit = 8 << 20
  /// Of a body, in bytes.
  private static let bodyLimit = 1 << 20
  /// Words that a fingerprint is made of.
  private static let samples = 16

  /// - Parameter body: a large one.
  /// - Returns: these bytes where they were seen before; nil where they are to be copied.
  mutating func shared(_ body: UnsafeRawBufferPointer) -> [UInt8]? {
    guard body.count <= Self.bodyLimit else { return nil }
    let fingerprint = Self.fingerprint(body)
    guard let known = bodies[fingerprint] else {
      if bodies.count == Self.limit { forget() }
      bodies[fingerprint] = []
      return nil
    }
    if known.isEmpty {
      if heldBytes + body.count > Self.heldLimit { forget() }
      heldBytes += body.count
      let bytes = Array(body)
      bodies[fingerprint] = bytes
      return bytes
    }
    guard known.count == body.count, memcmp(known, body.baseAddress!, body.count) == 0 else { return nil }
    return known
  }

  /// Whether these bytes are shared, so that nothing may be read into their memory.
  func holds(_ bytes: [UInt8]) -> Bool {
    guard heldBytes > 0, bytes.count > SpareMessages.sizeLimit else { return false }
    return bytes.withUnsafeBytes { body in
      bodies[Self.fingerprint(body)]?.withUnsafeBytes { $0.baseAddress == body.baseAddress } ?? false
    }
  }

  private mutating func forget() {
    bodies.removeAll(keepingCapacity: true)
    heldBytes = 0
  }

  /// Of the length and words from all over the body.
  private static func fingerprint(_ body: UnsafeRawBufferPointer) -> UInt64 {
    let stride = (body.count &- 8) / (samples &- 1)
    var hash = UInt64(body.count)
    for sample in 0..<samples {
      hash = (hash ^ body.loadUnaligned(fromByteOffset: sample &* stride, as: UInt64.self)) &* 0x9e37_79b9_7f4a_7c15
      hash ^= hash &>> 32
    }
    return hash
  }
}
