// Secrets in the messages that an exchange holds beside its bodies: those of WebSockets, and of gRPC-Web in base64.
// In: an exchange's messages. Out: the same with other values. Bounds: linear.

import HTTPModel
import MessageFraming

extension Redactor {
  mutating func redactMessages(_ exchange: inout Exchange) {
    guard var stream = exchange.details.messages else { return }
    search.writer.place = "message"
    if stream.protocol.leavesBytesInBody {
      guard !call.moved.isEmpty else { return }
      for index in stream.messages.indices {
        let message = stream.messages[index]
        let key = CallContext.Key(direction: message.direction, offset: message.offset)
        guard let place = call.moved[key] else { continue }
        (stream.messages[index].offset, stream.messages[index].length) = (place.offset, place.length)
      }
      exchange.details.messages = stream
      return
    }
    guard !stream.bytes.isEmpty else { return }
    let isChanged =
      stream.protocol == .webSocket ? redactSocket(&stream) : redactWebText(&stream, exchange)
    if isChanged { exchange.details.messages = stream }
  }

  /// Each of its length.
  private mutating func redactSocket(_ stream: inout StreamMessages) -> Bool {
    search.writer.hasChanged = false
    let messages = stream.messages
    stream.bytes.withUnsafeMutableBufferPointer { bytes in
      for message in messages where !message.flags.contains(.stillCompressed) {
        guard message.offset <= UInt64(bytes.count), message.length <= UInt64(bytes.count) - message.offset else {
          continue
        }
        let range = Int(message.offset)..<Int(message.offset + message.length)
        let slice = UnsafeMutableBufferPointer(rebasing: bytes[range])
        let text = UnsafeBufferPointer(slice)
        let form = TextForm(contentType: nil, text)
        if catalog.mayHoldSecret(text, form) { search.search(slice, form) }
      }
    }
    return search.writer.hasChanged
  }

  /// The messages of gRPC-Web in base64, which the bodies hold once more.
  private mutating func redactWebText(_ stream: inout StreamMessages, _ exchange: Exchange) -> Bool {
    var isChanged = false
    var bytes: [UInt8] = []
    var scopes: [StreamMessage.Direction: CallScope] = [:]
    for (direction, fields) in [
      (StreamMessage.Direction.request, exchange.request?.fields), (.response, exchange.response?.fields),
    ] {
      if let fields { scopes[direction] = scope(fields, direction) }
    }
    for index in stream.messages.indices {
      let message = stream.messages[index]
      guard message.offset <= UInt64(stream.bytes.count), message.length <= UInt64(stream.bytes.count) - message.offset
      else { continue }
      var content = Array(stream.bytes[Int(message.offset)..<Int(message.offset + message.length)])
      if let scope = scopes[message.direction] {
        let isWhole = message.flags.isDisjoint(with: [.incomplete, .cut])
        let isCompressed = message.flags.contains(.stillCompressed)
        let result = content.withUnsafeMutableBufferPointer {
          redactMessage(
            $0, scope, isCompressed: isCompressed, isTrailers: message.kind == .trailers, mayResize: isWhole)
        }
        isChanged = isChanged || search.writer.hasChanged
        if let result { content = result }
      }
      stream.messages[index].offset = UInt64(bytes.count)
      stream.messages[index].length = UInt64(content.count)
      bytes += content
    }
    if isChanged { stream.bytes = bytes }
    return isChanged
  }
}
