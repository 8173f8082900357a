// Whether an exchange switches to WebSocket, and on what the two agree (RFC 6455, 4 and 9; RFC 7692; RFC 8441).
// In: a request and its response. Out: a value. Owner: a value. Bounds: linear in the fields.

public import HTTPModel

/// One extension of a Sec-WebSocket-Extensions field (RFC 6455, 9.1).
public struct WebSocketExtension: Hashable, Sendable {
  public struct Parameter: Hashable, Sendable {
    /// In lower case.
    public var name: String
    /// Without quotes; nil where there is none.
    public var value: String?
  }

  /// In lower case.
  public var name: String
  public var parameters: [Parameter]

  /// The extensions of all fields of this name, in order. What cannot be read is passed over up to the next comma.
  public static func read(_ fields: HeaderFields) -> [WebSocketExtension] {
    fields.indices(of: "sec-websocket-extensions").flatMap { index in
      elements(of: fields.value(at: index), separatedBy: UInt8(ascii: ",")).compactMap(WebSocketExtension.init)
    }
  }

  private init?(_ text: ArraySlice<UInt8>) {
    let parts = elements(of: text, separatedBy: UInt8(ascii: ";")).map { String(decoding: $0, as: UTF8.self) }
    guard let name = parts.first, !name.isEmpty else { return nil }
    self.name = name.lowercased()
    parameters = parts.dropFirst().filter { !$0.isEmpty }.map { part in
      guard let mark = part.firstIndex(of: "=") else { return Parameter(name: part.lowercased(), value: nil) }
      let value = trimmed(part[part.index(after: mark)...])
      let isQuoted = value.utf8.count > 1 && value.hasPrefix("\"") && value.hasSuffix("\"")
      return Parameter(
        name: trimmed(part[..<mark]).lowercased(),
        value: isQuoted ? String(value.dropFirst().dropLast().filter { $0 != "\\" }) : String(value))
    }
  }
}

/// What two sides agreed on of permessage-deflate (RFC 7692, 7).
public struct WebSocketDeflate: Hashable, Sendable {
  /// Each message of the sender is compressed by itself; else the window goes on from message to message.
  public var serverNoContextTakeover = false
  public var clientNoContextTakeover = false
  /// 8 ... 15: the window is two to this power of bytes.
  public var serverMaxWindowBits: UInt8 = 15
  public var clientMaxWindowBits: UInt8 = 15

  public init() {}

  /// Reads what a server accepted; nil where that is no permessage-deflate.
  public init?(accepted extensions: [WebSocketExtension]) {
    guard let accepted = extensions.first(where: { $0.name == "permessage-deflate" }) else { return nil }
    for parameter in accepted.parameters {
      let bits = parameter.value.flatMap { UInt8($0) }.map { min(max($0, 8), 15) } ?? 15
      switch parameter.name {
      case "server_no_context_takeover": serverNoContextTakeover = true
      case "client_no_context_takeover": clientNoContextTakeover = true
      case "server_max_window_bits": serverMaxWindowBits = bits
      case "client_max_window_bits": clientMaxWindowBits = bits
      default: break
      }
    }
  }

  /// Whether a sender's window goes on from message to message.
  public func takesContextOver(_ sender: WebSocketSender) -> Bool {
    switch sender {
    case .client: !clientNoContextTakeover
    case .server: !serverNoContextTakeover
    }
  }
}

/// An exchange after which both sides speak WebSocket.
public struct WebSocketHandshake: Hashable, Sendable {
  /// What the server accepted.
  public var extensions: [WebSocketExtension]
  public var deflate: WebSocketDeflate?
  /// What the server chose (Sec-WebSocket-Protocol).
  public var subprotocol: [UInt8]?

  /// Nil where the response does not switch: no 101 that upgrades to `websocket`, and over HTTP/2 no 2xx to an
  /// extended CONNECT (RFC 8441, 5).
  /// - Parameter connectProtocol: the request's `:protocol`.
  public init?(request: HTTPRequest?, response: HTTPResponse, connectProtocol: ArraySlice<UInt8>? = nil) {
    if let connectProtocol {
      guard asciiCaseInsensitiveEqual(connectProtocol, "websocket".utf8), (200..<300).contains(response.status),
        request.map({ $0.method.elementsEqual("CONNECT".utf8) }) ?? true
      else { return nil }
    } else {
      guard response.status == 101, Self.upgrades(response.fields),
        request.map({ Self.upgrades($0.fields) }) ?? true
      else { return nil }
    }
    extensions = WebSocketExtension.read(response.fields)
    deflate = WebSocketDeflate(accepted: extensions)
    subprotocol = response.fields.first("sec-websocket-protocol").map { Array($0) }
  }

  /// Whether Upgrade names `websocket`. Connection is not asked: proxies that were captured behind lose it.
  public static func upgrades(_ fields: HeaderFields) -> Bool {
    fields.indices(of: "upgrade").contains { index in
      elements(of: fields.value(at: index), separatedBy: UInt8(ascii: ",")).contains {
        asciiCaseInsensitiveEqual($0, "websocket".utf8)
      }
    }
  }
}

/// Parts between separators that do not stand in quotes, without white space around them.
private func elements(of text: ArraySlice<UInt8>, separatedBy separator: UInt8) -> [ArraySlice<UInt8>] {
  var parts: [ArraySlice<UInt8>] = []
  var start = text.startIndex
  var isQuoted = false
  var isEscaped = false
  for index in text.indices {
    let byte = text[index]
    if isEscaped {
      isEscaped = false
    } else if isQuoted, byte == UInt8(ascii: "\\") {
      isEscaped = true
    } else if byte == UInt8(ascii: "\"") {
      isQuoted.toggle()
    } else if byte == separator, !isQuoted {
      parts.append(text[start..<index])
      start = index + 1
    }
  }
  parts.append(text[start...])
  return parts.map { part in
    let rest = part.drop { $0 == 0x20 || $0 == 0x09 }
    let end = rest.lastIndex { $0 != 0x20 && $0 != 0x09 }.map { $0 + 1 } ?? rest.startIndex
    return rest[..<end]
  }
}

private func trimmed(_ text: Substring) -> Substring {
  let rest = text.drop { $0 == " " || $0 == "\t" }
  return rest.lastIndex { $0 != " " && $0 != "\t" }.map { rest[...$0] } ?? ""
}
