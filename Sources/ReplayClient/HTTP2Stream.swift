import HTTPModel
import NIOCore
import NIOHPACK
import NIOHTTP2

/// One attempt on a stream: its request as far as it is sent, its answer as far as it came.
///
/// Confined to the event loop; belongs to one ``HTTP2Connection``. `@exclusivity(unchecked)`: its methods call nobody.
final class HTTP2Stream {
  enum Progress {
    case goesOn
    case interim(status: UInt16)
    case malformed
  }

  let id: HTTP2StreamID
  let request: PlannedRequest
  /// When the attempt's time is up, and when something must happen before that.
  var attemptDeadline = Int64.max
  @exclusivity(unchecked) var deadline = Int64.max
  /// What of the body waits for its time, or for answers.
  var paced: PacedBody?
  /// The body waits for `100 (Continue)`.
  var awaitsContinue = false
  /// All of the request was handed to HTTP/2, and taken by the target's window.
  var isSent = false
  /// When the recorded client had given up, on the run's clock; 0 for never.
  var cancelTime: Int64 = 0
  /// Body bytes that came since the target was last told that it may send more.
  var unacknowledged = 0

  @exclusivity(unchecked) private var response: HTTPResponse?
  private var informational: [InformationalResponse] = []
  private var start: Timestamp?
  @exclusivity(unchecked) private var kept: KeptBody
  @exclusivity(unchecked) private var isWhole = false
  private var contentLength: UInt64?
  @exclusivity(unchecked) private var messages: MessageCount?

  init(id: HTTP2StreamID, request: PlannedRequest, bodyLimit: Int, memory: HeldMemory) {
    self.id = id
    self.request = request
    kept = KeptBody(limit: bodyLimit, memory: memory)
    kept.reset(repeating: request.takeRecordedBody())
  }

  /// Answers are to be counted.
  func countMessages() { messages = MessageCount() }

  var answers: Int { messages?.count ?? 0 }
  var keptBytes: Int { kept.bytes }

  /// A header section came: an interim one, the head, or the trailers.
  func take(_ headers: HPACKHeaders, endsStream: Bool, at time: Timestamp) -> Progress {
    if start == nil { start = time }
    if response != nil {
      var trailers = HeaderFields()
      _ = HTTP2Stream.read(headers, into: &trailers)
      response!.trailers = trailers
      isWhole = endsStream
      return endsStream ? .goesOn : .malformed
    }
    // The memory of an answer before, where there is one.
    var spare = request.spareAnswer.take()
    var fields = HeaderFields()
    if spare != nil { swap(&spare!.fields, &fields) }
    guard let status = HTTP2Stream.read(headers, into: &fields), (100...999).contains(status) else { return .malformed }
    if status < 200 {
      guard !endsStream, status != 101 else { return .malformed }
      if informational.count < ResponseReader.informationalLimit {
        informational.append(InformationalResponse(status: status, fields: fields, time: time))
      }
      return .interim(status: status)
    }
    kept.add(fields.storage.count)
    isWhole = endsStream
    let timing = MessageTiming(start: start ?? time, headEnd: time, end: time)
    let framing = endsStream ? BodyFraming.none : .stream
    if spare != nil {
      spare!.reuse(version: .http2, status: status, reasonRange: 0..<0, framing: framing, timing: timing)
      swap(&spare!.fields, &fields)
      swap(&spare, &response)
    } else {
      response = HTTPResponse(
        version: .http2, status: status, reasonRange: 0..<0, fields: fields, body: HTTPBody(framing: framing),
        timing: timing)
    }
    let announced = endsStream ? nil : response!.fields.first("content-length")
    if let length = announced.flatMap({ UInt64(String(decoding: $0, as: UTF8.self)) }) {
      contentLength = length
      response!.body.bytes.reserveCapacity(kept.reserve(Int(clamping: length)))
    }
    return .goesOn
  }

  func take(_ data: ByteBuffer, endsStream: Bool) -> Progress {
    guard response != nil else { return .malformed }
    data.withUnsafeReadableBytes { bytes in
      kept.append(bytes, to: &response!.body)
      messages?.add(bytes)
    }
    isWhole = endsStream
    return .goesOn
  }

  /// The response as far as it came; nil where no head did.
  func takeResponse(at time: Timestamp) -> HTTPResponse? {
    guard var response = response.take() else { return nil }
    kept.finish(&response.body)
    response.informational = informational
    response.timing.end = time
    if isWhole {
      response.body.isComplete = kept.hash == nil
      response.body.cutHash = kept.hash?.value
    } else {
      response.body.isComplete = false
      let (seen, end) = (response.body.size, contentLength ?? .max)
      if end > seen {
        response.body.missing = [BodyRange(lowerBound: seen, upperBound: end)]
        if end != .max { response.body.size = end }
      }
    }
    return response
  }

  /// Reads a header list in place of what `fields` was. The storage holds pseudo-header fields too, as that of a captured
  /// answer does.
  /// - Returns: the status; nil where the first that is said is no number.
  private static func read(_ headers: HPACKHeaders, into fields: inout HeaderFields) -> UInt16? {
    fields.storage.removeAll(keepingCapacity: true)
    fields.ranges.removeAll(keepingCapacity: true)
    fields.ranges.reserveCapacity(headers.count)
    fields.storage.reserveCapacity(32 * headers.count)
    var status: UInt16??
    for (name, value, _) in headers {
      let nameStart = UInt32(fields.storage.count)
      append(name, to: &fields.storage)
      let nameEnd = UInt32(fields.storage.count)
      append(value, to: &fields.storage)
      if name.utf8.first == UInt8(ascii: ":") {
        if status == nil, asciiCaseInsensitiveEqual(name.utf8, ":status".utf8) { status = .some(UInt16(value)) }
        continue
      }
      fields.ranges.append(
        FieldRange(
          nameStart: nameStart, nameEnd: nameEnd, valueStart: nameEnd, valueEnd: UInt32(fields.storage.count)))
    }
    return status ?? nil
  }

  private static func append(_ text: String, to bytes: inout [UInt8]) {
    // HPACK's strings are native: their bytes stand in one piece.
    if text.utf8.withContiguousStorageIfAvailable({ bytes.append(contentsOf: $0) }) == nil {
      bytes.append(contentsOf: text.utf8)
    }
  }
}
