// Frames and header blocks for the tests, written out plainly.

import HTTP2Decoding

enum Frame {
  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  static func raw(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
    let length = payload.count
    return [UInt8(length >> 16), UInt8(length >> 8 & 0xff), UInt8(length & 0xff), type, flags] + word(stream) + payload
  }

  static func word(_ value: UInt32) -> [UInt8] {
    [UInt8(value >> 24), UInt8(value >> 16 & 0xff), UInt8(value >> 8 & 0xff), UInt8(value & 0xff)]
  }

  static func settings(_ entries: [(UInt16, UInt32)] = []) -> [UInt8] {
    raw(4, 0, 0, entries.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 0xff)] + word($0.1) })
  }
  static let settingsAck = raw(4, 1, 0, [])
  static func headers(_ stream: UInt32, _ block: [UInt8], end: Bool = false, endHeaders: Bool = true) -> [UInt8] {
    raw(1, (end ? 1 : 0) | (endHeaders ? 4 : 0), stream, block)
  }
  static func continuation(_ stream: UInt32, _ block: [UInt8], endHeaders: Bool = true) -> [UInt8] {
    raw(9, endHeaders ? 4 : 0, stream, block)
  }
  static func data(_ stream: UInt32, _ bytes: [UInt8], end: Bool = false) -> [UInt8] {
    raw(0, end ? 1 : 0, stream, bytes)
  }
  static func padded(_ stream: UInt32, _ bytes: [UInt8], padding: UInt8, end: Bool = false) -> [UInt8] {
    raw(0, end ? 9 : 8, stream, [padding] + bytes + Array(repeating: 0, count: Int(padding)))
  }
  static func reset(_ stream: UInt32, _ code: UInt32) -> [UInt8] { raw(3, 0, stream, word(code)) }
  static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> [UInt8] { raw(8, 0, stream, word(increment)) }
  static func promise(_ stream: UInt32, _ promised: UInt32, _ block: [UInt8]) -> [UInt8] {
    raw(5, 4, stream, word(promised) + block)
  }
  static func goaway(_ last: UInt32, _ code: UInt32) -> [UInt8] { raw(7, 0, 0, word(last) + word(code)) }
  static let ping = raw(6, 0, 0, Array(1...8))
}

enum Block {
  /// Literals without indexing, so that the table stays empty.
  static func plain(_ fields: [(String, String)]) -> [UInt8] {
    fields.flatMap { [0] + string($0.0) + string($0.1) }
  }

  /// Literals with incremental indexing.
  static func indexed(_ fields: [(String, String)]) -> [UInt8] {
    fields.flatMap { [0x40] + string($0.0) + string($0.1) }
  }

  private static func string(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    return (bytes.count < 127 ? [UInt8(bytes.count)] : [127] + varint(bytes.count - 127)) + bytes
  }

  private static func varint(_ value: Int) -> [UInt8] {
    value < 128 ? [UInt8(value)] : [UInt8(value & 0x7f | 0x80)] + varint(value >> 7)
  }

  /// `:method GET`, `:scheme http`, `:path`, `:authority`.
  static func get(_ path: String, _ more: [(String, String)] = [], authority: String = "a") -> [UInt8] {
    [0x82, 0x86] + plain([(":path", path), (":authority", authority)] + more)
  }
  static func post(_ path: String, _ more: [(String, String)] = []) -> [UInt8] {
    [0x83, 0x86] + plain([(":path", path), (":authority", "a")] + more)
  }
  /// `:status 200`.
  static func ok(_ more: [(String, String)] = []) -> [UInt8] { [0x88] + plain(more) }
  static func status(_ code: Int, _ more: [(String, String)] = []) -> [UInt8] {
    plain([(":status", String(code))] + more)
  }
}

/// Both sides' first frames, acknowledged.
func opening(client: [(UInt16, UInt32)] = [], server: [(UInt16, UInt32)] = []) -> [Seen] {
  [
    .bytes(.originator, Frame.preface + Frame.settings(client)), .bytes(.responder, Frame.settings(server)),
    .bytes(.originator, Frame.settingsAck), .bytes(.responder, Frame.settingsAck),
  ]
}
func client(_ frames: [UInt8]...) -> Seen { .bytes(.originator, frames.flatMap { $0 }) }
func server(_ frames: [UInt8]...) -> Seen { .bytes(.responder, frames.flatMap { $0 }) }
