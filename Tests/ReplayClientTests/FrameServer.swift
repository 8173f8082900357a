import Glibc
import HTTPModel
import Synchronization

/// An HTTP/2 frame (RFC 9113, 4.1).
struct Frame: Sendable {
  enum Kind: UInt8 { case data, headers, priority, rstStream, settings, pushPromise, ping, goAway, windowUpdate }

  var type: UInt8
  var flags: UInt8
  var stream: UInt32
  var payload: [UInt8]

  init(_ kind: Kind, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) {
    (type, self.flags, self.stream, self.payload) = (kind.rawValue, flags, stream, payload)
  }

  init(header: [UInt8], payload: [UInt8]) {
    type = header[3]
    flags = header[4]
    stream = header[5...].reduce(0) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
    self.payload = payload
  }

  var kind: Kind? { Kind(rawValue: type) }
  var endsStream: Bool { flags & 1 == 1 && (kind == .data || kind == .headers) }

  var bytes: [UInt8] {
    let count = payload.count
    return [UInt8(count >> 16), UInt8(count >> 8 & 0xff), UInt8(count & 0xff), type, flags]
      + (0..<4).map { UInt8(truncatingIfNeeded: stream >> (24 - 8 * $0)) } + payload
  }

  /// Fields as literals that are not indexed (RFC 7541, 6.2.2), names and values below 127 bytes.
  static func headers(_ fields: [(String, String)], stream: UInt32, ends: Bool = false) -> Frame {
    var block: [UInt8] = []
    for (name, value) in fields {
      block.append(0)
      for text in [name, value] {
        block.append(UInt8(text.utf8.count))
        block += text.utf8
      }
    }
    return Frame(.headers, flags: ends ? 5 : 4, stream: stream, block)
  }

  static func setting(_ identifier: UInt16, _ value: UInt32) -> Frame {
    Frame(
      .settings,
      [UInt8(identifier >> 8), UInt8(identifier & 0xff)]
        + (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) })
  }

  static func number(_ kind: Kind, _ value: UInt32, stream: UInt32 = 0) -> Frame {
    Frame(kind, stream: stream, (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) })
  }

  static func goAway(last: UInt32, code: UInt32 = 0) -> Frame {
    Frame(.goAway, Frame.number(.goAway, last).payload + Frame.number(.goAway, code).payload)
  }
}

extension Peer {
  /// Reads the client's preface and sends the server's.
  func beginHTTP2(_ settings: [Frame] = [Frame(.settings)]) -> Bool {
    guard read(through: "SM\r\n\r\n") != nil else { return false }
    for frame in settings { send(frame) }
    return true
  }

  func send(_ frame: Frame) { write(frame.bytes) }

  /// The next frame; nil where the client closes.
  func frame() -> Frame? {
    guard let header = read(count: 9) else { return nil }
    let length = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
    guard let payload = length == 0 ? [] : read(count: length) else { return nil }
    return Frame(header: header, payload: payload)
  }

  /// The next frame that begins or carries a request; settings are acknowledged on the way.
  func requestFrame() -> Frame? {
    while let frame = frame() {
      switch frame.kind {
      case .settings: if frame.flags & 1 == 0 { send(Frame(.settings, flags: 1)) }
      case .headers, .data, .rstStream: return frame
      default: continue
      }
    }
    return nil
  }

  /// Answers 200 with a body.
  func answer(stream: UInt32, _ body: String = "ok") {
    send(.headers([(":status", "200")], stream: stream))
    send(Frame(.data, flags: 1, stream: stream, Array(body.utf8)))
  }
}

/// A recorded exchange on HTTP/2.
func multiplexed(
  _ path: String, method: String = "GET", stream: UInt32 = 1, connection: UInt32 = 1, ordinal: UInt32 = 1,
  milliseconds: Int64 = 0, length: Int64 = 1, fields more: [(String, String)] = [], body: String = ""
) -> Exchange {
  let address = TransportAddress(address: IPAddress(v4: 0x7f00_0001), port: 80)
  func moment(_ milliseconds: Int64) -> Timestamp {
    Timestamp(nanoseconds: 1_700_000_000_000_000_000 + milliseconds * 1_000_000)
  }
  var fields = HeaderFields()
  fields.append(name: ":method".utf8, value: method.utf8)
  fields.append(name: ":path".utf8, value: path.utf8)
  let (methodField, pathField) = (fields.ranges[0], fields.ranges[1])
  fields.ranges = []
  for (name, value) in [(":scheme", "http"), (":authority", "shop")] + more {
    fields.append(name: name.utf8, value: value.utf8)
  }
  var exchange = Exchange(
    id: ExchangeID(connection: connection, ordinal: ordinal), client: address, server: address, stream: stream)
  let bytes = Array(body.utf8)
  exchange.request = HTTPRequest(
    version: .http2, methodRange: methodField.valueStart..<methodField.valueEnd,
    targetRange: pathField.valueStart..<pathField.valueEnd, fields: fields,
    body: HTTPBody(bytes: bytes, size: UInt64(bytes.count), framing: bytes.isEmpty ? .none : .stream),
    timing: MessageTiming(start: moment(milliseconds), headEnd: moment(milliseconds), end: moment(milliseconds)))
  exchange.response = HTTPResponse(
    version: .http2, status: 200, reasonRange: 0..<0, fields: HeaderFields(),
    timing: MessageTiming(
      start: moment(milliseconds + length), headEnd: moment(milliseconds + length), end: moment(milliseconds + length)))
  return exchange
}
