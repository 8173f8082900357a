import HTTPModel
import MessageFraming
import Testing

func fields(_ list: (String, String)...) -> HeaderFields {
  var fields = HeaderFields()
  for (name, value) in list { fields.append(name: name.utf8, value: value.utf8) }
  return fields
}

@Suite("gRPC's fields")
struct GRPCFieldTests {
  @Test("Status, its message and details")
  func status() {
    let status = GRPCStatus(
      fields: fields(
        ("grpc-status", "5"), ("grpc-message", "not%20found%3A %E2%82%AC 100% %zz"),
        ("grpc-status-details-bin", "CAUSA2FiYw")))
    #expect(status?.code == 5 && status?.name == "NOT_FOUND")
    #expect(status?.message == "not found: € 100% %zz")
    #expect(status?.details == hexadecimal("08 05 12 03 61 62 63"))
    #expect(GRPCStatus(fields: fields(("grpc-status", "0"))) == GRPCStatus(code: 0))
    #expect(GRPCStatus(fields: fields(("grpc-status", "17")))?.name == nil)
    #expect(GRPCStatus(fields: fields(("grpc-status", "0"), ("grpc-message", "%ff")))?.message == "\u{fffd}")
    for odd in ["", "-1", "x", "99999999999", "4294967296", "1 "] {
      #expect(GRPCStatus(fields: fields(("grpc-status", odd))) == nil)
    }
    #expect(GRPCStatus(fields: fields(("grpc-status", "1"), ("grpc-status-details-bin", "???")))?.details == nil)
    #expect(GRPCStatus(fields: fields(("x", "y"))) == nil)
  }

  @Test(
    "Deadlines",
    arguments: [
      ("1n", 1), ("2u", 2000), ("3m", 3_000_000), ("4S", 4_000_000_000), ("5M", 300_000_000_000),
      ("6H", 21_600_000_000_000), ("99999999H", Int64.max), ("00000001S", 1_000_000_000), ("0n", 0),
    ])
  func timeout(text: String, nanoseconds: Int64) {
    #expect(GRPCTimeout(text.utf8)?.nanoseconds == nanoseconds)
    #expect(fields(("Grpc-Timeout", text)).grpcTimeout?.nanoseconds == nanoseconds)
  }

  @Test("What is no deadline", arguments: ["", "1", "S", "1s", "123456789S", "-1S", "1.5S", " 1S", "1h"])
  func noTimeout(text: String) {
    #expect(GRPCTimeout(text.utf8) == nil)
  }

  @Test("Codings and binary fields")
  func codings() {
    #expect(fields(("grpc-encoding", "GZIP")).grpcEncoding == "gzip")
    #expect(fields(("grpc-encoding", "identity")).grpcEncoding == nil)
    #expect(fields().grpcEncoding == nil)
    #expect(
      fields(("trace-bin", "AQI=,AwQ"), ("trace-bin", "!"), ("trace-bin", "BQ==")).grpcBinaryValues(of: "trace-bin")
        == [[1, 2], [3, 4], [5]])
  }

  @Test("Content types")
  func contentTypes() {
    #expect(GRPCContentType("application/grpc".utf8)?.protocol == .grpc)
    #expect(GRPCContentType("application/grpc".utf8)?.format == "proto")
    #expect(GRPCContentType("Application/gRPC+JSON; charset=x".utf8)?.format == "json")
    #expect(GRPCContentType("application/grpc-web+proto".utf8)?.protocol == .grpcWeb)
    #expect(GRPCContentType("application/grpc-web-text".utf8)?.protocol == .grpcWebText)
    #expect(GRPCContentType("application/grpc-web-text+thrift ;x".utf8)?.format == "thrift")
    for odd in ["", "application/json", "application/grpcx", "application/grpc-webs", "grpc"] {
      #expect(GRPCContentType(odd.utf8) == nil)
    }
  }

  @Test("The kind of a call, as far as messages show")
  func kinds() {
    #expect(GRPCCallKind(requestMessages: 1, responseMessages: 1) == .unary)
    #expect(GRPCCallKind(requestMessages: 0, responseMessages: 0) == .unary)
    #expect(GRPCCallKind(requestMessages: 1, responseMessages: 3) == .serverStreaming)
    #expect(GRPCCallKind(requestMessages: 2, responseMessages: 1) == .clientStreaming)
    #expect(GRPCCallKind(requestMessages: 2, responseMessages: 1, answeredEarly: true) == .bidirectional)
    #expect(GRPCCallKind(requestMessages: 2, responseMessages: 2) == .bidirectional)
  }

  private func exchange(_ head: HeaderFields, _ trailers: HeaderFields, size: UInt64 = 9) -> (HTTPRequest, HTTPResponse)
  {
    let timing = MessageTiming(
      start: Timestamp(nanoseconds: 0), headEnd: Timestamp(nanoseconds: 0), end: Timestamp(nanoseconds: 0))
    var sent = fields(("content-type", "application/grpc"), ("grpc-timeout", "1S"), ("grpc-encoding", "gzip"))
    let start = UInt32(sent.storage.count)
    sent.storage += Array("POST/shop.Shop/Get".utf8)
    return (
      HTTPRequest(
        version: .http2, methodRange: start..<start + 4, targetRange: start + 4..<start + 18, fields: sent,
        timing: timing),
      HTTPResponse(
        version: .http2, status: 200, reasonRange: 0..<0, fields: head, trailers: trailers, body: HTTPBody(size: size),
        timing: timing)
    )
  }

  @Test("A call, and one that is answered by trailers only")
  func call() throws {
    let type = ("content-type", "application/grpc")
    let (request, response) = exchange(fields(type), fields(("grpc-status", "0")))
    let call = try #require(GRPCCall(request: request, response: response))
    #expect(call.method?.service == "shop.Shop" && call.method?.method == "Get")
    #expect(
      call.timeout?.nanoseconds == 1_000_000_000 && call.requestEncoding == "gzip" && call.responseEncoding == nil)
    #expect(call.status == GRPCStatus(code: 0) && !call.isTrailersOnly)
    let (_, refusal) = exchange(fields(type, ("grpc-status", "12")), fields(), size: 0)
    let refused = try #require(GRPCCall(request: request, response: refusal))
    #expect(refused.isTrailersOnly && refused.status?.name == "UNIMPLEMENTED")
    #expect(GRPCCall(request: nil, response: refusal)?.path == nil)
    #expect(GRPCCall(request: nil, response: exchange(fields(), fields()).1) == nil)
    let web = GRPCCall(
      request: request, response: exchange(fields(type), fields()).1, webTrailers: fields(("grpc-status", "3")))
    #expect(web?.status?.code == 3)
  }

  @Test("gRPC-Web's trailers as fields")
  func webTrailers() {
    let read = HeaderFields(
      grpcWebTrailers: "grpc-status: 5\r\nGrpc-Message:a%20b \r\n\r\nnothing\n:x\r\nempty:\n".utf8)
    #expect(read.count == 3)
    #expect(GRPCStatus(fields: read)?.message == "a b")
    #expect(read.first("empty")?.isEmpty == true)
  }
}
