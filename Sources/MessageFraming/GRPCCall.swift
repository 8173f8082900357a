// What a gRPC exchange says of itself: which method, in which form, until when, and how it ended.
// In: a request, a response, their messages. Out: values. Owner: values. Bounds: linear in the fields.

public import HTTPModel

/// What a Content-Type says of gRPC: `application/grpc`, `-web`, `-web-text`, with or without `+proto`.
public struct GRPCContentType: Hashable, Sendable {
  public var `protocol`: MessageProtocol
  /// What follows the `+`, in lower case; `proto` where nothing does.
  public var format: String

  /// Nil where the value is no gRPC.
  public init?(_ value: some Collection<UInt8>) {
    guard Self.mayBegin(value) else { return nil }
    let type = String(decoding: value.prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self).lowercased()
    let parts = type.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
    switch parts[0].drop(while: \.isWhitespace).prefix(while: { !$0.isWhitespace }) {
    case "application/grpc": `protocol` = .grpc
    case "application/grpc-web": `protocol` = .grpcWeb
    case "application/grpc-web-text": `protocol` = .grpcWebText
    default: return nil
    }
    let format = parts.count == 2 ? parts[1].prefix { !$0.isWhitespace } : ""
    self.format = format.isEmpty ? "proto" : String(format)
  }

  /// False for nearly every type that is none of gRPC's, at a glance.
  private static func mayBegin(_ value: some Collection<UInt8>) -> Bool {
    guard let first = value.first, first | 0x20 >= 0x61, first | 0x20 <= 0x7a else { return true }
    return value.count >= 16 && zip(value, "application/grpc".utf8).allSatisfy { $0 | 0x20 == $1 | 0x20 }
  }

  public init?(fields: HeaderFields) {
    guard let value = fields.first("content-type"), let type = GRPCContentType(value) else { return nil }
    self = type
  }
}

/// The four kinds of call, as far as messages show: a stream of one message looks unary.
public enum GRPCCallKind: String, CaseIterable, Sendable {
  case unary
  case clientStreaming = "client-streaming"
  case serverStreaming = "server-streaming"
  case bidirectional

  /// - Parameter answeredEarly: an answer's message came before the request's last.
  public init(requestMessages: Int, responseMessages: Int, answeredEarly: Bool = false) {
    self =
      switch (requestMessages > 1, responseMessages > 1) {
      case (false, false): .unary
      case (false, true): .serverStreaming
      case (true, false): answeredEarly && responseMessages > 0 ? .bidirectional : .clientStreaming
      case (true, true): .bidirectional
      }
  }

  public init(messages: StreamMessages) {
    var counts = (request: 0, response: 0)
    var answeredEarly = false
    for message in messages.messages where message.kind == .grpc {
      switch message.direction {
      case .request:
        counts.request += 1
        if counts.response > 0 { answeredEarly = true }
      case .response: counts.response += 1
      }
    }
    self.init(requestMessages: counts.request, responseMessages: counts.response, answeredEarly: answeredEarly)
  }
}

/// A gRPC call, as the fields of its exchange tell of it.
public struct GRPCCall: Hashable, Sendable {
  public var contentType: GRPCContentType
  /// `/package.Service/Method`; nil where no request was seen.
  public var path: [UInt8]?
  public var timeout: GRPCTimeout?
  /// Codings of compressed messages; nil is identity.
  public var requestEncoding: String?
  public var responseEncoding: String?
  /// Nil where no end was seen.
  public var status: GRPCStatus?
  /// The answer is one head and nothing else.
  public var isTrailersOnly: Bool

  /// Nil where neither side says that it speaks gRPC.
  /// - Parameter webTrailers: the trailers message of a gRPC-Web answer, where one was seen.
  public init?(request: HTTPRequest?, response: HTTPResponse?, webTrailers: HeaderFields? = nil) {
    let types = [request?.fields, response?.fields].compactMap { $0.flatMap { GRPCContentType(fields: $0) } }
    // A gRPC-Web client may ask in binary and be answered in text; what is asked names the call.
    guard let type = types.first else { return nil }
    contentType = type
    path = request.map { Array($0.target) }
    timeout = request?.fields.grpcTimeout
    requestEncoding = request?.fields.grpcEncoding
    responseEncoding = response?.fields.grpcEncoding
    let ending = webTrailers.flatMap { GRPCStatus(fields: $0) } ?? response.flatMap { GRPCStatus(response: $0) }
    status = ending
    isTrailersOnly = response.map { $0.trailers.isEmpty && $0.body.size == 0 && ending != nil } ?? false
  }

  /// `package.Service` and `Method`; nil where the path is not of that form.
  public var method: (service: String, method: String)? {
    guard let path, path.first == UInt8(ascii: "/"), let slash = path.lastIndex(of: UInt8(ascii: "/")), slash > 1
    else { return nil }
    return (String(decoding: path[1..<slash], as: UTF8.self), String(decoding: path[(slash + 1)...], as: UTF8.self))
  }
}
