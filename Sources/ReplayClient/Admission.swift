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

  /// Whether there is a request line and every byte of the body.
  private func isWhole(_ request: HTTPRequest) -> Bool {
    let count = request.fields.storage.count
    return !request.methodRange.isEmpty && request.methodRange.upperBound <= count
      && !request.targetRange.isEmpty && request.targetRange.upperBound <= count
      && request.body.isComplete && request.body.missing.isEmpty
      && request.body.size == UInt64(request.body.bytes.count)
  }
}
