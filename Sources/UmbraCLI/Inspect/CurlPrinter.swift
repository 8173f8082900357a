// Exchanges as curl commands.

import HTTPModel

/// A shell command that sends the request again.
struct CurlPrinter: ExchangePrinter {
  var header: String? { nil }

  func text(_ exchange: Exchange) -> [UInt8] {
    guard let request = exchange.request else {
      return Array("# \(exchange.id): no request was seen\n".utf8)
    }
    func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
    let method = text(request.method)
    // As recorded: brackets are no ranges, dots are no steps.
    var words = ["curl", "--globoff", "--path-as-is"]
    if method == "HEAD" {
      words.append("--head")
    } else if method != "GET" || request.body.size > 0 {
      words += ["-X", quoted(method)]
    }
    if exchange.stream != nil { words.append(exchange.isTLS ? "--http2" : "--http2-prior-knowledge") }
    for index in request.fields.ranges.indices where !request.fields.isPseudoField(index) {
      let name = request.fields.name(at: index)
      // curl frames the body itself.
      if ["content-length", "transfer-encoding", "host"].contains(text(name).lowercased()) { continue }
      let value = text(request.fields.value(at: index))
      words += ["-H", quoted(value.isEmpty ? "\(text(name));" : "\(text(name)): \(value)")]
    }
    var isBinary = false
    if request.body.size > 0 {
      if let body = String(validating: request.body.bytes, as: UTF8.self), !body.contains("\0") {
        // Not --data-binary, which takes a body that begins with @ for the name of a file.
        words += ["--data-raw", quoted(body)]
      } else {
        isBinary = true
        words += ["--data-binary", "@-"]
      }
    }
    let authority = request.authority.map(text) ?? "\(exchange.server)"
    let target = text(request.target)
    let scheme = exchange.isTLS ? "https" : "http"
    if target.hasPrefix("/") {
      words.append(quoted("\(scheme)://\(authority)\(target)"))
    } else {
      words += ["--request-target", quoted(target), quoted("\(scheme)://\(authority)/")]
    }
    let command = words.joined(separator: " ")
    return Array(
      ((isBinary ? "printf %s \(base64(request.body.bytes)) | base64 -d | \(command)" : command) + "\n").utf8)
  }

  /// For a POSIX shell: in single quotes unless it is plain.
  private func quoted(_ text: String) -> String {
    let plain = text.utf8.allSatisfy {
      $0 >= 0x30 && $0 <= 0x39 || $0 >= 0x41 && $0 <= 0x5a || $0 >= 0x61 && $0 <= 0x7a || "_-./:=,@%+".utf8.contains($0)
    }
    if plain, !text.isEmpty { return text }
    return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
  }
}
