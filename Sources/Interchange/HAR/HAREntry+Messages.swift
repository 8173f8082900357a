// The messages of a HAR entry. A HAR has bodies as text, after transfer and content coding; a session has them before
// content coding. So a coding that was undone is taken out of the head too, and the head then agrees with the body.

import ContentTree
import HTTPModel

extension HAREntry {
  mutating func request(
    _ json: JSONValue, _ method: [UInt8], _ url: RequestURL, _ version: HTTPVersion, _ timing: MessageTiming
  ) -> HTTPRequest {
    var head = MessageComposition(version: version, fields: fields(json["headers"]))
    addCookies(json["cookies"], to: &head)
    let content = postData(json["postData"], size: json["bodySize"]?.integer)
    settle(&head, url)
    head.sanitise(&notes)
    var body = content
    if content.isComplete {
      body.framing = head.settleRequestFraming(content, &notes)
    } else if version == .http2 {
      body.framing = .stream
    } else {
      body.framing = .contentLength
    }
    return head.request(method: method, target: target(url, json["queryString"]), body: body, timing: timing)
  }

  mutating func response(
    _ json: JSONValue, _ status: UInt16, _ version: HTTPVersion, isHead: Bool, _ timing: MessageTiming
  ) -> HTTPResponse {
    var head = MessageComposition(version: version, fields: fields(json["headers"]))
    head.fields.removeAll { $0.name.first == UInt8(ascii: ":") }
    if head.first("set-cookie") == nil {
      for cookie in json["cookies"]?.elements ?? [] {
        guard let name = cookie["name"]?.bytes, let value = cookie["value"]?.bytes else { continue }
        let field = version == .http2 ? "set-cookie" : "Set-Cookie"
        head.fields.append((Array(field.utf8), name + Array("=".utf8) + value))
      }
    }
    let mayHaveBody = !isHead && status >= 200 && status != 204 && status != 304
    var body = mayHaveBody ? content(json["content"], bodySize: json["bodySize"]?.integer) : HTTPBody()
    if mayHaveBody, !body.bytes.isEmpty { undoneCoding(&head, body) }
    head.sanitise(&notes)
    if version == .http2 {
      body.framing = .stream
    } else if mayHaveBody {
      body.framing = head.responseFraming
    }
    let trailers = MessageComposition.trailers(fields(json["_trailers"]), &notes)
    var response = head.response(
      status: status, reason: json["statusText"]?.bytes ?? [], body: body, timing: timing)
    if !trailers.isEmpty { response.trailers = trailers }
    return response
  }

  // MARK: Heads

  private func fields(_ json: JSONValue?) -> [(name: [UInt8], value: [UInt8])] {
    (json?.elements ?? []).compactMap { field in
      guard let name = field["name"]?.bytes else { return nil }
      return (name, field["value"]?.bytes ?? [])
    }
  }

  /// Cookies that stand in the list of cookies only: some exports leave them out of the header fields.
  private func addCookies(_ json: JSONValue?, to head: inout MessageComposition) {
    guard head.first("cookie") == nil else { return }
    let pairs = (json?.elements ?? []).compactMap { cookie -> [UInt8]? in
      guard let name = cookie["name"]?.bytes, let value = cookie["value"]?.bytes else { return nil }
      return name + Array("=".utf8) + value
    }
    if !pairs.isEmpty { head.fields.append((Array("Cookie".utf8), Array(pairs.joined(separator: "; ".utf8)))) }
  }

  /// Pseudo-header fields as the model wants them, and what HTTP/1.1 must have.
  private func settle(_ head: inout MessageComposition, _ url: RequestURL) {
    head.fields.removeAll { field in
      [":method", ":path", ":scheme", ":authority", ":protocol"].contains { field.name.elementsEqual($0.utf8) }
    }
    if head.version == .http2 {
      // Firefox writes a Host field that was not sent.
      if head.first("host")?.elementsEqual(url.authority.utf8) == true { head.remove("host") }
      head.fields.insert((Array(":authority".utf8), Array(url.authority.utf8)), at: 0)
      head.fields.insert((Array(":scheme".utf8), Array((url.isTLS ? "https" : "http").utf8)), at: 0)
      for index in head.fields.indices { head.fields[index].name = head.fields[index].name.map(lowercased) }
    } else if head.first("host") == nil, head.version == .http11 {
      head.fields.insert((Array("Host".utf8), Array(url.authority.utf8)), at: 0)
    }
  }

  private func lowercased(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte }

  /// Some exports leave the query out of the URL.
  private func target(_ url: RequestURL, _ query: JSONValue?) -> [UInt8] {
    let target = Array(url.target.utf8)
    guard !target.contains(UInt8(ascii: "?")), let query = query?.elements, !query.isEmpty else { return target }
    return target + Array("?".utf8) + formText(query)
  }

