// The adversarial captures of the shared corpus and what they hold, where the corpus is there.

import Crypto
import Foundation
import HTTPModel
import Testing

/// One capture with its expectation.
struct AdversarialCase: Sendable, CustomTestStringConvertible {
  var path: String
  var testDescription: String { path.split(separator: "/").suffix(2).joined(separator: "/") }

  /// nil where the shared corpus is not there.
  static let folder: URL? = {
    let fallback = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/corpus")
    let named = ProcessInfo.processInfo.environment["UMBRA_CORPUS"].map { URL(fileURLWithPath: $0) }
    let folder = (named ?? fallback).appendingPathComponent("pcap/adversarial")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()

  static func cases(_ group: String) -> [AdversarialCase] {
    guard let folder = folder?.appendingPathComponent(group) else { return [] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".expected.json") }.sorted()
      .map { AdversarialCase(path: folder.appendingPathComponent($0).path) }
  }

  /// What umbra makes of the capture: exchanges by client and server, in order.
  func decoded() throws -> (exchanges: [String: [Exchange]], ledger: Ledger) {
    let (all, ledger) = try decodedCapture(String(path.dropLast(".expected.json".count)))
    return (Dictionary(grouping: all) { "\($0.client) \($0.server)" }, ledger)
  }

  func expected() throws -> [ExpectedConnection] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(ExpectedCapture.self, from: Data(contentsOf: URL(fileURLWithPath: path))).connections
  }
}

struct ExpectedCapture: Decodable {
  var connections: [ExpectedConnection]
}

struct ExpectedConnection: Decodable {
  var client: String
  var server: String
  var `protocol`: String
  var exchanges: [ExpectedExchange]?
}

struct ExpectedExchange: Decodable {
  var request: ExpectedMessage?
  var response: ExpectedMessage?
  var informational: [Interim]?
  var level: String
  var h2stream: UInt32?
  var reset: Reset?
  var pushedBy: UInt32?
  var grpc: Call?

  struct Call: Decodable {
    var requestMessages: [Message]?
    var responseMessages: [Message]?

    struct Message: Decodable {
      var compressed: Int
      var len: UInt64
      var sha256: String
    }
  }

  private func mismatch(_ call: Call, _ exchange: Exchange) -> String? {
    guard let messages = exchange.details.messages else { return "no messages" }
    for (direction, expected) in [
      (StreamMessage.Direction.request, call.requestMessages), (.response, call.responseMessages),
    ] {
      guard let expected else { continue }
      let found = messages.messages.filter { $0.direction == direction && $0.kind == .grpc }
      if found.count != expected.count { return "\(found.count) \(direction) messages, not \(expected.count)" }
      let body = direction == .request ? exchange.request?.body : exchange.response?.body
      for (message, wanted) in zip(found, expected) {
        if message.length != wanted.len { return "message of \(message.length) bytes, not \(wanted.len)" }
        if message.flags.contains(.compressed) != (wanted.compressed == 1) { return "message's compression" }
        guard let bytes = messages.bytes(of: message, in: body), hex(SHA256.hash(data: Array(bytes))) == wanted.sha256
        else { return "message's bytes" }
      }
    }
    return nil
  }

  struct Reset: Decodable {
    var by: String
    var code: UInt32
  }

  struct Interim: Decodable { var status: UInt16 }

  /// - Parameter ignoresFields: what header fields say is left out.
  func mismatch(_ exchange: Exchange, ignoresFields: Bool = false) -> String? {
    if (request == nil) != (exchange.request == nil) {
      return "request \(exchange.request == nil ? "missing" : "made up")"
    }
    if (response == nil) != (exchange.response == nil) {
      return "response \(exchange.response == nil ? "missing" : "made up")"
    }
    if let request, let actual = exchange.request {
      if !actual.method.elementsEqual(request.method!.utf8) { return "method" }
      let target = String(decoding: actual.target, as: UTF8.self)
      if target != request.path ?? request.target ?? request.authority { return "target \(target)" }
      for (name, expected) in [
        (":scheme", request.scheme), (":authority", request.authority), (":protocol", request.protocol),
      ]
      where expected != nil && request.version == nil {
        let value = actual.fields.first(named: name).map { String(decoding: $0, as: UTF8.self) }
        if value == nil, exchange.anomalies.contains(.h2UnresolvedIndex) { continue }
        if value != expected { return "\(name) \(value ?? "-")" }
      }
      let sections = (actual.fields, actual.trailers, actual.body)
      if let problem = request.mismatch(sections, exchange, ignoresFields) { return "request \(problem)" }
    }
    if let response, let actual = exchange.response {
      // 0 stands for a status in a table entry that was never seen.
      if actual.status != response.status, actual.status != 0 || !exchange.anomalies.contains(.h2UnresolvedIndex) {
        return "status \(actual.status)"
      }
      let sections = (actual.fields, actual.trailers, actual.body)
      if let problem = response.mismatch(sections, exchange, ignoresFields) { return "response \(problem)" }
      if actual.informational.map(\.status) != (informational ?? []).map(\.status) { return "interim responses" }
    }
    if exchange.stream != h2stream { return "stream \(exchange.stream.map(String.init) ?? "-")" }
    if let reset, exchange.details.reset != StreamReset(code: reset.code, byClient: reset.by == "client") {
      return "reset \(String(describing: exchange.details.reset))"
    }
    if let grpc, let problem = mismatch(grpc, exchange) { return problem }
    if exchange.details.promisedBy != pushedBy { return "pushed by \(String(describing: exchange.details.promisedBy))" }
    return nil
  }
}

