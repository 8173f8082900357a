// The captures of other projects in the shared corpus, and what tshark makes of them.

import Crypto
import ExchangeAssembly
import Foundation
import HTTPModel
import PcapCapture
import Testing

/// One capture with tshark's reading.
struct TruthCase: Sendable, CustomTestStringConvertible {
  var path: String
  var testDescription: String { path.split(separator: "/").suffix(2).joined(separator: "/") }
  /// Its folder and its file.
  var name: String { capture.split(separator: "/").suffix(2).joined(separator: "/") }
  var capture: String { String(path.dropLast(".truth.jsonl".count)) }

  static func cases(_ group: String) -> [TruthCase] {
    guard let folder = AdversarialCase.folder?.deletingLastPathComponent().appendingPathComponent(group) else {
      return []
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".truth.jsonl") }.sorted()
      .map { TruthCase(path: folder.appendingPathComponent($0).path) }
  }

  func truth() throws -> [TruthLine] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let text = try String(contentsOfFile: path, encoding: .utf8)
    return try text.split(separator: "\n").map { try decoder.decode(TruthLine.self, from: Data($0.utf8)) }
  }

  func decoded() throws -> (exchanges: [Exchange], ledger: Ledger) { try decodedCapture(capture) }
}

/// What umbra makes of a capture: exchanges in order on their connections.
func decodedCapture(_ path: String) throws -> (exchanges: [Exchange], ledger: Ledger) {
  let source = try SavedCapture(path: path)
  var limits = AssemblyLimits()
  limits.readsTLS = true
  var decoder = WireDecoder(assembly: limits)
  if let log = FileManager.default.contents(atPath: path + ".keylog") {
    log.withUnsafeBytes { decoder.addKeyLog($0, source: 0) }
    decoder.endKeyLogLine(source: 0)
  }
  var all: [Exchange] = []
  func addSecrets() {
    for secrets in source.takeSecrets() where secrets.kind == .tlsKeyLog {
      secrets.bytes.withUnsafeBytes { decoder.addKeyLog($0, source: -1) }
      decoder.endKeyLogLine(source: -1)
    }
  }
  while let packet = try source.next() {
    addSecrets()
    decoder.receive(packet.bytes, lengthOnWire: packet.lengthOnWire, linkType: packet.linkType, at: packet.time)
    while let exchange = decoder.nextExchange() { all.append(exchange) }
  }
  addSecrets()
  decoder.finish()
  while let exchange = decoder.nextExchange() { all.append(exchange) }
  // Order on the connection: where packets were swapped, a later request may have begun earlier.
  all.sort { $0.id < $1.id }
  return (all, decoder.ledger)
}

/// A line of the truth: of a stream, of a message of HTTP/1, or of an HTTP/2 stream.
struct TruthLine: Decodable {
  var kind: String
  // HTTP/1 messages.
  var src: String?
  var dst: String?
  var method: String?
  var target: String?
  var status: UInt16?
  var nheaders: Int?
  var bodyLen: UInt64?
  var bodySha256: String?
  var complete: Bool?
  var pass: String?
  // HTTP/2 streams.
  var h2stream: UInt32?
  var client: String?
  var server: String?
  var path: String?
  var authority: String?
  var nreqheaders: Int?
  var nrespheaders: Int?
  var reqDataLen: UInt64?
  var reqSha256: String?
  var reqEnd: Bool?
  var respDataLen: UInt64?
  var respSha256: String?
  var respEnd: Bool?
  var promisedBy: UInt32?
}

/// One message in the words in which both sides can be compared.
struct MessageFacts: CustomStringConvertible {
  var ends: String
  var line: String
  var fields: Int?
  var size: UInt64?
  var digest: String?

  var description: String {
    "\(ends) \(line) \(fields.map(String.init) ?? "?") fields \(size.map(String.init) ?? "?") bytes \(digest?.prefix(6) ?? "")"
  }