  private func formText(_ pairs: [JSONValue]) -> [UInt8] {
    Array(
      pairs.map { pair -> [UInt8] in
        let value = pair["value"]?.bytes
        return percentEncoded(pair["name"]?.bytes ?? []) + (value.map { Array("=".utf8) + percentEncoded($0) } ?? [])
      }.joined(separator: "&".utf8))
  }

  /// What is encoded already stays as it is: a percent sign with two digits behind it stands for itself.
  private func percentEncoded(_ text: [UInt8]) -> [UInt8] {
    func isHex(_ index: Int) -> Bool {
      index < text.count && (text[index] >= 0x30 && text[index] <= 0x39 || (0x41...0x46).contains(text[index] & 0xdf))
    }
    return text.indices.flatMap { index -> [UInt8] in
      let byte = text[index]
      let isPlain = isToken(byte) && byte != UInt8(ascii: "%") && byte != UInt8(ascii: "&") && byte != UInt8(ascii: "#")
      let stays = isPlain && byte != UInt8(ascii: "+") || byte == UInt8(ascii: "/") || byte == UInt8(ascii: ":")
      if stays || byte == UInt8(ascii: "%") && isHex(index + 1) && isHex(index + 2) { return [byte] }
      return [UInt8(ascii: "%"), upperHex(byte >> 4), upperHex(byte & 15)]
    }
  }

  // MARK: Bodies

  private mutating func postData(_ json: JSONValue?, size: Int64?) -> HTTPBody {
    if let text = json?["text"], let bytes = text.bytes, !bytes.isEmpty {
      let isBase64 = (json?["encoding"] ?? json?["_encoding"])?.string?.lowercased() == "base64"
      if isBase64, let decoded = text.base64 { return kept(decoded) }
      return kept(encoded(bytes, mimeType: json?["mimeType"]?.string))
    }
    let parameters = json?["params"]?.elements ?? []
    let isForm = json?["mimeType"]?.string?.lowercased().hasPrefix("application/x-www-form-urlencoded") ?? false
    if !parameters.isEmpty, isForm { return kept(formText(parameters)) }
    return unseen(parameters.isEmpty ? size : max(size ?? 1, 1))
  }

  private mutating func content(_ json: JSONValue?, bodySize: Int64?) -> HTTPBody {
    guard let text = json?["text"], let bytes = text.bytes, !bytes.isEmpty else {
      return unseen(json?["size"]?.integer)
    }
    if json?["encoding"]?.string?.lowercased() == "base64", let decoded = text.base64 { return kept(decoded) }
    return kept(encoded(bytes, mimeType: json?["mimeType"]?.string))
  }

  private func kept(_ bytes: [UInt8]) -> HTTPBody {
    var body = CollectedBody(limit: bodyLimit)
    bytes.withUnsafeBytes { body.append($0) }
    return body.finish(framing: .none, truncation: nil)
  }

  private mutating func unseen(_ size: Int64?) -> HTTPBody {
    guard let size, size > 0 else { return HTTPBody() }
    notes.add(.bodiesNotInFile)
    var body = HTTPBody()
    body.lack(upTo: size)
    return body
  }

  /// Text back to the bytes that it was read from.
  private mutating func encoded(_ text: [UInt8], mimeType: String?) -> [UInt8] {
    guard let charset = MediaTypeText.charset(of: mimeType), text.contains(where: { $0 >= 0x80 }) else { return text }
    switch charset {
    case "utf-8", "utf8", "us-ascii", "ascii": return text
    case "iso-8859-1", "latin1", "windows-1252":
      let scalars = String(decoding: text, as: UTF8.self).unicodeScalars
      let bytes = scalars.compactMap { $0.value < 0x100 ? UInt8($0.value) : nil }
      if bytes.count == scalars.count { return bytes }
    default: break
    }
    notes.add(.charsetsUnknown)
    return text
  }

  /// Takes Content-Encoding out where the body came without it.
  private mutating func undoneCoding(_ head: inout MessageComposition, _ body: HTTPBody) {
    guard let coding = head.first("content-encoding"), !coding.isEmpty, !coding.elementsEqual("identity".utf8) else {
      return
    }
    let magic: [UInt8] = coding.elementsEqual("zstd".utf8) ? [0x28, 0xb5, 0x2f, 0xfd] : [0x1f, 0x8b]
    if body.bytes.starts(with: magic) { return }
    notes.add(.codingsUndone)
    head.remove("content-encoding")
    if head.first("content-length") != nil { head.set("Content-Length", Array("\(body.size)".utf8)) }
  }
}

extension HTTPBody {
  /// Makes it a body of which everything behind the bytes that are there was never seen.
  mutating func lack(upTo size: Int64) {
    guard size > Int64(bytes.count) else { return }
    self.size = UInt64(size)
    isComplete = false
    missing = [BodyRange(lowerBound: UInt64(bytes.count), upperBound: UInt64(size))]
  }
}
