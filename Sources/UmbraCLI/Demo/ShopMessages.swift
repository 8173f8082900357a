// The demo shop's requests and responses as values: what the responder reads and gives, without a socket.
// Owner: whoever asks. Bounds: bodies are held whole; the server refuses one above ShopRequest.bodyLimit.

import HTTPModel

/// Which of the two shops answers.
enum ShopVariant: String, CaseIterable, Sendable {
  /// The one in production.
  case primary
  /// The next release, with the regressions of ``DemoShop/plantedRegressions``.
  case canary
}

/// A header field as it is written on the wire.
struct ShopField: Hashable, Sendable {
  var name: String
  var value: String

  init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// A request, after transfer coding.
struct ShopRequest: Hashable, Sendable {
  /// Bytes of a request's body that the shop takes; more is answered with 413.
  static let bodyLimit = 1 << 20

  var method: String
  /// In origin form: path and query.
  var target: String
  var fields: [ShopField]
  var body: [UInt8]

  init(_ method: String, _ target: String, fields: [ShopField] = [], body: [UInt8] = []) {
    self.method = method
    self.target = target
    self.fields = fields
    self.body = body
  }

  /// The first value under a name; ASCII case does not count.
  func value(_ name: String) -> String? {
    fields.first { asciiCaseInsensitiveEqual($0.name.utf8, name.utf8) }?.value
  }
}

/// What no two answers share, handed to the responder so that it stays a pure function.
struct ShopNoise: Hashable, Sendable {
  /// Becomes `Date` and `generated_at`.
  var now: Timestamp
  /// Becomes `X-Request-Id`.
  var requestID: UInt64
}

/// A response, before transfer coding.
struct ShopResponse: Hashable, Sendable {
  /// How the content travels.
  enum Content: Hashable, Sendable {
    case none
    /// Under Content-Length.
    case whole([UInt8])
    /// In these pieces: chunked, or until close for an HTTP/1.0 client.
    case pieces([[UInt8]])
  }

  var status: Int
  /// In the order in which they are written; framing fields are the server's business.
  var fields: [ShopField]
  var content: Content
  /// How long the shop thinks before the first byte, in milliseconds.
  var thinkingMilliseconds: Int

  /// The content as one run of bytes.
  var bytes: [UInt8] {
    switch content {
    case .none: []
    case .whole(let bytes): bytes
    case .pieces(let pieces): Array(pieces.joined())
    }
  }

  /// The first value under a name; ASCII case does not count.
  func value(_ name: String) -> String? {
    fields.first { asciiCaseInsensitiveEqual($0.name.utf8, name.utf8) }?.value
  }
}
