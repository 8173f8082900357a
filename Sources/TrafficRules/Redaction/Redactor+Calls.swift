// Secrets in the bodies of gRPC calls. In: a body of length-prefixed messages, whole, cut or with gaps. Out: the same
// messages with other values; where one has another length, its prefix, the body's size and the places of the messages
// behind it follow. Bounds: linear; `decodedLimit` for a compressed message, of which a larger one is not kept.

import ContentCoding
import ContentTree
import HTTPModel
import MessageFraming

/// What is known of the call whose bodies are being redacted.
struct CallContext {
  struct Key: Hashable {
    var direction: StreamMessage.Direction
    /// Before.
    var offset: UInt64
  }

  /// The request's path; nil where no request was seen.
  var path: [UInt8]?
  var recorded: StreamMessages?
  var direction = StreamMessage.Direction.request
  /// Messages that stand elsewhere now, or have another length.
  var moved: [Key: (offset: UInt64, length: UInt64)] = [:]

  /// Nothing is known but what was recorded.
  mutating func begin(_ recorded: StreamMessages?) {
    direction = .request
    if path != nil { path = nil }
    if self.recorded != nil || recorded != nil { self.recorded = recorded }
    if !moved.isEmpty { moved = [:] }
  }
}

/// A message in the kept bytes of a body.
private struct CallFrame {
  /// In body bytes, those in gaps counted.
  var offset: UInt64
  /// Without its prefix.
  var range: Range<Int>
  var isCompressed: Bool
  var isTrailers: Bool
  var isWhole: Bool
}

extension Redactor {
  /// Whether a Content-Type is one of gRPC's, in any case of letters.
  static func isCall(_ type: FieldRange, _ storage: UnsafeBufferPointer<UInt8>) -> Bool {
    let name: StaticString = "application/grpc"
    guard type.valueEnd &- type.valueStart >= 16, Int(type.valueEnd) <= storage.count else { return false }
    let value = storage.baseAddress! + Int(type.valueStart)
    // From the end, in which types differ.
    for offset in (0..<16).reversed() where value[offset] | 0x20 != name.utf8Start[offset] | 0x20 { return false }
    return true
  }

  /// Nothing where there is nothing to look for.
  func scope(_ fields: HeaderFields, _ direction: StreamMessage.Direction) -> CallScope? {
    guard descriptors != nil || !rule.grpc.isEmpty || !rule.text.isEmpty || !catalog.values.isEmpty,
      let type = GRPCContentType(fields: fields)
    else { return nil }
    var scope = CallScope()
    scope.isWeb = type.protocol != .grpc
    scope.isJSON = type.format == "json"
    scope.coding = fields.grpcEncoding
    for rule in rule.grpc where call.path.map({ rule.method?.matches($0[...]) ?? true }) ?? true {
      scope.numbers += rule.fields
      scope.names += rule.names
    }
    if let descriptors, let method = call.path.flatMap({ descriptors.method(at: $0) }) {
      scope.type = direction == .request ? method.input : method.output
      scope.hidesKnownNames = scope.type.map(typesWithSecrets.contains) ?? false
    }
    return scope
  }

  mutating func redactCall(_ body: inout HTTPBody, _ fields: inout HeaderFields) {
    guard let scope = scope(fields, call.direction) else { return }
    let place = search.writer.place
    if search.writer.inspects { search.writer.place = "\(call.direction == .request ? "request" : "response") message" }
    defer { search.writer.place = place }
    let size = body.size
    if GRPCContentType(fields: fields)?.protocol == .grpcWebText {
      redactText(&body, scope)
    } else {
      let recorded = call.recorded.flatMap { $0.omitted == 0 && $0.protocol.leavesBytesInBody ? $0 : nil }
      let frames = recorded.map { CallFrames.recorded($0, call.direction, body) } ?? CallFrames.found(in: body, scope)
      if redact(&body, frames, scope) { body.cutHash = nil }
    }
    guard body.size != size else { return }
    body.chunkSizes = []
    let lengths = fields.indices(of: "content-length")
    if !lengths.isEmpty { fields.replaceValues(lengths.map { ($0, Array("\(body.size)".utf8)) }) }
  }

  /// gRPC-Web in base64, which is written anew.
  private mutating func redactText(_ body: inout HTTPBody, _ scope: CallScope) {
    var stream = Base64Stream()
    var decoded: [UInt8] = []
    body.bytes.withUnsafeBytes { stream.decode($0, into: &decoded) }
    var content = HTTPBody(bytes: decoded, size: UInt64(decoded.count))
    let isChanged = redact(&content, CallFrames.found(in: content, scope), scope)
    guard !search.writer.inspects else { return }
    // Behind a hole or damage base64 can't be told from where it stands.
    if !body.missing.isEmpty || stream.isInvalid {
      if isChanged || scope.wantsFields { drop(&body) }
      return
    }
    guard isChanged else { return }
    let before = body.bytes.count
    body.bytes = CallFrames.base64(content.bytes)
    body.size = body.size &+ UInt64(body.bytes.count) &- UInt64(before)
    body.cutHash = nil
  }

