// A request as a person writes it, as if it had been captured. In: `POST /api/x -H "X-User: 7" -d '{}'`. Out: an exchange.

import HTTPModel

struct ImaginedRequest {
  var exchange: Exchange

  /// - Throws: `CommandFailure` that says which word is wrong.
  init(_ text: String, status: UInt16? = nil) throws {
    var words = try ImaginedRequest.words(text)[...]
    if words.first == "curl" { words.removeFirst() }
    guard let method = words.popFirst(), !method.hasPrefix("-"), let target = words.popFirst() else {
      throw CommandFailure("'\(text)' is no request: write it like 'GET /path -H \"Name: value\"'", status: .usage)
    }
    var (fields, body, client): ([(String, String)], [UInt8], IPAddress) = ([], [], IPAddress(v4: 0x7f00_0001))
    while let word = words.popFirst() {
      guard ["-H", "-d", "--client"].contains(word), let value = words.popFirst() else {
        throw CommandFailure(
          "'\(word)' means nothing in a request: -H, -d and --client do, each with a value", status: .usage)
      }
      switch word {
      case "-H":
        guard let colon = value.firstIndex(of: ":") else {
          throw CommandFailure("'\(value)' is no header field: write 'Name: value'", status: .usage)
        }
        let content = value[value.index(after: colon)...].drop { $0 == " " }
        fields.append((String(value[..<colon]), String(content)))
      case "-d": body = Array(value.utf8)
      default:
        guard let address = IPAddress(value) else {
          throw CommandFailure("'\(value)' is no address", status: .usage)
        }
        client = address
      }
    }
    if !fields.contains(where: { $0.0.lowercased() == "host" }) { fields.insert(("Host", "localhost"), at: 0) }
    var head = HeaderFields(storage: Array("\(method) \(target) HTTP/1.1\r\n".utf8))
    for (name, value) in fields { head.append(name: name.utf8, value: value.utf8) }
    let now = Timestamp(nanoseconds: wallNow())
    let timing = MessageTiming(start: now, headEnd: now, end: now)
    let end = UInt32(method.utf8.count)
    exchange = Exchange(
      id: ExchangeID(connection: 1, ordinal: 1), client: TransportAddress(address: client, port: 40_000),
      server: TransportAddress(address: IPAddress(v4: 0x7f00_0001), port: 80),
      request: HTTPRequest(
        version: .http11, methodRange: 0..<end, targetRange: end + 1..<end + 1 + UInt32(target.utf8.count),
        fields: head,
        body: HTTPBody(bytes: body, size: UInt64(body.count), framing: body.isEmpty ? .none : .contentLength),
        timing: timing),
      response: status.map {
        HTTPResponse(version: .http11, status: $0, reasonRange: 0..<0, fields: HeaderFields(), timing: timing)
      })
  }

  /// Words as a shell splits them.
  private static func words(_ text: String) throws -> [String] {
    var (words, word, quote): ([String], String?, Character?) = ([], nil, nil)
    for character in text {
      if let open = quote {
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
      } else if character == "\"" || character == "'" {
        quote = character
        word = word ?? ""
      } else if character == " " {
        if let done = word { words.append(done) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    if quote != nil { throw CommandFailure("a quote is not closed in '\(text)'", status: .usage) }
    return words + (word.map { [$0] } ?? [])
  }
}
