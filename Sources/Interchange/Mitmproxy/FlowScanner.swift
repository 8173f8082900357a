// A mitmproxy flow file cut into flows: tnetstrings, each `LENGTH:PAYLOAD` and a byte for the type, one dictionary a flow.
//
// In: the file's bytes. Out: the members of each flow, the large ones (bodies, WebSocket messages) no further than their
// limit. The type of a tnetstring stands behind it, so what is to be looked into must be known by its name: requests,
// responses and WebSockets are, everything else is taken as it stands. Owner: one reader. Bounds: FlowScanner.Limits; a
// flow that contradicts itself is passed over to where its length says that it ends.

import HTTPModel

/// A tnetstring's payload and the byte of its type.
struct FlowValue {
  /// `,` bytes, `;` text, `#` and `^` numbers, `!` truth, `~` nothing, `]` a list, `}` a dictionary.
  var type: UInt8
  /// Of a body longer than its limit, the beginning.
  var content: HTTPBody
}

/// One dictionary of the file.
struct RecordedFlow {
  var members: [String: FlowValue] = [:]
  /// Nil where there is none.
  var request: [String: FlowValue]?
  var response: [String: FlowValue]?
  var webSocket: [String: FlowValue]?
  /// The lists of a WebSocket's messages.
  var messages: [FlowValue] = []
  /// Messages left out at a limit.
  var omittedMessages: UInt64 = 0
  /// Bytes of the file before it.
  var offset: UInt64
}

struct FlowScanner {
  struct Limits {
    /// Bytes kept of a body or a WebSocket message.
    var body = 10_000_000
    /// Bytes of any other member, a header section for one.
    var member = 1 << 20
    /// Bytes of all WebSocket messages of a flow.
    var messages = 64 << 20
  }

  /// Something that could not be read.
  struct Problem: Error {
    var offset: UInt64
    var text: String
  }

  private enum Section { case flow, request, response, webSocket, messages }

  /// A dictionary or list that is being looked into.
  private struct Frame {
    var section: Section
    /// Bytes of its payload that are not spoken for.
    var left: UInt64
    var key: String?
    var isEmpty: Bool
  }

  private enum Step { case length, payload, leafType, frameType, passedOver }

  /// The members that an exchange is made from; the rest, certificates for one, is passed over.
  private static let wanted: Set<String> = [
    "type", "version", "client_conn", "server_conn", "error", "timestamp_created", "timestamp_start", "timestamp_end",
    "http_version", "scheme", "authority", "host", "port", "method", "path", "status_code", "reason", "headers",
    "content", "trailers", "closed_by_client", "close_code", "close_reason",
  ]

  private let limits: Limits
  private var step = Step.length
  private var frames: [Frame] = []
  private var length: UInt64 = 0
  private var digits = 0
  private var leaf = CollectedBody(limit: 0)
  private var leafLeft: UInt64 = 0
  private var flow = RecordedFlow(offset: 0)
  private var messageBytes = 0
  /// Where the present flow's last byte, its type, stands.
  private var flowEnd: UInt64 = 0
  private var ready: [Result<RecordedFlow, Problem>] = []
  private var given = 0
  private(set) var offset: UInt64 = 0
  /// What follows cannot be told apart.
  private(set) var isOver = false

  init(limits: Limits) { self.limits = limits }

  mutating func receive(_ bytes: UnsafeRawBufferPointer) {
    var index = 0
    while index < bytes.count, !isOver {
      switch step {
      case .payload:
        let count = Int(min(leafLeft, UInt64(bytes.count - index)))
        leaf.append(UnsafeRawBufferPointer(rebasing: bytes[index..<index + count]))
        leafLeft -= UInt64(count)
        offset &+= UInt64(count)
        index += count
        if leafLeft == 0 { step = .leafType }
      case .passedOver:
        let count = Int(min(flowEnd - offset, UInt64(bytes.count - index)))
        offset &+= UInt64(count)
        index += count
        if offset == flowEnd, index < bytes.count {
          endPassedOver(bytes[index])
          offset &+= 1
          index += 1
        }
      case .length, .leafType, .frameType:
        take(bytes[index])
        offset &+= 1
        index += 1
      }
    }
  }

  mutating func finish() {
    guard !isOver, !frames.isEmpty || digits > 0 || step == .passedOver else { return }
    let rest = !frames.isEmpty || step == .passedOver ? ", \(flowEnd &- offset &+ 1) bytes before its end" : ""
    // What was passed over was told of already.
    if step != .passedOver { fail("the file ends within this flow\(rest)", at: flow.offset) }
    isOver = true
  }

  /// The next flow, or what stands in the place of one.
  mutating func next() -> Result<RecordedFlow, Problem>? {
    guard given < ready.count else {
      ready.removeAll(keepingCapacity: true)
      given = 0
      return nil
    }
    defer { given += 1 }
    return ready[given]
  }

  // MARK: Steps

  private mutating func take(_ byte: UInt8) {
    switch step {
    case .length: takeLength(byte)
    case .leafType: endLeaf(byte)
    case .frameType: endFrame(byte)
    case .payload, .passedOver: break
    }
  }