  // MARK: Messages

  /// - Returns: whether anything changed.
  private mutating func redact(_ body: inout HTTPBody, _ frames: [CallFrame], _ scope: CallScope) -> Bool {
    var isChanged = false
    var replaced: [(frame: Int, bytes: [UInt8])] = []
    let mayResize = body.missing.isEmpty
    body.bytes.withUnsafeMutableBufferPointer { bytes in
      func look(at range: Range<Int>) {
        guard range.count > 5 else { return }
        search.writer.hasChanged = false
        let slice = UnsafeMutableBufferPointer(rebasing: bytes[range])
        if scope.wantsFields, !search.writer.inspects { search.writer.zero(slice) } else { search.searchKinds(slice) }
        isChanged = isChanged || search.writer.hasChanged
      }
      var covered = 0
      for (index, frame) in frames.enumerated() {
        // What stands between messages, and what is behind a hole in one, can't be read.
        look(at: covered..<max(covered, frame.range.lowerBound - 5))
        let result = redactMessage(
          UnsafeMutableBufferPointer(rebasing: bytes[frame.range]), scope, isCompressed: frame.isCompressed,
          isTrailers: frame.isTrailers, mayResize: mayResize && frame.isWhole)
        isChanged = isChanged || search.writer.hasChanged
        if let result { replaced.append((index, result)) }
        covered = frame.range.upperBound
      }
      look(at: covered..<bytes.count)
    }
    if !replaced.isEmpty { resize(&body, frames, replaced) }
    return isChanged
  }

  /// One message; ``SecretWriter/hasChanged`` says whether it did.
  /// - Parameter mayResize: it is whole, and what stands behind it may move.
  /// - Returns: what takes its place where its length changes.
  mutating func redactMessage(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ scope: CallScope, isCompressed: Bool, isTrailers: Bool,
    mayResize: Bool
  ) -> [UInt8]? {
    search.writer.hasChanged = false
    guard !bytes.isEmpty else { return nil }
    if isCompressed { return redactCompressed(bytes, scope, mayResize: mayResize) }
    if isTrailers {
      search.search(bytes, .text)
      return nil
    }
    return redactContent(bytes, scope, mayResize: mayResize)
  }

  private mutating func redactContent(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ scope: CallScope, mayResize: Bool
  ) -> [UInt8]? {
    if !catalog.values.isEmpty { search.searchValues(bytes) }
    if scope.isJSON {
      search.search(bytes, .json)
      return nil
    }
    guard scope.wantsFields || !rule.text.isEmpty else { return nil }
    let descriptors = descriptors
    let resized = withUnsafeMutablePointer(to: &search) { search in
      ProtobufWalk.edit(
        bytes, as: scope.type, in: descriptors, mayResize: mayResize,
        with: CallFieldEditor(search: search, scope: scope)
      ).resized
    }
    if resized != nil { search.writer.hasChanged = true }
    return resized
  }

  /// A message in a coding is stored in it again, without compression.
  private mutating func redactCompressed(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ scope: CallScope, mayResize: Bool
  ) -> [UInt8]? {
    var (content, isWhole, isKnown) = ([UInt8](), mayResize, true)
    do throws(ContentCodingError) {
      guard let coding = scope.coding else { throw .unknownCoding(name: "") }
      content = try ContentCoding.decode(Array(bytes), codings: [coding], limit: Self.decodedLimit)
    } catch {
      isWhole = false
      switch error {
      case .truncated(_, let decoded), .malformed(_, let decoded): content = decoded
      case .overLimit, .unknownCoding, .tooManyCodings: isKnown = false
      }
    }
    var resized: [UInt8]?
    if isKnown {
      resized = content.withUnsafeMutableBufferPointer { redactContent($0, scope, mayResize: true) }
    }
    if search.writer.inspects { return nil }
    if isKnown, !search.writer.hasChanged { return nil }
    if isWhole, let coding = scope.coding, let coded = StoredCoding.encode(resized ?? content, codings: [coding]) {
      return coded
    }
    // A part can't be written anew so that it still is that part; what can't be looked into is not kept.
    if isKnown || scope.wantsFields || !catalog.values.isEmpty { search.writer.zero(bytes) }
    return nil
  }

