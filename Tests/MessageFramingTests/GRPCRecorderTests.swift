import HTTPModel
import MessageFraming
import Testing

@Suite("gRPC messages recorded")
struct GRPCRecorderTests {
  private func time(_ microseconds: Int64) -> Timestamp { Timestamp(nanoseconds: microseconds * 1000) }

  @Test("Both directions with their times")
  func times() {
    var recorder = GRPCRecorder(request: .grpc)
    let body = message([1, 2]) + message([3], flag: 1)
    body[..<3].withUnsafeBytes { recorder.receive($0, .request, at: time(10)) }
    body[3...].withUnsafeBytes { recorder.receive($0, .request, at: time(30)) }
    message([9]).withUnsafeBytes { recorder.receive($0, .response, at: time(40)) }
    recorder.finish(.request, at: time(50))
    recorder.finish(.response, at: time(50))
    #expect(recorder.anomalies.isEmpty)
    #expect(
      recorder.messages.messages == [
        StreamMessage(direction: .request, kind: .grpc, time: time(30), microseconds: 20, offset: 5, length: 2),
        StreamMessage(
          direction: .request, kind: .grpc, flags: [.compressed, .stillCompressed], time: time(30), offset: 12,
          length: 1),
        StreamMessage(direction: .response, kind: .grpc, time: time(40), offset: 5, length: 1),
      ])
    #expect(recorder.messages.messages[0].start == time(10))
    #expect(GRPCCallKind(messages: recorder.messages) == .clientStreaming)
    let kept = HTTPBody(bytes: body, size: UInt64(body.count))
    #expect(recorder.messages.bytes(of: recorder.messages.messages[0], in: kept) == [1, 2])
    #expect(recorder.messages.bytes(of: recorder.messages.messages[1], in: kept) == [3])
    #expect(MemoryLayout<StreamMessage>.stride == 32)
  }

  @Test("Bytes are found behind a gap, and not where they are missing")
  func bytesBehindGap() {
    let messages = StreamMessages(.grpc)
    let body = HTTPBody(
      bytes: [0, 1, 2, 3, 4, 5], size: 106, isComplete: false, missing: [BodyRange(lowerBound: 2, upperBound: 102)])
    func bytes(_ offset: UInt64, _ length: UInt64) -> ArraySlice<UInt8>? {
      messages.bytes(
        of: StreamMessage(direction: .request, kind: .grpc, time: time(0), offset: offset, length: length), in: body)
    }
    #expect(bytes(0, 2) == [0, 1])
    #expect(bytes(102, 4) == [2, 3, 4, 5])
    #expect(bytes(103, 2) == [3, 4])
    #expect(bytes(1, 2) == nil && bytes(50, 4) == nil && bytes(101, 2) == nil && bytes(103, 9) == nil)
    #expect(bytes(50, 0) == [] && bytes(.max, .max) == nil && bytes(.max, 1) == nil)
    #expect(
      messages.bytes(of: StreamMessage(direction: .request, kind: .grpc, time: time(0), offset: 0, length: 1), in: nil)
        == nil)
  }

  /// RFC 4648's alphabet, padded.
  private func base64(_ bytes: [UInt8]) -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    return stride(from: 0, to: bytes.count, by: 3).flatMap { start -> [UInt8] in
      let group = Array(bytes[start..<min(start + 3, bytes.count)])
      let padded = group + [0, 0]
      let word = Int(padded[0]) << 16 | Int(padded[1]) << 8 | Int(padded[2])
      return (0..<4).map { $0 > group.count ? UInt8(ascii: "=") : alphabet[word >> (18 - 6 * $0) & 63] }
    }
  }

  @Test("gRPC-Web in text, padded at each flush, however it is cut")
  func text() throws {
    let trailers = message(Array("grpc-status:3\r\ngrpc-message:no\r\n".utf8), flag: 0x80)
    let body = base64(message([1, 2, 3, 4])) + base64(message([5])) + base64(trailers)
    for way in cuts(of: body) {
      var recorder = GRPCRecorder(request: .grpcWebText)
      for case .bytes(let bytes) in way { bytes.withUnsafeBytes { recorder.receive($0, .response, at: time(1)) } }
      recorder.finish(.response, at: time(1))
      #expect(recorder.anomalies.isEmpty)
      let messages = recorder.messages
      #expect(messages.messages.map { Array(messages.bytes(of: $0, in: nil) ?? []) }.prefix(2) == [[1, 2, 3, 4], [5]])
      #expect(messages.messages.map(\.kind) == [.grpc, .grpc, .trailers])
      #expect(messages.webTrailers(in: nil).flatMap { GRPCStatus(fields: $0) } == GRPCStatus(code: 3, message: "no"))
    }
  }

  @Test("Base64 that breaks off, is none, or has a gap")
  func damagedText() {
    func anomalies(_ body: [UInt8], gap: Bool = false) -> [String] {
      var recorder = GRPCRecorder(request: .grpcWebText)
      body.withUnsafeBytes { recorder.receive($0, .request, at: time(1)) }
      if gap { recorder.gap(4, .request, at: time(1)) }
      body.withUnsafeBytes { recorder.receive($0, .request, at: time(1)) }
      recorder.finish(.request, at: time(1))
      return recorder.anomalies.members.map(\.identifier)
    }
    let whole = base64(message([1, 2, 3, 4]))
    #expect(anomalies(whole) == [])
    #expect(anomalies(Array(whole.dropLast())) == ["message.truncated", "message.coding-invalid"])
    #expect(anomalies(Array("{\"error\":1}".utf8)) == ["message.boundary-lost", "message.coding-invalid"])
    #expect(anomalies(whole, gap: true) == ["message.boundary-lost"])
  }

  @Test("gRPC-Web in binary: the trailers stand in the body")
  func binary() {
    let body = message([1]) + message(Array("grpc-status:0\r\n".utf8), flag: 0x80)
    var recorder = GRPCRecorder(request: .grpcWeb)
    body.withUnsafeBytes { recorder.receive($0, .response, at: time(1)) }
    let trailers = recorder.messages.webTrailers(in: HTTPBody(bytes: body, size: UInt64(body.count)))
    #expect(trailers.flatMap { GRPCStatus(fields: $0) } == GRPCStatus(code: 0))
    #expect(recorder.messages.webTrailers(in: nil) == nil)
  }

  @Test("Limits: messages are counted, bytes are cut")
  func limits() {
    var recorder = GRPCRecorder(
      request: .grpcWebText, limits: MessageRecordingLimits(messages: 2, messageBytes: 3, bytes: 5))
    let body = base64(message([1, 2, 3, 4, 5]) + message([6, 7, 8]) + message([9]))
    body.withUnsafeBytes { recorder.receive($0, .request, at: time(1)) }
    #expect(recorder.messages.messages.count == 2 && recorder.messages.omitted == 1)
    #expect(recorder.messages.bytes == [1, 2, 3, 6, 7])
    #expect(recorder.messages.messages.allSatisfy { $0.flags == .cut })
  }

  @Test("A message that the body's end cuts is recorded as far as it came")
  func truncated() {
    var recorder = GRPCRecorder(request: .grpc)
    message([1, 2, 3]).dropLast().withUnsafeBytes { recorder.receive($0, .request, at: time(1)) }
    recorder.finish(.request, at: time(2))
    #expect(recorder.messages.messages.map(\.length) == [2])
    #expect(recorder.messages.messages[0].flags == .incomplete)
    #expect(recorder.anomalies.members == [.messageTruncated])
  }
}
