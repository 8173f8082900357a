import HTTP1Decoding
import HTTPModel

/// Reads the answers of one connection, one after the other.
///
/// Bytes and a time in, one ``HTTPModel/HTTPResponse`` for each attempt out. It holds a response's head (within the
/// decoder's limits) and its body up to the body limit while the run's memory lasts; what is over is counted and hashed.
struct ResponseReader {
  enum Progress {
    /// All bytes are used and the response is not whole.
    case needsMore
    case interim(status: UInt16)
    /// - `keepsConnection`: the target will take another request on it.
    case whole(keepsConnection: Bool)
    /// This is no answer in HTTP/1.
    case malformed
  }

  private var decoder = HTTP1Decoder(role: .response)
  /// Knows the names of the fields of earlier answers.
  private var parts = HTTP1Parts()

  private var response: HTTPResponse?
  /// What the response is read into.
  private var spare: HTTPResponse?
  private var informational: [InformationalResponse] = []
  /// The message being read is an interim one.
  private var interimStatus: UInt16?
  private var keepsConnection = false
  private var contentLength: UInt64?
  private var isWhole = false
  private var start: Timestamp?
  private var kept: KeptBody

  init(bodyLimit: Int, memory: HeldMemory) { kept = KeptBody(limit: bodyLimit, memory: memory) }

  /// Bytes taken from the run's memory for this response.
  var keptBytes: Int { kept.bytes }

  /// The next response answers this request; nil for any with a body of its own.
  /// - Parameters:
  ///   - spare: another response, whose memory may be used for it.
  ///   - recorded: the body that its own may repeat, as of ``KeptBody``.
  mutating func begin(
    answering request: HTTPRequest?, into spare: consuming HTTPResponse? = nil, repeating recorded: [UInt8] = []
  ) {
    decoder.answering =
      switch request {
      case let request? where request.hasMethod("HEAD"): .head
      case let request? where request.hasMethod("CONNECT"): .connect
      default: .other
      }
    response = nil
    self.spare = spare
    if !informational.isEmpty { informational = [] }
    interimStatus = nil
    keepsConnection = false
    contentLength = nil
    isWhole = false
    start = nil
    kept.reset(repeating: recorded)
  }

  /// Reads on from `offset` up to the next thing that matters to the connection.
  mutating func read(_ bytes: UnsafeRawBufferPointer, from offset: inout Int, at time: Timestamp) -> Progress {
    if start == nil { start = time }
    while let step = decoder.step(in: bytes, at: &offset, &parts) {
      switch step {
      case .head:
        // Taken out, so that its arrays are the answer's alone; the next head is read into those of an answer before.
        var head = HTTP1Head()
        swap(&head, &parts.head)
        take(&head, at: time)
        swap(&head, &parts.head)
      case .body(let range): keep(UnsafeRawBufferPointer(rebasing: bytes[range]))
      case .chunk(let size): keepChunk(size)
      case .trailers: response?.trailers = parts.trailers
      case .end:
        if let status = interimStatus {
          interimStatus = nil
          return .interim(status: status)
        }
        isWhole = true
        return .whole(keepsConnection: keepsConnection)
      case .anomaly: break
      case .truncated, .skipped, .notHTTP, .tunnel: return .malformed
      }
    }
    return .needsMore
  }

  /// The target has closed.
  /// - Returns: whether that makes the response whole: its body lasts until the close.
  mutating func readEnd() -> Bool {
    while let event = decoder.finish() {
      if case .end = event, response != nil { isWhole = true }
    }
    return isWhole
  }

  /// The response as far as it came, nil where no whole head did; the reader is done with it.
  /// - Parameter time: when the attempt ended.
  mutating func takeResponse(at time: Timestamp) -> HTTPResponse? {
    guard var response = response.take() else { return nil }
    kept.finish(&response.body)
    response.informational = informational
    response.timing.end = time
    if response.body.chunkSizes.count == 1 { response.body.chunkSizes = [] }
    let seen = response.body.size
    if isWhole {
      response.body.isComplete = kept.hash == nil
      response.body.cutHash = kept.hash?.value
    } else {
      response.body.isComplete = false
      let end = response.body.framing == .contentLength ? contentLength ?? .max : .max
      if end > seen {
        response.body.missing = [BodyRange(lowerBound: seen, upperBound: end)]
        if end != .max { response.body.size = end }
      }
    }
    return response
  }

  private mutating func take(_ head: inout HTTP1Head, at time: Timestamp) {
    if head.isInterim, let status = head.status {
      interimStatus = status
      // A target may send any number of them; the first few say all there is to compare.
      guard informational.count < ResponseReader.informationalLimit else { return }
      informational.append(InformationalResponse(status: status, fields: head.fields, time: time))
      return
    }
    keepsConnection = !head.closesConnection && !head.switchesProtocol
    contentLength = head.contentLength
    let expected = head.framing == .contentLength ? Int(clamping: head.contentLength ?? 0) : 0
    kept.add(head.fields.storage.count)
    swap(&response, &spare)
    head.moveResponse(timing: MessageTiming(start: start ?? time, headEnd: time, end: time), into: &response)
    response?.body.bytes.reserveCapacity(kept.reserve(expected))
  }

  static let informationalLimit = 16

  private mutating func keep(_ piece: UnsafeRawBufferPointer) {
    guard response != nil else { return }
    let wasWhole = kept.hash == nil
    kept.append(piece, to: &response!.body)
    if wasWhole, kept.hash != nil { response!.body.chunkSizes = [] }
  }

  private mutating func keepChunk(_ size: UInt64) {
    guard kept.hash == nil, response != nil, kept.take(MemoryLayout<UInt32>.size) else { return }
    response!.body.chunkSizes.append(UInt32(clamping: size))
  }
}
