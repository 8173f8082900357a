// Secrets in the messages of WebSockets and of gRPC. In: an exchange's messages. Out: the same with other values, each
// of its length. Bounds: linear; messages inside messages as deep as a rule's path of field numbers.

import HTTPModel

extension Exchange {
  var hasMessages: Bool { details.messages != nil }
}

extension Redactor {
  mutating func redactMessages(_ exchange: inout Exchange) {
    guard var stream = exchange.details.messages else { return }
    let paths = rule.grpc.filter { rule in
      exchange.request.map { rule.method.matches($0.path) } ?? true
    }.flatMap(\.fields)
    search.writer.place = "message"
    if stream.protocol.leavesBytesInBody {
      guard !paths.isEmpty || !rule.text.isEmpty else { return }
      for message in stream.messages where message.kind == .grpc {
        switch message.direction {
        case .request: if exchange.request != nil { redact(message, in: &exchange.request!.body, paths) }
        case .response: if exchange.response != nil { redact(message, in: &exchange.response!.body, paths) }
        }
      }
      return
    }
    guard !stream.bytes.isEmpty else { return }
    search.writer.hasChanged = false
    let messages = stream.messages
    let isWebSocket = stream.protocol == .webSocket
    stream.bytes.withUnsafeMutableBufferPointer { bytes in
      for message in messages where !message.flags.contains(.stillCompressed) {
        guard message.offset <= UInt64(bytes.count), message.length <= UInt64(bytes.count) - message.offset else {
          continue
        }
        let range = Int(message.offset)..<Int(message.offset + message.length)
        let slice = UnsafeMutableBufferPointer(rebasing: bytes[range])
        if isWebSocket {
          search.search(slice, TextForm(contentType: nil, UnsafeBufferPointer(slice)))
        } else {
          redactGRPC(slice, paths)
        }
      }
    }
    guard search.writer.hasChanged else { return }
    exchange.details.messages = stream
    // gRPC-Web in base64: the same messages stand in the bodies once more, and are not kept twice.
    if !isWebSocket {
      if exchange.request != nil { blank(&exchange.request!.body) }
      if exchange.response != nil { blank(&exchange.response!.body) }
    }
  }

  /// `A` is base64's zero.
  private func blank(_ body: inout HTTPBody) {
    for index in body.bytes.indices { body.bytes[index] = UInt8(ascii: "A") }
    body.cutHash = nil
  }

  private mutating func redact(_ message: StreamMessage, in body: inout HTTPBody, _ paths: [[UInt32]]) {
    var before: UInt64 = 0
    for range in body.missing where range.lowerBound < message.offset {
      before &+= min(range.upperBound, message.offset) &- range.lowerBound
    }
    let start = message.offset &- min(before, message.offset)
    guard start < UInt64(body.bytes.count) else { return }
    let end = Int(min(UInt64(body.bytes.count), start.addingReportingOverflow(message.length).partialValue))
    guard end > Int(start) else { return }
    search.writer.hasChanged = false
    let isCompressed = message.flags.contains(.stillCompressed) || message.flags.contains(.compressed)
    body.bytes.withUnsafeMutableBufferPointer { bytes in
      let slice = UnsafeMutableBufferPointer(rebasing: bytes[Int(start)..<end])
      // What a rule asks to hide and can't be looked into is blanked whole.
      if isCompressed, !paths.isEmpty, !search.writer.inspects {
        for index in slice.indices { slice[index] = 0 }
        search.writer.hasChanged = true
      } else if !isCompressed {
        redactGRPC(slice, paths)
      }
    }
    if search.writer.hasChanged { body.cutHash = nil }
  }

  private mutating func redactGRPC(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ paths: [[UInt32]]) {
    hideFields(bytes, 0..<bytes.count, paths)
    if !rule.text.isEmpty { search.searchKinds(bytes) }
  }

  /// Protocol Buffers' wire format: fields by number; what is damaged ends the walk.
  private mutating func hideFields(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ range: Range<Int>, _ paths: [[UInt32]]
  ) {
    guard !paths.isEmpty else { return }
    var index = range.lowerBound
    while let tag = Self.varint(bytes, &index, range.upperBound) {
      let number = UInt32(truncatingIfNeeded: tag >> 3)
      let below = paths.filter { $0.first == number }.map { Array($0.dropFirst()) }
      let isHidden = below.contains([])
      let content: Range<Int>
      switch tag & 7 {
      case 0:
        let start = index
        guard Self.varint(bytes, &index, range.upperBound) != nil else { return }
        content = start..<index
      case 1: content = index..<min(index + 8, range.upperBound)
      case 5: content = index..<min(index + 4, range.upperBound)
      case 2:
        guard let length = Self.varint(bytes, &index, range.upperBound) else { return }
        content = index..<index + Int(min(length, UInt64(range.upperBound - index)))
      default: return
      }
      index = content.upperBound
      guard !below.isEmpty else { continue }
      if tag & 7 == 2 {
        if isHidden { hideContent(bytes, content, number) } else { hideFields(bytes, content, below) }
      } else if isHidden, !search.writer.inspects {
        // A number: zero, in as many octets.
        for place in content { bytes[place] = tag & 7 == 0 && place < content.upperBound - 1 ? 0x80 : 0 }
        search.writer.hasChanged = true
      }
    }
  }

  private mutating func hideContent(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ range: Range<Int>, _ number: UInt32) {
    let isText = bytes.slice(range).allSatisfy { $0 >= 0x20 || $0 == 0x0a || $0 == 0x09 || $0 == 0x0d }
    if isText || search.writer.inspects {
      search.writer.hide(bytes, range, .plain, name: "field \(number)")
    } else {
      for place in range { bytes[place] = 0 }
      search.writer.hasChanged = true
    }
  }

  private static func varint(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ index: inout Int, _ end: Int) -> UInt64? {
    var (value, shift): (UInt64, UInt64) = (0, 0)
    while index < end, shift < 70 {
      let byte = bytes[index]
      index += 1
      value |= UInt64(byte & 0x7f) << min(shift, 63)
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }
}
