// Handshake messages put together from records: a message may take several, a record may hold several.
// In: the content of handshake records of one direction and epoch. Out: messages whole. Owner: `DirectionState`. Bounds:
// one message of at most `TLSLimits.handshakeMessageBytes`; longer ones are passed over.

/// A handshake message's type and body. RFC 8446 section 4.
struct HandshakeMessage: Hashable {
  enum Kind {
    static let helloRequest: UInt8 = 0
    static let clientHello: UInt8 = 1
    static let serverHello: UInt8 = 2
    static let endOfEarlyData: UInt8 = 5
    static let encryptedExtensions: UInt8 = 8
    static let clientKeyExchange: UInt8 = 16
    static let finished: UInt8 = 20
    static let keyUpdate: UInt8 = 24
  }

  var type: UInt8
  /// Header included.
  var bytes: [UInt8]
  var body: ArraySlice<UInt8> { bytes.dropFirst(4) }
}

struct HandshakeStream {
  private var bytes: [UInt8] = []
  private var head = 0
  /// What is still to come of a message that was too long to keep.
  private var passing = 0

  /// Whether a message has begun and is not whole.
  var isInMessage: Bool { passing > 0 || head < bytes.count }

  mutating func append(_ content: UnsafeRawBufferPointer) {
    let passed = min(passing, content.count)
    passing -= passed
    bytes.append(contentsOf: content[passed...])
  }

  /// The next whole message; one that was longer than `limit` is told by its type and an empty body, so that its meaning for
  /// the order of things is not lost.
  mutating func next(limit: Int) -> HandshakeMessage? {
    let left = bytes.count - head
    guard left >= 4 else { return compact() }
    let length = Int(bytes[head + 1]) << 16 | Int(bytes[head + 2]) << 8 | Int(bytes[head + 3])
    if length > limit {
      let message = HandshakeMessage(type: bytes[head], bytes: Array(bytes[head..<head + 4]))
      let here = min(left, 4 + length)
      head += here
      passing = 4 + length - here
      return message
    }
    guard left >= 4 + length else { return compact() }
    let message = HandshakeMessage(type: bytes[head], bytes: Array(bytes[head..<head + 4 + length]))
    head += 4 + length
    return message
  }

  private mutating func compact() -> HandshakeMessage? {
    bytes.removeFirst(head)
    head = 0
    return nil
  }
}
