// The adversarial captures of the shared corpus and what they hold, where the corpus is there.

import Crypto
import ExchangeAssembly
import Foundation
import HTTPModel
import PcapCapture
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
    let source = try SavedCapture(path: String(path.dropLast(".expected.json".count)))
    var decoder = WireDecoder()
    var all: [Exchange] = []
    while let packet = try source.next() {
      decoder.receive(packet.bytes, lengthOnWire: packet.lengthOnWire, linkType: packet.linkType, at: packet.time)
      while let exchange = decoder.nextExchange() { all.append(exchange) }
    }
    decoder.finish()
    while let exchange = decoder.nextExchange() { all.append(exchange) }
    // Order on the connection: where packets were swapped, a later request may have begun earlier.
    all.sort { $0.id < $1.id }
    return (Dictionary(grouping: all) { "\($0.client) \($0.server)" }, decoder.ledger)
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

  struct Interim: Decodable { var status: UInt16 }

  func mismatch(_ exchange: Exchange) -> String? {
    if (request == nil) != (exchange.request == nil) {
      return "request \(exchange.request == nil ? "missing" : "made up")"
    }
    if (response == nil) != (exchange.response == nil) {
      return "response \(exchange.response == nil ? "missing" : "made up")"
    }
    if let request, let actual = exchange.request {
      if !actual.method.elementsEqual(request.method!.utf8) { return "method" }
      if String(decoding: actual.target, as: UTF8.self) != request.target { return "target" }
      if let problem = request.mismatch(actual.fields, actual.trailers, actual.body) { return "request \(problem)" }
    }
    if let response, let actual = exchange.response {
      if actual.status != response.status { return "status \(actual.status)" }
      if let problem = response.mismatch(actual.fields, actual.trailers, actual.body) { return "response \(problem)" }
      if actual.informational.map(\.status) != (informational ?? []).map(\.status) { return "interim responses" }
    }
    return nil
  }
}

struct ExpectedMessage: Decodable {
  var method: String?
  var target: String?
  var status: UInt16?
  var headers: [[String]]
  var trailers: [[String]]?
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

  func mismatch(_ fields: HeaderFields, _ actualTrailers: HeaderFields, _ body: HTTPBody) -> String? {
    if let problem = Self.mismatch(headers, fields) { return problem }
    if let problem = Self.mismatch(trailers ?? [], actualTrailers) { return "trailer \(problem)" }
    guard let complete else { return nil }
    if body.isComplete != complete { return complete ? "body not complete" : "body called complete" }
    let digest = hex(SHA256.hash(data: body.bytes))
    if complete {
      if body.bytes.count != bodyLen { return "body of \(body.bytes.count) bytes, not \(bodyLen ?? 0)" }
      if let any = bodyAnyOf { return any.contains(digest) ? nil : "body" }
      return digest == bodySha256 ? nil : "body"
    }
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

  private static func mismatch(_ expected: [[String]], _ fields: HeaderFields) -> String? {
    // The corpus gives bytes above 0x7f as Latin-1 where they are not UTF-8.
    func texts(_ bytes: ArraySlice<UInt8>) -> [String] {
      [String(decoding: bytes, as: UTF8.self), String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))]
    }
    if fields.count != expected.count { return "\(fields.count) fields, not \(expected.count)" }
    for index in fields.ranges.indices {
      let folded = fields.value(at: index).split { $0 == 0x0d || $0 == 0x0a }
      // A fold is one space or kept raw; this decoder keeps it (RFC 9112, 5.2, leaves it to the reader).
      let value = folded.count > 1 ? unfolded(folded) : fields.value(at: index)
      if !texts(fields.name(at: index)).contains(expected[index][0]) { return "name of field \(index)" }
      if !texts(value).contains(expected[index][1]) { return "value of \(expected[index][0])" }
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
