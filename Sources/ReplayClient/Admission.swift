import HTTPModel

/// Decides which recorded exchanges are sent.
struct Admission {
  /// nil allows every method.
  private let methods: [[UInt8]]?

  init(options: ReplayOptions) { methods = options.methods.map { $0.map { Array($0.utf8) } } }

  /// Why an exchange is withheld; nil where it is sent.
  func withholding(_ exchange: Exchange) -> WithheldReason? {
    guard let request = exchange.request else { return .noRequest }
    if request.version == .http2 || exchange.stream != nil { return .http2 }
    guard isWhole(request) else { return .incompleteRequest }
    if let methods, !methods.contains(where: { $0.elementsEqual(request.method) }) { return .unsafeMethod }
    return nil
  }

  /// Whether every byte of the request is at hand: a head with its start line and its empty line, and all of the body.
  private func isWhole(_ request: HTTPRequest) -> Bool {
    let head = request.fields.storage
    let count = UInt32(clamping: head.count)
    guard !request.methodRange.isEmpty, request.methodRange.upperBound < request.targetRange.lowerBound,
      !request.targetRange.isEmpty, request.targetRange.upperBound <= count
    else { return false }
    return (head.suffix(4).elementsEqual("\r\n\r\n".utf8) || head.suffix(2).elementsEqual("\n\n".utf8))
      && request.body.isComplete && request.body.missing.isEmpty
      && request.body.size == UInt64(request.body.bytes.count)
  }
}
