import HTTP1Decoding
import HTTPModel
import NIOCore

/// Writes a recorded request as it was on the wire, changed only where the options say so: the base path before the
/// target, Host, the marker, idempotency keys. Extensions of a recorded body's chunks are not in a session and therefore
/// not sent; the chunks are.
///
/// Holds the bytes of the request written last. Confined to the event loop, and kept without checks of exclusive access:
/// what writes to these bytes calls nothing of this.
final class RequestComposer {
  private let basePath: [UInt8]
  /// What is changed in every request.
  private let edits: HTTP1RequestEdits
  private let host: [(name: [UInt8], value: [UInt8])]
  private let marker: [(name: [UInt8], value: [UInt8])]
  @exclusivity(unchecked) private var bytes: [UInt8] = []
  @exclusivity(unchecked) private var output = ByteBuffer()

  /// Storage above this size is given back after each request, in bytes.
  private static let keptCapacity = 256 * 1024

  init(options: ReplayOptions, target: ReplayTarget) {
    basePath = Array(target.basePath.utf8)
    switch options.host {
    case .recorded: host = []
    case .target: host = [(Array("Host".utf8), Array(target.authority.utf8))]
    case .name(let name): host = [(Array("Host".utf8), Array(name.utf8))]
    }
    marker = options.marker.map { [(Array($0.name.utf8), Array($0.value.utf8))] } ?? []
    var edits = HTTP1RequestEdits()
    edits.replaced = host
    edits.appended = marker
    self.edits = edits
  }

  /// Writes a request; ``buffer`` and ``withBytes(_:)`` give its bytes.
  /// - Parameter replaced: fields that take other values.
  func compose(_ request: HTTPRequest, replaced: [(name: [UInt8], value: [UInt8])] = []) {
    if bytes.capacity > RequestComposer.keptCapacity { bytes = [] } else { bytes.removeAll(keepingCapacity: true) }
    if replaced.isEmpty, basePath.isEmpty, request.version != .http2 {
      serialize(request: request, edits: edits, into: &bytes)
    } else {
      composeOther(request, replaced: replaced)
    }
  }

  /// A request that more is changed of.
  private func composeOther(_ request: HTTPRequest, replaced: [(name: [UInt8], value: [UInt8])]) {
    var edits = edits
    edits.replaced += replaced
    if !basePath.isEmpty, request.target.first == UInt8(ascii: "/") { edits.target = basePath + request.target }
    if request.version == .http2 {
      serialize(request: translated(request, &edits), edits: edits, into: &bytes)
    } else {
      serialize(request: request, edits: edits, into: &bytes)
    }
  }

  /// Of the request written last.
  var count: Int { bytes.count }

  /// The bytes of the request written last. Their storage is used again once nobody else holds it.
  var buffer: ByteBuffer {
    if output.capacity > RequestComposer.keptCapacity { output = ByteBuffer() }
    output.clear(minimumCapacity: bytes.count)
    output.writeBytes(bytes)
    return output
  }

  /// Lends the bytes of the request written last.
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result { bytes.withUnsafeBytes(body) }

  /// What takes the place of a request that was recorded on HTTP/2, which needs no length, and sends cookies in pieces.
  private func translated(_ recorded: HTTPRequest, _ edits: inout HTTP1RequestEdits) -> HTTPRequest {
    var request = recorded
    let authority = host.isEmpty ? recorded.authority : host[0].value[...]
    // Host comes first, as clients send it (RFC 9112, 3.2).
    var fields = HeaderFields(storage: recorded.fields.storage)
    if let authority { fields.append(name: "Host".utf8, value: authority) }
    fields.ranges += recorded.fields.ranges.indices.lazy
      .filter { !recorded.fields.isPseudoField($0) && !recorded.fields.matches($0, "host") }
      .map { recorded.fields.ranges[$0] }
    request.fields = fields
    if !request.trailers.isEmpty {
      request.body.framing = .chunked
      edits.appended = marker + [(Array("Transfer-Encoding".utf8), Array("chunked".utf8))]
      edits.removed = [Array("content-length".utf8)]
    } else if request.body.bytes.isEmpty, fields.first("content-length") == nil, !request.isSafe {
      // Servers want to be told that nothing follows (RFC 9110, 8.6).
      edits.appended = marker + [(Array("Content-Length".utf8), Array("0".utf8))]
    }
    return request
  }

  /// The length of the head of the request written last.
  var headLength: Int {
    var lineStart = 0
    while let lineEnd = bytes[lineStart...].firstIndex(of: UInt8(ascii: "\n")) {
      let line = bytes[lineStart..<lineEnd]
      lineStart = lineEnd + 1
      if line.isEmpty || line.elementsEqual("\r".utf8) { break }
    }
    return lineStart
  }
}