  private mutating func takeLength(_ byte: UInt8) {
    if frames.isEmpty, digits == 0 { flow = RecordedFlow(offset: offset) }
    if let last = frames.indices.last {
      guard frames[last].left > 0 else { return damage("a length that is larger than what it is part of") }
      frames[last].left -= 1
    }
    if byte >= 0x30, byte <= 0x39, digits < 12 {
      length = length * 10 + UInt64(byte - 0x30)
      digits += 1
    } else if byte == UInt8(ascii: ":"), digits > 0 {
      begin()
      (length, digits) = (0, 0)
    } else {
      damage("no length of a tnetstring")
    }
  }

  /// The length of what begins here is known.
  private mutating func begin() {
    guard let last = frames.indices.last else {
      messageBytes = 0
      flowEnd = offset &+ 1 &+ length
      return open(.flow)
    }
    guard length < frames[last].left else { return damage("a length that is larger than what it is part of") }
    frames[last].left -= length + 1
    var limit = limits.member
    switch (frames[last].section, frames[last].key) {
    case (.messages, _): limit = min(limits.body, limits.messages - messageBytes) + 128
    case (_, nil): limit = 64
    case (.flow, "request"): return open(.request)
    case (.flow, "response"): return open(.response)
    case (.flow, "websocket"): return open(.webSocket)
    case (.webSocket, "messages"): return open(.messages)
    case (.request, "content"), (.response, "content"): limit = limits.body
    case (_, let key?): if !Self.wanted.contains(key) { limit = 0 }
    }
    leaf = CollectedBody(limit: limit)
    leafLeft = length
    step = length == 0 ? .leafType : .payload
  }

  private mutating func open(_ section: Section) {
    frames.append(Frame(section: section, left: length, isEmpty: length == 0))
    step = length == 0 ? .frameType : .length
  }

  private mutating func endLeaf(_ type: UInt8) {
    guard ",;#^!~]}".utf8.contains(type) else { return damage("no type of a tnetstring") }
    let value = FlowValue(type: type, content: leaf.finish(framing: .none, truncation: nil))
    leaf = CollectedBody(limit: 0)
    let last = frames.count - 1
    if frames[last].section == .messages {
      add(message: value)
    } else if let key = frames[last].key {
      frames[last].key = nil
      store(value, key, in: frames[last].section)
    } else {
      guard type == UInt8(ascii: ";") || type == UInt8(ascii: ",") else { return damage("a member without a name") }
      frames[last].key = String(decoding: value.content.bytes, as: UTF8.self)
    }
    goOn()
  }

  private mutating func endFrame(_ type: UInt8) {
    let frame = frames.removeLast()
    guard let parent = frames.indices.last else {
      guard type == UInt8(ascii: "}") else { return stop() }
      ready.append(.success(flow))
      flow = RecordedFlow(offset: 0)
      step = .length
      return
    }
    let isNothing = frame.isEmpty && type == UInt8(ascii: "~")
    guard isNothing || type == (frame.section == .messages ? UInt8(ascii: "]") : UInt8(ascii: "}")) else {
      return damage("another type than such a member has")
    }
    frames[parent].key = nil
    if !isNothing {
      switch frame.section {
      case .request: flow.request = flow.request ?? [:]
      case .response: flow.response = flow.response ?? [:]
      case .webSocket: flow.webSocket = flow.webSocket ?? [:]
      case .flow, .messages: break
      }
    }
    goOn()
  }

  /// A member has ended: another one follows, or the end of what holds it.
  private mutating func goOn() {
    let frame = frames[frames.count - 1]
    if frame.left > 0 {
      step = .length
    } else if frame.key != nil {
      damage("a member without a value")
    } else {
      step = .frameType
    }
  }

  private mutating func store(_ value: FlowValue, _ key: String, in section: Section) {
    guard Self.wanted.contains(key) else { return }
    switch section {
    case .flow: flow.members[key] = value
    case .request: flow.request[default: [:]][key] = value
    case .response: flow.response[default: [:]][key] = value
    case .webSocket: flow.webSocket[default: [:]][key] = value
    case .messages: break
    }
  }

  private mutating func add(message: FlowValue) {
    // What a message takes besides its bytes counts too.
    let size = message.content.bytes.count + 64
    guard messageBytes + size <= limits.messages else {
      flow.omittedMessages += 1
      return
    }
    messageBytes += size
    flow.messages.append(message)
  }

  // MARK: Damage

  /// The flow contradicts itself: it is passed over, as far as its own length says.
  private mutating func damage(_ what: String) {
    if frames.isEmpty {
      fail(flow.offset == 0 ? "no mitmproxy flow begins here" : "no flow begins here", at: flow.offset)
      isOver = true
      return
    }
    fail(what, at: offset)
    frames = []
    leaf = CollectedBody(limit: 0)
    flow = RecordedFlow(offset: flow.offset)
    (length, digits) = (0, 0)
    step = .passedOver
  }

  private mutating func endPassedOver(_ type: UInt8) {
    guard type == UInt8(ascii: "}") else { return stop() }
    step = .length
  }

  private mutating func stop() {
    fail("no flow ends here, so none behind it can be told apart", at: flowEnd)
    isOver = true
  }

  private mutating func fail(_ text: String, at place: UInt64) {
    ready.append(.failure(Problem(offset: place, text: text)))
  }
}

extension [String: FlowValue]? {
  fileprivate subscript(default empty: [String: FlowValue]) -> [String: FlowValue] {
    get { self ?? empty }
    set { self = newValue }
  }
}
