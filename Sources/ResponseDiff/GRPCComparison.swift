// gRPC answers: the status in its trailers, and messages as trees. In: two responses. Out: differences appended.
// Owner: ResponseComparator. Bounds: the decoded size of a body, 10,000 messages; ComparisonOptions.

import ContentCoding
import ContentTree
import HTTPModel

struct GRPCComparison {
  let options: ComparisonOptions
  let descriptors: ProtobufDescriptors?
  /// The method's path: `/package.Service/Method`.
  let path: ArraySlice<UInt8>

  static let messageLimit = 10_000

  /// Whether an answer is gRPC's, with its messages as bytes.
  static func isSpoken(_ fields: HeaderFields) -> Bool {
    guard let type = fields.first("content-type") else { return false }
    return MediaTypeName(type).isGRPC
  }

  /// False where one succeeded and the other did not, so that the rest follows from it.
  func compareStatus(_ expected: HTTPResponse, _ actual: HTTPResponse, into differences: inout [Difference]) -> Bool {
    // A response of trailers alone has them as its header fields.
    func value(_ name: StaticString, _ response: HTTPResponse) -> ArraySlice<UInt8>? {
      response.trailers.first(name) ?? response.fields.first(name)
    }
    let (e, a) = (value("grpc-status", expected), value("grpc-status", actual))
    if e != a, Array(e ?? []) != Array(a ?? []) || (e == nil) != (a == nil) {
      let isOther = (e.map { $0.elementsEqual("0".utf8) } ?? false) != (a.map { $0.elementsEqual("0".utf8) } ?? false)
      let kind: DifferenceKind = e == nil ? .added : a == nil ? .removed : .changed
      differences.append(
        Difference(
          location: .trailer("grpc-status"), kind: kind, severity: isOther ? .high : kind.fieldSeverity,
          expected: e.map { Self.statusText($0) }, actual: a.map { Self.statusText($0) }))
      return !isOther
    }
    let (x, y) = (value("grpc-message", expected), value("grpc-message", actual))
    let (decodedX, decodedY) = (x.map { Self.percentDecoded($0) }, y.map { Self.percentDecoded($0) })
    if decodedX ?? [] != decodedY ?? [] {
      differences.append(
        Difference(
          location: .trailer("grpc-message"), kind: .changed, severity: .medium,
          expected: decodedX.map { excerptText($0, limit: options.excerptLimit) },
          actual: decodedY.map { excerptText($0, limit: options.excerptLimit) }))
    }
    return true
  }

  private static let statusNames = [
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
  ]

  private static func statusText(_ value: ArraySlice<UInt8>) -> String {
    let text = excerptText(value, limit: 16)
    guard let number = Int(text), statusNames.indices.contains(number) else { return text }
    return "\(text) \(statusNames[number])"
  }

  private static func percentDecoded(_ value: ArraySlice<UInt8>) -> [UInt8] {
    func hex(_ byte: UInt8) -> UInt8? {
      switch byte {
      case 0x30...0x39: byte - 0x30
      case 0x41...0x46: byte - 0x37
      case 0x61...0x66: byte - 0x57
      default: nil
      }
    }
    var bytes: [UInt8] = []
    var index = value.startIndex
    while index < value.endIndex {
      if value[index] == UInt8(ascii: "%"), index + 2 < value.endIndex, let high = hex(value[index + 1]),
        let low = hex(value[index + 2])
      {
        bytes.append(high << 4 | low)
        index += 3
      } else {
        bytes.append(value[index])
        index += 1
      }
    }
    return bytes
  }

  /// False where one of them is not framed as gRPC is.
  func compareMessages(_ expected: HTTPResponse, _ actual: HTTPResponse, into result: inout Comparison) -> Bool {
    guard let e = messages(of: expected), let a = messages(of: actual) else { return false }
    if e.count != a.count {
      result.differences.append(
        Difference(
          location: .body, kind: .length, severity: .medium, expected: "\(e.count) messages",
          actual: "\(a.count) messages"))
    }
    let type = descriptors?.method(at: path.prefix { $0 != UInt8(ascii: "?") })?.output
    for (x, y) in zip(e, a) where !equalBytes(x, y) {
      if result.differences.count > options.differenceLimit { break }
      compare(x, y, type, into: &result)
    }
    return true
  }

  /// Two messages, as their type knows them or else by field number and wire type.
  func compare(_ e: [UInt8], _ a: [UInt8], _ type: String?, into result: inout Comparison) {
    let limits = ProtobufLimits(size: options.decodedBodyLimit)
    let (x, y) = (ProtobufMessage(e, limits: limits), ProtobufMessage(a, limits: limits))
    if let type, let descriptors, let p = try? x.document(as: type, in: descriptors),
      let q = try? y.document(as: type, in: descriptors)
    {
      return JSONBodyComparison(options: options, expected: p, actual: q, dialect: .protobuf).run(into: &result)
    }
    guard let p = try? x.document(), let q = try? y.document() else {
      return BodyComparison(options: options, grpc: self).compareOctets(e, a, into: &result)
    }
    JSONBodyComparison(options: options, expected: p, actual: q, dialect: .wire).run(into: &result)
  }

  /// Messages decompressed; nil where the body is not made of them. gRPC-Web's trailers are a message of their own.
  private func messages(of response: HTTPResponse) -> [[UInt8]]? {
    let bytes = response.body.bytes
    var messages: [[UInt8]] = []
    var index = 0
    while index < bytes.count {
      guard bytes.count - index >= 5, messages.count < Self.messageLimit else { return nil }
      let flags = bytes[index]
      let length = bytes[index + 1..<index + 5].reduce(0) { $0 << 8 | Int($1) }
      index += 5
      guard flags & 0x7e == 0, length <= bytes.count - index else { return nil }
      let content = Array(bytes[index..<index + length])
      index += length
      guard flags & 1 == 1 else {
        messages.append(content)
        continue
      }
      let codings = response.fields.first("grpc-encoding").map { ContentCoding.names(in: [$0]) } ?? []
      guard
        let decoded = try? ContentCoding.decode(content, codings: codings, limit: options.decodedBodyLimit)
      else { return nil }
      messages.append(decoded)
    }
    return messages
  }
}
