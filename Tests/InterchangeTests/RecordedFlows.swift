// mitmproxy flows that tests write themselves: tnetstrings, and the members that a flow has.

/// A value of a flow file.
indirect enum Netstring {
  case text(String)
  case octets([UInt8])
  case integer(Int64)
  case real(String)
  case truth(Bool)
  case nothing
  case list([Netstring])
  case dictionary([(String, Netstring)])

  var encoded: [UInt8] {
    switch self {
    case .text(let text): frame(Array(text.utf8), ";")
    case .octets(let bytes): frame(bytes, ",")
    case .integer(let value): frame(Array("\(value)".utf8), "#")
    case .real(let value): frame(Array(value.utf8), "^")
    case .truth(let value): frame(Array("\(value)".utf8), "!")
    case .nothing: frame([], "~")
    case .list(let values): frame(values.flatMap(\.encoded), "]")
    case .dictionary(let members): frame(members.flatMap { Netstring.text($0).encoded + $1.encoded }, "}")
    }
  }

  private func frame(_ payload: [UInt8], _ type: Character) -> [UInt8] {
    Array("\(payload.count):".utf8) + payload + [type.asciiValue!]
  }

  static func bytes(_ text: String) -> Netstring { .octets(Array(text.utf8)) }

  static func fields(_ fields: KeyValuePairs<String, String>) -> Netstring {
    .list(fields.map { .list([.bytes($0.key), .bytes($0.value)]) })
  }
}

/// A flow as mitmproxy 11 writes it; each part may be replaced.
struct RecordedFlows {
  var version = Netstring.integer(21)
  var type = "http"
  var request: FlowMembers = [
    "path": .bytes("/a?x=1"), "authority": .bytes(""), "scheme": .bytes("http"), "method": .bytes("POST"),
    "port": .integer(8080), "host": .text("shop"), "timestamp_end": .real("1795274637.7126102"),
    "timestamp_start": .real("1795274637.7078166"), "trailers": .nothing, "content": .bytes("a=b"),
    "headers": .fields(["Host": "shop:8080", "X-OdD": "v", "Content-Length": "3"]),
    "http_version": .bytes("HTTP/1.1"),
  ]
  var response: FlowMembers? = [
    "reason": .bytes("Fine"), "status_code": .integer(200), "timestamp_end": .real("1795274637.714382"),
    "timestamp_start": .real("1795274637.7138755"), "trailers": .nothing, "content": .bytes("hi"),
    "headers": .fields(["Content-Length": "2", "Set-Cookie": "a=1", "set-cookie": "b=2"]),
    "http_version": .bytes("HTTP/1.1"),
  ]
  var client: FlowMembers = [
    "sni": .nothing, "tls": .truth(false), "id": .text("272b3caa"),
    "peername": .list([.text("::ffff:10.0.0.7"), .integer(53_822), .integer(0), .integer(0)]),
  ]
  var server: FlowMembers = [
    "address": .list([.text("shop"), .integer(8080)]), "tls": .truth(false),
    "peername": .list([.text("10.0.0.1"), .integer(8080)]),
    "certificate_list": .list([.bytes(String(repeating: "x", count: 3000))]),
  ]
  var error = Netstring.nothing
  var webSocket = Netstring.nothing

  var encoded: [UInt8] {
    Netstring.dictionary([
      ("websocket", webSocket), ("response", response.map { .dictionary($0.members) } ?? .nothing),
      ("request", .dictionary(request.members)), ("backup", .nothing), ("timestamp_created", .real("1795274637.7")),
      ("metadata", .dictionary([])), ("server_conn", .dictionary(server.members)),
      ("client_conn", .dictionary(client.members)),
      ("error", error), ("id", .text("52e392ec")), ("type", .text(type)), ("version", version),
    ]).encoded
  }
}

/// The members of a dictionary in their order.
struct FlowMembers: ExpressibleByDictionaryLiteral {
  private(set) var members: [(String, Netstring)]

  init(dictionaryLiteral elements: (String, Netstring)...) { members = elements }

  /// Replaces members, or adds them.
  mutating func set(_ new: FlowMembers) {
    for (name, value) in new.members {
      members.removeAll { $0.0 == name }
      members.append((name, value))
    }
  }
}
