// A request as a curl command for a POSIX shell. In: a recorded request. Out: text. Owner: PlaceTable.
// Bounds: bodies over 8 KB or with NUL bytes, fields beyond 16 KB and the rest of a longer target are named, not shown.

import HTTPModel

/// The command but for the address, which is known when a run is reported.
struct CurlCommand: Hashable {
  private let options: String
  /// Path and query, ready to follow an authority.
  private let path: String
  private let recordedBase: String
  /// Of the Host field; said where the address does not say it.
  private let host: [UInt8]
  private let note: String

  private static let bodyLimit = 8 << 10
  private static let headLimit = 16 << 10

  init(_ request: HTTPRequest, isTLS: Bool) {
    let method = String(decoding: request.method, as: UTF8.self)
    var words: [String] = method == "HEAD" ? ["--head"] : method == "GET" ? [] : ["-X", quoted(request.method)]
    var note = ""
    var headSize = 0
    for index in 0..<request.fields.count {
      headSize += request.fields.name(at: index).count + request.fields.value(at: index).count
      if headSize > Self.headLimit {
        note += "  # and \(request.fields.count - index) more header fields, not shown"
        break
      }
      let name = String(decoding: request.fields.name(at: index), as: UTF8.self)
      if name.hasPrefix(":") || Self.ownFields.contains(name.lowercased()) { continue }
      let value = request.fields.value(at: index)
      if name.lowercased() == "host" { continue }
      words += ["-H", quoted(Array(name.utf8) + (value.isEmpty ? Array(";".utf8) : Array(": ".utf8) + value))]
    }
    let body = request.body
    if !body.isComplete || body.bytes.count > Self.bodyLimit || body.bytes.contains(0) {
      note += "  # and a body of \(body.size) bytes, not shown"
    } else if !body.bytes.isEmpty {
      words += ["--data-raw", quoted(body.bytes)]
    }
    // curl would otherwise read brackets as ranges and resolve dots.
    let target = request.target
    if target.contains(where: { "[]{}".utf8.contains($0) }) { words.insert("--globoff", at: 0) }
    if target.split(separator: UInt8(ascii: "/")).contains(where: {
      $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8)
    }) {
      words.insert("--path-as-is", at: 0)
    }
    options = words.map { " " + $0 }.joined()
    var rest = target
    if rest.first != UInt8(ascii: "/"), let colon = rest.firstIndex(of: UInt8(ascii: ":")),
      rest[colon...].starts(with: "://".utf8)
    {
      rest = rest[(colon + 3)...].drop { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
    }
    path = String(decoding: rest.prefix(Self.headLimit), as: UTF8.self)
    if rest.count > Self.headLimit { note += "  # the target is cut" }
    host = Array(request.fields.first("host") ?? request.authority ?? [])
    recordedBase = (isTLS ? "https://" : "http://") + String(decoding: request.authority ?? [], as: UTF8.self)
    self.note = note
  }

  /// - Parameter base: a target as the user named it, `URL` or `URL=WEIGHT`; nil for the recorded authority.
  func text(base: String?) -> String {
    let address = CommandAddress(base ?? recordedBase)
    var command = "curl -i"
    if address.speaksHTTP2 { command += " --http2-prior-knowledge" }
    if let socket = address.socket { command += " --unix-socket " + quoted(Array(socket.utf8)) }
    if !host.isEmpty, !address.authority.utf8.elementsEqual(host) {
      command += " -H " + quoted(Array("Host: ".utf8) + host)
    }
    return command + options + " " + quoted(Array((address.url + path).utf8)) + note
  }

  /// What curl sets itself.
  private static let ownFields: Set<String> = [
    "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "expect",
  ]
}

/// A target as commands name it.
struct CommandAddress {
  /// Without a slash at its end.
  var url: String
  var authority: String
  var socket: String?
  /// From its first byte on, without TLS.
  var speaksHTTP2 = false
  var isTLS: Bool

  /// - Parameter base: `URL` or `URL=WEIGHT`.
  init(_ base: String) {
    var base = base[...]
    if let mark = base.lastIndex(of: "="), base[mark...].dropFirst().allSatisfy(\.isNumber) { base = base[..<mark] }
    while base.hasSuffix("/") { base.removeLast() }
    let separator = base.firstRange(of: "://")
    var scheme = separator.map { base[..<$0.lowerBound].lowercased() } ?? "http"
    var rest = separator.map { base[$0.upperBound...] } ?? base
    if scheme.hasSuffix("+unix") {
      scheme.removeLast(5)
      (socket, rest) = (String(rest), "localhost")
    }
    isTLS = scheme == "https"
    if scheme == "h2c" { (scheme, speaksHTTP2) = ("http", true) }
    authority = String(rest.prefix { $0 != "/" })
    url = scheme + "://" + rest
  }
}

/// A word for a POSIX shell: in single quotes, or where control characters need it in `$'...'`.
func quoted(_ bytes: some Collection<UInt8>) -> String {
  let isText = String(validating: bytes, as: UTF8.self) != nil
  if isText, bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x0a || $0 == 0x09 }) {
    return "'" + String(decoding: bytes, as: UTF8.self).replacing("'", with: "'\\''") + "'"
  }
  var word = "$'"
  for byte in bytes {
    switch byte {
    case UInt8(ascii: "'"), UInt8(ascii: "\\"): word += "\\" + String(UnicodeScalar(byte))
    case 0x20..<0x7f: word.unicodeScalars.append(UnicodeScalar(byte))
    default:
      let octal = String(byte, radix: 8)
      word += "\\" + String(repeating: "0", count: 3 - octal.count) + octal
    }
  }
  return word + "'"
}