  /// What is unknown of either agrees with anything.
  func agrees(with other: MessageFacts) -> Bool {
    func same<Value: Equatable>(_ a: Value?, _ b: Value?) -> Bool { a == nil || b == nil || a == b }
    return ends == other.ends && line == other.line && same(fields, other.fields) && same(size, other.size)
      && same(digest, other.digest)
  }

  private init(_ ends: String, _ line: String, _ fields: Int?, _ size: UInt64?, _ digest: String?) {
    (self.ends, self.line, self.fields, self.size, self.digest) = (ends, line, fields, size, digest)
  }

  /// What a line of the truth tells of: nothing, a message of HTTP/1, or the messages of an HTTP/2 stream.
  static func messages(_ truth: TruthLine) -> [MessageFacts] {
    if let src = truth.src, let dst = truth.dst {
      // Of a message that only the second pass saw, the head is known and nothing else.
      let isWhole = truth.complete == true && truth.pass == "A"
      let line = truth.kind == "request" ? "\(truth.method ?? "") \(truth.target ?? "")" : "\(truth.status ?? 0)"
      return [
        MessageFacts(
          "\(src) \(dst)", line, truth.nheaders, isWhole ? truth.bodyLen : nil, isWhole ? truth.bodySha256 : nil)
      ]
    }
    guard let stream = truth.h2stream, let client = truth.client, let server = truth.server else { return [] }
    var messages: [MessageFacts] = []
    if let method = truth.method, let path = truth.path {
      let isWhole = truth.reqEnd == true
      messages.append(
        MessageFacts(
          "\(client) \(server)", "\(stream): \(method) \(path)", truth.nreqheaders, isWhole ? truth.reqDataLen : nil,
          isWhole ? truth.reqSha256 : nil))
    }
    if let status = truth.status {
      let isWhole = truth.respEnd == true
      messages.append(
        MessageFacts(
          "\(server) \(client)", "\(stream): \(status)", truth.nrespheaders, isWhole ? truth.respDataLen : nil,
          isWhole ? truth.respSha256 : nil))
    }
    return messages
  }

  /// What an exchange holds.
  static func messages(_ exchange: Exchange) -> [MessageFacts] {
    let (there, back) = ("\(exchange.client) \(exchange.server)", "\(exchange.server) \(exchange.client)")
    let stream = exchange.stream.map { "\($0): " } ?? ""
    var messages: [MessageFacts] = []
    let informational = exchange.response?.informational ?? []
    // Where HTTP/1.1 is upgraded, the request and the 101 are its messages and the answer is HTTP/2's.
    let isUpgraded = exchange.stream == 1 && informational.first?.status == 101
    // Of a connection that was joined in its middle not all fields are known.
    let isUnresolved = exchange.anomalies.contains(.h2UnresolvedIndex)
    if let request = exchange.request {
      let line = "\(String(decoding: request.method, as: UTF8.self)) \(String(decoding: request.target, as: UTF8.self))"
      // :method and :path stand in the request itself, :status in the response.
      let isHTTP2 = exchange.stream != nil && !isUpgraded
      let count = isUnresolved ? nil : request.fields.ranges.count + (isHTTP2 ? 2 : 0)
      messages.append(MessageFacts(there, (isHTTP2 ? stream : "") + line, count, request.body))
    }
    if isUpgraded || exchange.stream == nil {
      messages += informational.filter { $0.status == 101 || exchange.stream == nil }
        .map { MessageFacts(back, "\($0.status)", $0.fields.ranges.count, 0, nil) }
    }
    if let response = exchange.response {
      let count = isUnresolved ? nil : response.fields.ranges.count + (exchange.stream == nil ? 0 : 1)
      messages.append(MessageFacts(back, stream + "\(response.status)", count, response.body))
    }
    return messages
  }

  private init(_ ends: String, _ line: String, _ fields: Int?, _ body: HTTPBody) {
    let digest =
      body.bytes.isEmpty ? nil : SHA256.hash(data: body.bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    self.init(ends, line, fields, body.isComplete ? body.size : nil, body.isComplete ? digest?.joined() : nil)
  }
}
