// WebSocket messages of a HAR entry, as Chromium and mitmproxy write them (`_webSocketMessages`).

import ContentTree
import HTTPModel

extension HAREntry {
  func readMessages(into exchange: inout Exchange, at start: Timestamp) {
    guard let list = entry["_webSocketMessages"]?.elements, !list.isEmpty else { return }
    var messages = StreamMessages(.webSocket)
    for json in list {
      // Chromium writes -1 for an error of its own, which nobody sent.
      if let opcode = json["opcode"]?.integer, opcode < 0 { continue }
      let kind = StreamMessage.Kind(rawValue: UInt8(clamping: json["opcode"]?.integer ?? 1)) ?? .reserved
      guard let data = json["data"] else { continue }
      let bytes = kind == .text ? data.bytes : data.base64 ?? data.bytes
      guard let bytes else { continue }
      var time = start
      if let seconds = json["time"]?.number, seconds > 0, seconds < 9e9 {
        // To the microsecond: a double holds no more of a date.
        time = Timestamp(nanoseconds: Int64((seconds * 1e6).rounded()) * 1000)
      }
      messages.messages.append(
        StreamMessage(
          direction: json["type"]?.string == "send" ? .request : .response, kind: kind, time: time,
          offset: UInt64(messages.bytes.count), length: UInt64(bytes.count)))
      messages.bytes += bytes
    }
    if !messages.messages.isEmpty { exchange.details.messages = messages }
  }
}
