import HTTPModel

/// Decides which recorded exchanges are sent.
struct Admission {
  /// nil allows everything.
  private let methods: [[UInt8]]?

  init(options: ReplayOptions) { methods = options.methods.map { $0.map { Array($0.utf8) } } }

  /// Why an exchange is withheld; nil where it is sent.
  /// - Parameter allowsUnsafe: whether it is sent though it may change something; nil leaves that to the options.
  func withholding(_ exchange: Exchange, allowsUnsafe: Bool? = nil) -> WithheldReason? {
    guard let request = exchange.request else { return .noRequest }
    if request.version == .http2, let reason = unsendable(exchange, request) { return reason }
    guard isWhole(request) else { return .incompleteRequest }
    if let allowsUnsafe {
      if allowsUnsafe { return nil }
      return request.isSafe ? nil : Admission.hiddenEffect(of: request) ?? .unsafeMethod
    }
    guard let methods else { return nil }
    guard methods.contains(where: { $0.elementsEqual(request.method) }) else { return .unsafeMethod }
    return request.isSafe ? nil : Admission.hiddenEffect(of: request)
  }

  /// Why the request of an exchange that is sent to the shadow is not sent to the primary and the control.
  static func withholdingFromPrimary(_ exchange: Exchange) -> WithheldReason? {
    guard let request = exchange.request else { return .noRequest }
    return request.isSafe ? Admission.hiddenEffect(of: request) : .unsafeMethod
  }

  /// What only HTTP/2 brings: requests that a server made up, and those of which the tables have lost the main part.
  private func unsendable(_ exchange: Exchange, _ request: HTTPRequest) -> WithheldReason? {
    if request.methodRange.isEmpty || request.targetRange.isEmpty { return .unresolvedRequest }
    guard exchange.hasDetails else { return nil }
    if exchange.details.promisedBy != nil { return .pushed }
    // An authority that is not known is no field; one that is guessed is marked.
    let isUnresolved = exchange.details.unresolved.contains { !$0.isAssumed && $0.section == .request }
    return isUnresolved && request.authority == nil ? .unresolvedRequest : nil
  }

  /// POST says little where one method stands for every operation: what the body asks for counts.
  private static func hiddenEffect(of request: HTTPRequest) -> WithheldReason? {
    guard let type = request.fields.first("content-type") else { return nil }
    if asciiCaseInsensitiveEqual(type.prefix(16), "application/grpc".utf8) { return .grpcCall }
    if request.fields.first("content-encoding") != nil, request.target.firstRange(of: "graphql".utf8) != nil {
      return .graphQLMutation
    }
    return GraphQLOperation.mayMutate(body: request.body.bytes, contentType: type) ? .graphQLMutation : nil
  }

  /// Whether there is a request line and every byte of the body.
  private func isWhole(_ request: HTTPRequest) -> Bool {
    let count = request.fields.storage.count
    return !request.methodRange.isEmpty && request.methodRange.upperBound <= count
      && !request.targetRange.isEmpty && request.targetRange.upperBound <= count
      && request.body.isComplete && request.body.missing.isEmpty
      && request.body.size == UInt64(request.body.bytes.count)
  }
}
