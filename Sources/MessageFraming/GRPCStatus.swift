// gRPC's own fields: status, message, details, deadline, coding (gRPC over HTTP/2, "Responses" and "Requests").
// In: header fields. Out: values. Owner: values. Bounds: linear in the fields.

public import HTTPModel

/// How a gRPC call ended.
public struct GRPCStatus: Hashable, Sendable {
  /// `grpc-status`; 0 is OK.
  public var code: UInt32
  /// `grpc-message` decoded.
  public var message: String
  /// `grpc-status-details-bin` decoded: a `google.rpc.Status`. Nil where there is none, or it is not base64.
  public var details: [UInt8]?

  public init(code: UInt32, message: String = "", details: [UInt8]? = nil) {
    self.code = code
    self.message = message
    self.details = details
  }

  /// Reads the fields of trailers, or of the only head of a trailers-only answer. Nil where there is no status.
  public init?(fields: HeaderFields) {
    guard let value = fields.first("grpc-status"), let code = decimal(value, digits: 10),
      let code = UInt32(exactly: code)
    else { return nil }
    self.init(
      code: code, message: fields.first("grpc-message").map(percentDecoded) ?? "",
      details: fields.first("grpc-status-details-bin").flatMap { Base64Stream.decode($0) })
  }

  /// The status of an answer that carries one in its trailers or, trailers-only, in its head.
  public init?(response: HTTPResponse) {
    guard let status = GRPCStatus(fields: response.trailers) ?? GRPCStatus(fields: response.fields) else { return nil }
    self = status
  }

  /// The code's name (gRPC, "Status codes"), nil where it has none.
  public var name: String? { code < Self.names.count ? Self.names[Int(code)] : nil }

  private static let names = [
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
  ]
}

/// A call's deadline, as `grpc-timeout` says it.
public struct GRPCTimeout: Hashable, Sendable {
  /// At most `Int64.max`, 292 years, which stands for anything longer.
  public var nanoseconds: Int64

  /// Reads one to eight digits and a unit: `H`, `M`, `S`, `m`, `u` or `n`.
  public init?(_ value: some BidirectionalCollection<UInt8>) {
    let unit: Int64
    switch value.last {
    case UInt8(ascii: "H"): unit = 3_600_000_000_000
    case UInt8(ascii: "M"): unit = 60_000_000_000
    case UInt8(ascii: "S"): unit = 1_000_000_000
    case UInt8(ascii: "m"): unit = 1_000_000
    case UInt8(ascii: "u"): unit = 1000
    case UInt8(ascii: "n"): unit = 1
    default: return nil
    }
    guard let count = decimal(value.dropLast(), digits: 8) else { return nil }
    let (product, isOver) = Int64(count).multipliedReportingOverflow(by: unit)
    nanoseconds = isOver ? .max : product
  }
}

extension HeaderFields {
  /// `grpc-timeout`, nil where there is none that can be read.
  public var grpcTimeout: GRPCTimeout? { first("grpc-timeout").flatMap { GRPCTimeout($0) } }

  /// The coding of compressed messages (`grpc-encoding`), in lower case; nil where it is identity or not named.
  public var grpcEncoding: String? {
    guard let value = first("grpc-encoding") else { return nil }
    let name = String(decoding: value, as: UTF8.self).lowercased()
    return name.isEmpty || name == "identity" ? nil : name
  }

  /// A binary field's values (name ends in `-bin`), each decoded; values that are not base64 are left out.
  public func grpcBinaryValues(of name: StaticString) -> [[UInt8]] {
    indices(of: name).flatMap { index in
      value(at: index).split(separator: UInt8(ascii: ",")).compactMap { Base64Stream.decode($0) }
    }
  }
}

extension HeaderFields {
  /// The fields of a gRPC-Web trailers message: `name: value` lines that end in CRLF or LF. Lines without a colon are
  /// left out.
  public init(grpcWebTrailers bytes: some Sequence<UInt8>) {
    self.init()
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d }
    for line in Array(bytes).split(separator: 0x0a) {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else { continue }
      let value = line[(colon + 1)...].drop(while: isBlank)
      let end = value.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? value.startIndex
      append(name: line[..<colon], value: value[..<end])
    }
  }
}

/// One to `digits` decimal digits; nil for anything else.
private func decimal(_ text: some Collection<UInt8>, digits: Int) -> UInt64? {
  guard (1...digits).contains(text.count), text.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
  return text.reduce(0) { $0 * 10 + UInt64($1 &- 0x30) }
}

/// `%` and two hex digits stand for a byte; a `%` without them stands for itself, as the specification demands. Bytes
/// that are no UTF-8 become U+FFFD.
private func percentDecoded(_ text: ArraySlice<UInt8>) -> String {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(text.count)
  var index = text.startIndex
  while index < text.endIndex {
    if text[index] == UInt8(ascii: "%"), text.endIndex - index > 2, let high = hexValue(text[index + 1]),
      let low = hexValue(text[index + 2])
    {
      bytes.append(high << 4 | low)
      index += 3
    } else {
      bytes.append(text[index])
      index += 1
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}

private func hexValue(_ byte: UInt8) -> UInt8? {
  switch byte {
  case 0x30...0x39: byte - 0x30
  case 0x41...0x46: byte - 0x37
  case 0x61...0x66: byte - 0x57
  default: nil
  }
}
