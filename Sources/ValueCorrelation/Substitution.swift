// Recorded values in a request replaced by those that the target's own answers hold.
// In: answers to producers, a recorded request. Out: the request as the target can understand it. Owner: pure functions
// over the graph. Bounds: linear in request and answer.

public import HTTPModel

/// What an answer holds of what later requests need, by ``CorrelationLink``'s source.
public struct AnswerValues: Hashable, Sendable {
  /// By numbers that only the graph understands.
  public var values: [UInt32: [UInt8]]

  public init(_ values: [UInt32: [UInt8]] = [:]) { self.values = values }
}

extension CorrelationGraph {
  /// Takes out of the target's answer to a producer what its dependants need, as far as it is there.
  public func values(in response: HTTPResponse, to producer: ExchangeID) -> AnswerValues {
    var taken = AnswerValues()
    guard let wanted = sources(of: producer) else { return taken }
    let texts = ResponseText.texts(at: Set(wanted.map { sources[Int($0)].place }), in: response)
    for index in wanted {
      let source = sources[Int(index)]
      guard let text = texts[source.place] else { continue }
      if let value = source.value(in: text), !value.isEmpty, value.count <= ResponseText.lengthLimit {
        taken.values[index] = value
      }
    }
    return taken
  }

  /// The request with the target's values in place of the recorded ones.
  ///
  /// Only they change, and Content-Length where the body's length does; a chunked body whose length changes is one chunk.
  /// - Parameter values: of a producer's answer; nil where none came.
  /// - Returns: nil where a value is missing, or cannot stand where it is needed.
  public func substituted(
    _ request: HTTPRequest, of dependant: ExchangeID, values: (ExchangeID) -> AnswerValues?
  ) -> HTTPRequest? {
    var head: [ByteEdit] = []
    var body: [ByteEdit] = []
    for link in links(of: dependant) {
      guard let value = values(link.producer)?.values[link.source] else { return nil }
      let section = link.section == .head ? request.fields.storage : request.body.bytes
      let range = Int(link.lower)..<Int(link.upper)
      guard range.upperBound <= section.count, let spelt = link.spelling(of: value, like: section[range]) else {
        return nil
      }
      if link.section == .head { head.append(ByteEdit(range, spelt)) } else { body.append(ByteEdit(range, spelt)) }
    }
    var request = request
    if !body.isEmpty {
      let before = request.body.bytes.count
      request.body.bytes = ByteEdit.applied(body, to: request.body.bytes)
      let count = request.body.bytes.count
      if count != before {
        request.body.size = UInt64(count)
        request.body.chunkSizes = []
        head += lengthEdits(of: request, before: before, count: count)
      }
    }
    if !head.isEmpty { request.apply(head) }
    return request
  }

  private func lengthEdits(of request: HTTPRequest, before: Int, count: Int) -> [ByteEdit] {
    request.fields.indices(of: "content-length").compactMap { index in
      guard request.fields.value(at: index).elementsEqual(String(before).utf8) else { return nil }
      let range = request.fields.ranges[index]
      return ByteEdit(Int(range.valueStart)..<Int(range.valueEnd), Array(String(count).utf8))
    }
  }
}

extension ValueSource {
  /// The value in the text at its place; nil where it has no such part.
  func value(in text: [UInt8]) -> [UInt8]? {
    let text =
      isPercentEncoded
      ? text.withUnsafeBufferPointer { PercentEncoding.decode($0, isForm: false)?.bytes } ?? text : text
    switch part {
    case .whole: return text
    case .word(let index, let count):
      return text.withUnsafeBufferPointer { bytes in
        Words.corresponding(to: index, of: count, in: bytes).map { Array(bytes[$0]) }
      }
    }
  }
}

extension CorrelationLink {
  /// A value as it is to be spelt in place of the recorded spelling; nil where it cannot stand there.
  func spelling(of value: [UInt8], like recorded: ArraySlice<UInt8>) -> [UInt8]? {
    switch encoding {
    case .plain:
      // Nothing that could end a field's line (RFC 9110, 5.5).
      return value.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 } ? value : nil
    case .percent, .form: return PercentEncoding.encode(value, like: recorded, isForm: encoding == .form)
    case .jsonString: return JSONStringSpelling.encode(value)
    case .jsonNumber:
      let isNumber =
        !value.isEmpty && value.allSatisfy { (0x30...0x39).contains($0) } && (value.count == 1 || value[0] != 0x30)
      return isNumber ? value : [UInt8(ascii: "\"")] + JSONStringSpelling.encode(value) + [UInt8(ascii: "\"")]
    case .base64:
      guard let (bytes, spelling) = recorded.withUnsafeBufferPointer({ Base64.decode($0) }),
        innerLower <= innerUpper, Int(innerUpper) <= bytes.count
      else { return nil }
      return spelling.encode(Array(bytes[..<Int(innerLower)]) + value + bytes[Int(innerUpper)...])
    }
  }
}