  /// Puts messages of other lengths in; what stands behind them moves.
  private mutating func resize(
    _ body: inout HTTPBody, _ frames: [CallFrame], _ replaced: [(frame: Int, bytes: [UInt8])]
  ) {
    var output: [UInt8] = []
    output.reserveCapacity(body.bytes.count)
    var (position, next) = (0, 0)
    for (index, frame) in frames.enumerated() {
      let key = CallContext.Key(direction: call.direction, offset: frame.offset)
      guard next < replaced.count, replaced[next].frame == index, frame.range.lowerBound - position >= 4 else {
        let offset = output.count + frame.range.lowerBound - position
        call.moved[key] = (UInt64(offset), UInt64(frame.range.count))
        continue
      }
      let bytes = replaced[next].bytes
      next += 1
      output += body.bytes[position..<frame.range.lowerBound - 4]
      for shift in [24, 16, 8, 0] as [UInt32] { output.append(UInt8(truncatingIfNeeded: bytes.count >> Int(shift))) }
      call.moved[key] = (UInt64(output.count), UInt64(bytes.count))
      output += bytes
      position = frame.range.upperBound
    }
    output += body.bytes[position...]
    body.size = body.size &+ UInt64(output.count) &- UInt64(body.bytes.count)
    body.bytes = output
  }
}

/// Where the messages of a body stand.
private enum CallFrames {
  /// As they were found when the body was captured.
  static func recorded(
    _ stream: StreamMessages, _ direction: StreamMessage.Direction, _ body: HTTPBody
  ) -> [CallFrame] {
    let messages = stream.messages.filter { $0.direction == direction }
    return frames(
      messages.map {
        (
          $0.offset, $0.length, $0.flags.contains(.stillCompressed), $0.kind == .trailers,
          $0.flags.contains(.incomplete)
        )
      }, body)
  }

  static func found(in body: HTTPBody, _ scope: CallScope) -> [CallFrame] {
    var decoder = GRPCMessageDecoder(isWeb: scope.isWeb, messageLimit: .max)
    var messages: [(UInt64, UInt64, Bool, Bool, Bool)] = []
    func read(_ bytes: UnsafeRawBufferPointer) {
      var offset = 0
      while let event = decoder.nextEvent(in: bytes, at: &offset) {
        switch event {
        case .message(let message):
          messages.append(
            (message.offset, UInt64(message.length), message.isCompressed, message.isTrailers, message.isIncomplete))
        case .truncated(let message, let passed):
          messages.append((message.offset, UInt64(passed), message.isCompressed, message.isTrailers, true))
        case .began, .anomaly: break
        }
      }
    }
    body.bytes.withUnsafeBytes { bytes in
      var (start, position): (Int, UInt64) = (0, 0)
      for gap in body.missing where gap.lowerBound >= position && gap.upperBound >= gap.lowerBound {
        let end = Int(
          clamping: min(
            UInt64(bytes.count), UInt64(start).addingReportingOverflow(gap.lowerBound - position).partialValue))
        guard end >= start else { break }
        read(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        decoder.gap(gap.upperBound == .max ? nil : gap.upperBound - gap.lowerBound)
        read(UnsafeRawBufferPointer(start: nil, count: 0))
        (start, position) = (end, gap.upperBound)
      }
      read(UnsafeRawBufferPointer(rebasing: bytes[start...]))
      decoder.finish()
      read(UnsafeRawBufferPointer(start: nil, count: 0))
    }
    return frames(messages, body)
  }

  /// In the order of the body, none over another.
  private static func frames(
    _ messages: [(offset: UInt64, length: UInt64, isCompressed: Bool, isTrailers: Bool, isIncomplete: Bool)],
    _ body: HTTPBody
  ) -> [CallFrame] {
    var frames: [CallFrame] = []
    var covered = 0
    for message in messages.sorted(by: { $0.offset < $1.offset }) {
      let (end, isOver) = message.offset.addingReportingOverflow(message.length)
      guard !isOver else { continue }
      // What follows a hole is not read on.
      let hole = body.missing.first { $0.upperBound > message.offset && $0.lowerBound < end }
      let lower = index(of: message.offset, body)
      let upper = index(of: min(end, hole?.lowerBound ?? end), body)
      guard lower >= covered + min(5, lower), lower <= upper else { continue }
      let isCut = hole != nil || UInt64(upper - lower) < message.length
      frames.append(
        CallFrame(
          offset: message.offset, range: lower..<upper, isCompressed: message.isCompressed,
          isTrailers: message.isTrailers, isWhole: !message.isIncomplete && !isCut && lower >= 5))
      covered = upper
    }
    return frames
  }

  /// Where a place of the body stands in its kept bytes.
  private static func index(of offset: UInt64, _ body: HTTPBody) -> Int {
    var before: UInt64 = 0
    for range in body.missing where range.lowerBound < offset {
      before &+= min(range.upperBound, offset) &- min(range.lowerBound, offset)
    }
    return Int(clamping: min(offset &- min(before, offset), UInt64(body.bytes.count)))
  }

  /// RFC 4648, 4.
  static func base64(_ bytes: [UInt8]) -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let group = bytes[index..<min(index + 3, bytes.count)]
      let bits = group.enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element) << UInt32(16 - 8 * $1.offset) }
      for place in 0..<4 {
        text.append(place <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
      }
      index += 3
    }
    return text
  }
}
