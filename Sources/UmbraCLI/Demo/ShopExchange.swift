// A request to the demo shop taken apart, and the forms in which the shop answers.
// Owner: the responder, for one answer. Bounds: linear in the request.

import ContentCoding
import HTTPModel

/// A request, who answers it and the noise of the moment.
struct ShopExchange {
  let request: ShopRequest
  let variant: ShopVariant
  let noise: ShopNoise
  /// The path's segments, decoded; none for `/`.
  let path: [String]
  /// The query's parameters, decoded; of two with a name the first.
  let query: [String: String]

  init(request: ShopRequest, variant: ShopVariant, noise: ShopNoise) {
    self.request = request
    self.variant = variant
    self.noise = noise
    let parts = request.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    path = parts[0].split(separator: "/").map { percentDecoded($0) }
    let pairs = parts.count == 2 ? parts[1].split(separator: "&") : []
    query = Dictionary(
      pairs.map { pair in
        let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return (percentDecoded(halves[0]), halves.count == 2 ? percentDecoded(halves[1]) : "")
      }, uniquingKeysWith: { first, _ in first })
  }

  var acceptsGzip: Bool { request.value("accept-encoding")?.contains("gzip") == true }

  /// The moment of the answer, as services like to add it.
  var generatedAt: ShopJSON.Member {
    .init("generated_at", .string(noise.now.description.prefix(23) + "Z"))
  }

  /// An answer with the fields that all have.
  func answer(_ status: Int, fields: [ShopField], content: ShopResponse.Content = .none) -> ShopResponse {
    let common = [
      ShopField("Server", "demo-shop"), ShopField("Date", noise.now.httpDate),
      ShopField("X-Request-Id", ShopDigest(word: noise.requestID).text),
    ]
    // Nothing was said about the length of what has no content (RFC 9110, 15.4.5); a redirection's is empty.
    let isBare = status == 204 || status == 304
    let content = !isBare && content == .none ? .whole([]) : content
    return ShopResponse(status: status, fields: common + fields, content: content, thinkingMilliseconds: 0)
  }

  func json(_ status: Int, _ members: [ShopJSON.Member], fields: [ShopField] = []) -> ShopResponse {
    answer(
      status, fields: [ShopField("Content-Type", "application/json")] + fields,
      content: .whole(ShopJSON.object(members).bytes))
  }

  func failure(_ status: Int, _ message: String, fields: [ShopField] = []) -> ShopResponse {
    json(status, [.init("error", .string(message))], fields: fields)
  }
}

extension ShopResponse {
  /// The answer to a body above ``ShopRequest/bodyLimit``.
  static func contentTooLarge(_ noise: ShopNoise) -> ShopResponse {
    ShopExchange(request: ShopRequest("POST", "/"), variant: .primary, noise: noise)
      .failure(413, "at most \(ShopRequest.bodyLimit) bytes")
  }
}

extension ShopResponse {
  /// The same under the gzip coding, in two pieces: as from a server that compresses while it writes.
  func gzipped() -> ShopResponse {
    var answer = self
    let packed = ContentCoding.gzip(bytes)
    answer.fields.append(ShopField("Content-Encoding", "gzip"))
    answer.content = .pieces(of: packed, size: packed.count / 2 + 1)
    return answer
  }
}

extension ShopResponse.Content {
  /// `bytes` in runs of `size`, the last one shorter.
  static func pieces(of bytes: [UInt8], size: Int) -> Self {
    .pieces(stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) })
  }
}

/// A name or tag that follows from content, or a number that is shown like one.
struct ShopDigest: Hashable, Sendable {
  let word: UInt64

  init(word: UInt64) { self.word = word }

  /// FNV-1a, 64 bits.
  init(of bytes: some Sequence<UInt8>) {
    word = bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  /// Sixteen hexadecimal digits.
  var text: String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// `+` is a space and `%XX` an octet; what is neither stays.
private func percentDecoded(_ text: Substring) -> String {
  var output: [UInt8] = []
  var rest = text.utf8[...]
  while let byte = rest.popFirst() {
    if byte == 0x25, rest.count >= 2, let octet = UInt8(Substring(rest.prefix(2)), radix: 16) {
      output.append(octet)
      rest = rest.dropFirst(2)
    } else {
      output.append(byte == 0x2b ? 0x20 : byte)
    }
  }
  return String(decoding: output, as: UTF8.self)
}

extension Timestamp {
  /// IMF-fixdate (RFC 9110, 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
  var httpDate: String {
    let text = description
    let parts = text.prefix(10).split(separator: "-")
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    // The epoch was a Thursday.
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let weekday = Int((nanoseconds / 86_400_000_000_000 % 7 + 7) % 7)
    return "\(days[weekday]), \(parts[2]) \(months[Int(parts[1])! - 1]) \(parts[0]) \(text.dropFirst(11).prefix(8)) GMT"
  }
}
