// The examples of the library products' articles. What stands between `example NAME` and `end` is, line for line, the
// code block of Sources/NAME/NAME.docc/NAME.md: ArticleTests holds them together.

import HTTP1Decoding
import HTTP2Decoding
import HTTPModel
import PacketHeaders
import ResponseDiff
import SessionFile
import TCPReassembly

enum Examples {
  static func streams(_ segments: [(segment: TCPSegment, payload: [UInt8])]) -> [String] {
    // example TCPReassembly
    var reassembler = Reassembler()
    var text: [String] = []
    func drain(_ payload: UnsafeRawBufferPointer) {
      while let event = reassembler.nextEvent() {
        switch event {
        case .data(_, let direction, let offset, .segment(let range), _, _):
          text.append("\(direction) \(offset): \(String(decoding: payload[range], as: UTF8.self))")
        case .data(_, let direction, let offset, .held(let bytes), _, _):
          text.append("\(direction) \(offset): \(String(decoding: bytes, as: UTF8.self))")
        case .gap(_, let direction, let offset, let length, _):
          text.append("\(direction) \(offset): \(length) bytes are missing")
        case .opened, .overlapMismatch, .ended, .closed: break
        }
      }
    }
    for (number, (segment, payload)) in segments.enumerated() {
      payload.withUnsafeBytes { bytes in
        reassembler.receive(segment, payload: bytes, at: Timestamp(seconds: Int64(number), nanoseconds: 0))
        drain(bytes)
      }
    }
    reassembler.finish()
    drain(UnsafeRawBufferPointer(start: nil, count: 0))
    // end
    return text
  }

  static func messages(_ pieces: [[UInt8]]) -> [String] {
    // example HTTP1Decoding
    var decoder = HTTP1Decoder(role: .request)
    var text: [String] = []
    for piece in pieces {
      piece.withUnsafeBytes { bytes in
        var offset = 0
        while let event = decoder.nextEvent(in: bytes, at: &offset) {
          switch event {
          case .head(let head): text.append(String(decoding: head.method, as: UTF8.self))
          case .body(let range): text.append(String(decoding: bytes[range], as: UTF8.self))
          case .end: text.append("end")
          default: break
          }
        }
      }
    }
    // end
    return text
  }

  static func frames(_ bytes: [UInt8]) -> [String] {
    // example HTTP2Decoding
    var connection = HTTP2Connection()
    var text: [String] = []
    bytes.withUnsafeBytes { bytes in
      var offset = 0
      let time = Timestamp(seconds: 0, nanoseconds: 0)
      while let event = connection.nextEvent(from: .originator, in: bytes, at: &offset, time: time) {
        switch event.content {
        case .head(let head):
          text.append("\(event.stream): \(String(decoding: head.bytes(head.method), as: UTF8.self))")
        case .body(let range): text.append("\(event.stream): \(range.count) bytes")
        case .end: text.append("\(event.stream): end")
        default: break
        }
      }
    }
    // end
    return text
  }

  static func stored(_ exchanges: [Exchange], at path: String) throws -> [ExchangeID] {
    // example SessionFile
    let writer = try SessionWriter(
      .path(path, overwrite: false), kind: .session, created: Timestamp(seconds: 0, nanoseconds: 0))
    let encoder = SessionEncoder()
    for exchange in exchanges {
      if let block = encoder.append(exchange) { _ = writer.put(block) }
    }
    while let block = encoder.sealBlock() { _ = writer.put(block) }
    try writer.finish()

    let reader = try SessionReader(path: path, expecting: .session)
    var identifiers: [ExchangeID] = []
    while let exchange = try reader.next() { identifiers.append(exchange.id) }
    // end
    return identifiers
  }

  static func differences(_ recorded: HTTPResponse, _ answer: HTTPResponse) -> [String] {
    // example ResponseDiff
    let comparator = ResponseComparator()
    let differences = comparator.compare(expected: recorded, actual: answer, method: "GET".utf8)
    let text = differences.map { "\($0.severity) \($0.kind) at \($0.location)" }
    // end
    return text
  }
}