struct ExpectedMessage: Decodable {
  var method: String?
  var version: String?
  var path: String?
  var scheme: String?
  var authority: String?
  var `protocol`: String?
  var target: String?
  var status: UInt16?
  /// Null where it can't be known.
  var headers: [[String?]]
  var trailers: [[String?]]?
  /// nil where either is right.
  var complete: Bool?
  var why: String?
  var bodyLen: Int?
  var bodySha256: String?
  var bodyAnyOf: [String]?
  var bodyFullLen: UInt64?
  var bodyPrefixLen: Int?
  var bodyPrefixSha256: String?
  var missing: [[UInt64]]?

  func mismatch(
    _ actual: (fields: HeaderFields, trailers: HeaderFields, body: HTTPBody), _ exchange: Exchange,
    _ ignoresFields: Bool
  ) -> String? {
    let body = actual.body
    // What is marked as unresolved may be empty; nothing else may.
    let mayLack = exchange.anomalies.contains(.h2UnresolvedIndex)
    if !ignoresFields {
      if let problem = Self.mismatch(headers, actual.fields, mayLack) { return problem }
      if let problem = Self.mismatch(trailers ?? [], actual.trailers, mayLack) { return "trailer \(problem)" }
    }
    guard let complete else { return nil }
    if body.isComplete != complete { return complete ? "body not complete" : "body called complete" }
    let digest = hex(SHA256.hash(data: body.bytes))
    if complete {
      if body.bytes.count != bodyLen { return "body of \(body.bytes.count) bytes, not \(bodyLen ?? 0)" }
      if let any = bodyAnyOf { return any.contains(digest) ? nil : "body" }
      return digest == bodySha256 ? nil : "body"
    }
    // Of what was sent after a reset, none or all may be kept.
    if why == "reset", let any = bodyAnyOf { return any.contains(digest) ? nil : "body before the reset" }
    if let missing, why == "gap" {
      let actual = body.missing.map { [$0.lowerBound, $0.upperBound &- $0.lowerBound] }
      if actual != missing { return "missing \(actual), not \(missing)" }
    }
    if let length = bodyPrefixLen, let prefix = bodyPrefixSha256 {
      if body.bytes.count < length { return "only \(body.bytes.count) bytes before the gap, not \(length)" }
      if hex(SHA256.hash(data: body.bytes.prefix(length))) != prefix { return "body before the gap" }
    }
    if let full = bodyFullLen, why == "gap", body.missing.last?.upperBound != .max, body.size != full {
      return "size \(body.size), not \(full)"
    }
    return nil
  }

  private static func mismatch(_ expected: [[String?]], _ all: HeaderFields, _ mayLack: Bool) -> String? {
    var fields = HeaderFields(
      storage: all.storage,
      ranges: all.ranges.filter { $0.nameStart == $0.nameEnd || all.storage[Int($0.nameStart)] != UInt8(ascii: ":") })
    // A pseudo-field of which not even the name is known stands among the fields.
    while mayLack, fields.count > expected.count, fields.name(at: 0).isEmpty { fields.ranges.removeFirst() }
    // The corpus gives bytes above 0x7f as Latin-1 where they are not UTF-8.
    func texts(_ bytes: ArraySlice<UInt8>) -> [String] {
      [String(decoding: bytes, as: UTF8.self), String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))]
    }
    if fields.count != expected.count { return "\(fields.count) fields, not \(expected.count)" }
    for index in fields.ranges.indices {
      let folded = fields.value(at: index).split { $0 == 0x0d || $0 == 0x0a }
      // A fold is one space or kept raw; this decoder keeps it (RFC 9112, 5.2, leaves it to the reader).
      let value = folded.count > 1 ? unfolded(folded) : fields.value(at: index)
      let lacks = (mayLack && fields.name(at: index).isEmpty, mayLack && value.isEmpty)
      if let name = expected[index][0], !texts(fields.name(at: index)).contains(name), !lacks.0 {
        return "name of field \(index)"
      }
      if let wanted = expected[index][1], !texts(value).contains(wanted), !lacks.1 { return "value of field \(index)" }
    }
    return nil
  }

  private static func unfolded(_ lines: [ArraySlice<UInt8>]) -> ArraySlice<UInt8> {
    var value = Array(lines[0])
    for line in lines.dropFirst() {
      while value.last == 0x20 || value.last == 0x09 { value.removeLast() }
      value += [0x20] + line.drop { $0 == 0x20 || $0 == 0x09 }
    }
    return value[...]
  }
}

private func hex(_ digest: some Sequence<UInt8>) -> String {
  digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
