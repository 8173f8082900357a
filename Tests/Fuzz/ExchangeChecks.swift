// What must hold of every exchange, wherever it comes from.

import HTTP1Decoding
import HTTPModel

struct ExchangeChecks {
  private var seen: Set<ExchangeID> = []

  mutating func check(_ exchange: Exchange) throws(Violation) {
    try require(exchange.request != nil || exchange.response != nil, "\(exchange.id) is neither request nor response")
    try require(seen.insert(exchange.id).inserted, "\(exchange.id) is told twice")
    try ExchangeChecks.checkShape(exchange)
    if let request = exchange.request, exchange.anomalies.isEmpty, request.body.isComplete {
      try ExchangeChecks.checkRewriting(request)
    }
  }

  /// Ranges stand in their storage and sizes agree.
  static func checkShape(_ exchange: Exchange) throws(Violation) {
    if let request = exchange.request {
      _ = (request.method.count, request.target.count, request.authority?.count, request.isSafe)
      try check(request.fields, "request fields")
      try check(request.trailers, "request trailers")
      try check(request.body, "request body")
    }
    if let response = exchange.response {
      _ = response.reason.count
      try check(response.fields, "response fields")
      try check(response.trailers, "response trailers")
      for interim in response.informational { try check(interim.fields, "interim fields") }
      try check(response.body, "response body")
    }
    _ = exchange.start.nanoseconds(since: exchange.end)
  }

  private static func check(_ fields: HeaderFields, _ name: String) throws(Violation) {
    var end: UInt32 = 0
    for index in fields.ranges.indices {
      let range = fields.ranges[index]
      let isRising = end <= range.nameStart && range.nameEnd <= range.valueStart
      try require(isRising, "\(name): field \(index) stands before what it follows")
      end = range.valueEnd
      _ = (fields.name(at: index).count, fields.value(at: index).count)
    }
  }

  private static func check(_ body: HTTPBody, _ name: String) throws(Violation) {
    try require(UInt64(body.bytes.count) <= body.size, "\(name): \(body.bytes.count) bytes of \(body.size)")
    if body.isComplete {
      try require(
        body.missing.isEmpty && body.cutHash == nil && UInt64(body.bytes.count) == body.size,
        "\(name) is complete and has \(body.bytes.count) bytes of \(body.size), missing \(body.missing)")
    }
    var end: UInt64 = 0
    for range in body.missing {
      try require(end <= range.lowerBound && range.lowerBound <= range.upperBound, "\(name): missing \(body.missing)")
      end = range.upperBound
    }
  }

  /// A request without an oddity that is written out again reads the same.
  private static func checkRewriting(_ request: HTTPRequest) throws(Violation) {
    var bytes: [UInt8] = []
    serialize(request: request, into: &bytes)
    let same = try reading(bytes)
    try require(same.head.fields == request.fields, "the head written out again reads differently")
    try require(same.body == request.body.bytes, "the body written out again reads differently")

    var edits = HTTP1RequestEdits()
    edits.replaced = [(Array("host".utf8), Array("other:1".utf8))]
    edits.appended = [(Array("X-Mark".utf8), Array("1".utf8))]
    bytes = []
    serialize(request: request, edits: edits, into: &bytes)
    let edited = try reading(bytes)
    try require(edited.body == request.body.bytes, "the body after edits reads differently")
    let fields = edited.head.fields
    let isMarked = fields.count > 0 && fields.value(at: fields.count - 1).elementsEqual("1".utf8)
    try require(isMarked, "the field added last is not the last")
    try require(fields.first("host")?.elementsEqual("other:1".utf8) == true, "the Host put in is not there")
    let hadHost = request.fields.first("host") != nil
    try require(fields.count == request.fields.count + (hadHost ? 1 : 2), "edits changed the number of fields")
  }

  private static func reading(_ bytes: [UInt8]) throws(Violation) -> (head: HTTP1Head, body: [UInt8]) {
    var decoder = HTTP1Decoder(role: .request)
    var head: HTTP1Head?
    var body: [UInt8] = []
    var isEnded = false
    bytes.withUnsafeBytes { buffer in
      var offset = 0
      while !isEnded, let event = decoder.nextEvent(in: buffer, at: &offset) {
        switch event {
        case .head(let found): head = found
        case .body(let range): body += buffer[range]
        case .end: isEnded = true
        default: break
        }
      }
    }
    guard let head, isEnded else { throw Violation(description: "a request written out does not read as one") }
    return (head, body)
  }
}
