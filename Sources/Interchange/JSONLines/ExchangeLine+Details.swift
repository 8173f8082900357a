// What a printed exchange has beyond its messages. In: its JSON. Out: details and facts of the connection.

import ContentTree
import HTTPModel

extension ExchangeLine {
  func readDetails(into exchange: inout Exchange) {
    var details = ExchangeDetails()
    if let reset = json["reset"], let code = reset["code"]?.integer.flatMap({ UInt32(exactly: $0) }) {
      details.reset = StreamReset(code: code, byClient: reset["by"]?.string == "client")
    }
    details.promisedBy = json["pushed_by"]?.integer.flatMap { UInt32(exactly: $0) }
    details.unresolved = (json["unresolved"]?.elements ?? []).compactMap { unresolved($0, in: exchange) }
    details.messages = messages(of: exchange)
    if !details.isEmpty { exchange.details = details }
    let encapsulation = json["encapsulation"]?.string ?? ""
    let tls = json["tls_session"].map { session in
      TLSFacts(
        version: session["version"]?.string ?? "", suite: session["suite"]?.string ?? "",
        serverName: session["server_name"]?.string, applicationProtocol: session["alpn"]?.string)
    }
    if !encapsulation.isEmpty || tls != nil {
      exchange.connection = ConnectionFacts(encapsulation: encapsulation, tls: tls)
    }
  }

  private func unresolved(_ json: JSONValue, in exchange: Exchange) -> UnresolvedField? {
    let names = ["request.headers", "response.headers", "request.trailers", "response.trailers"]
    guard let name = json["in"]?.string, let section = names.firstIndex(of: name).flatMap({ UInt8(exactly: $0) }),
      let printed = json["field"]?.integer.flatMap({ UInt32(exactly: $0) }),
      let kind = UnresolvedField.Section(rawValue: section)
    else { return nil }
    // The printed place does not count the pseudo-header fields, which stand first.
    let fields = exchange.request?.fields
    let pseudo = kind == .request ? fields.map { all in all.ranges.indices.count { all.isPseudoField($0) } } ?? 0 : 0
    return UnresolvedField(
      section: kind, field: printed &+ UInt32(pseudo), isNameUnknown: json["name_known"]?.bool == false,
      isAssumed: json["assumed"]?.bool ?? false)
  }

  private func messages(of exchange: Exchange) -> StreamMessages? {
    guard let list = json["messages"]?.elements else { return nil }
    let kinds: [String: StreamMessage.Kind] = [
      "unknown": .unknown, "text": .text, "binary": .binary, "close": .close, "ping": .ping, "pong": .pong,
      "reserved": .reserved, "grpc": .grpc, "trailers": .trailers,
    ]
    let flags: [(StaticString, StreamMessage.Flags)] = [
      ("compressed", .compressed), ("still_compressed", .stillCompressed), ("incomplete", .incomplete), ("cut", .cut),
      ("fragmented", .fragmented),
    ]
    var messages = StreamMessages(callProtocol(of: exchange))
    // Where in its body each message begins: behind the five bytes of gRPC's prefix.
    var places: (request: UInt64, response: UInt64) = (0, 0)
    for entry in list {
      let isRequest = entry["from"]?.string == "client"
      let length = UInt64(clamping: entry["size"]?.integer ?? 0)
      var message = StreamMessage(
        direction: isRequest ? .request : .response, kind: entry["kind"]?.string.flatMap { kinds[$0] } ?? .unknown,
        time: exchange.start.advanced(byNanoseconds: (entry["at_us"]?.integer ?? 0) &* 1000), offset: 0, length: length)
      for (name, flag) in flags where entry[name]?.bool == true { message.flags.insert(flag) }
      if messages.protocol.leavesBytesInBody {
        let place = isRequest ? places.request : places.response
        message.offset = place &+ 5
        let next = message.offset &+ length
        if isRequest { places.request = next } else { places.response = next }
      } else {
        let bytes = entry["base64"]?.base64 ?? entry["text"]?.bytes ?? []
        message.offset = UInt64(messages.bytes.count)
        message.length = UInt64(bytes.count)
        messages.bytes += bytes
      }
      messages.messages.append(message)
    }
    messages.omitted = UInt64(clamping: json["messages_omitted"]?.integer ?? 0)
    return messages
  }

  private func callProtocol(of exchange: Exchange) -> MessageProtocol {
    let field = exchange.request?.fields.first("content-type") ?? exchange.response?.fields.first("content-type") ?? []
    let mediaType = String(decoding: field, as: UTF8.self).lowercased()
    if mediaType.hasPrefix("application/grpc-web-text") { return .grpcWebText }
    if mediaType.hasPrefix("application/grpc-web") { return .grpcWeb }
    return mediaType.hasPrefix("application/grpc") ? .grpc : .webSocket
  }
}
