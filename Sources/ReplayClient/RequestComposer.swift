import HTTPModel
import NIOCore

/// Writes a recorded request as it was on the wire, changed only where the options say so.
///
/// Input: a whole HTTP/1 request. Output: its head with the spelling, order and number of its fields, its body, chunks
/// of the recorded sizes, its trailers. What may differ: the base path before the target, Host, the marker.
struct RequestComposer {
  private let basePath: [UInt8]
  /// nil leaves Host as recorded.
  private let host: [UInt8]?
  /// A field line with its line end; empty for none.
  private let marker: [UInt8]

  init(options: ReplayOptions, target: ReplayTarget) {
    basePath = Array(target.basePath.utf8)
    switch options.host {
    case .recorded: host = nil
    case .target: host = Array(target.authority.utf8)
    case .name(let name): host = Array(name.utf8)
    }
    marker = options.marker.map { Array("\($0.name): \($0.value)\r\n".utf8) } ?? []
  }

  /// Replaces what `output` holds by the request.
  /// - Returns: the length of its head.
  func compose(_ request: HTTPRequest, into output: inout ByteBuffer) -> Int {
    output.clear(minimumCapacity: request.fields.storage.count + marker.count + 256)
    writeHead(request, into: &output)
    let head = output.readableBytes
    switch request.body.framing {
    case .chunked: writeChunks(request, into: &output)
    case .none, .contentLength, .close, .stream: output.writeBytes(request.body.bytes)
    }
    return head
  }

  private func writeHead(_ request: HTTPRequest, into output: inout ByteBuffer) {
    request.fields.storage.withUnsafeBytes { head in
      var copied = 0
      func copy(to end: Int, _ output: inout ByteBuffer) {
        output.writeBytes(UnsafeRawBufferPointer(rebasing: head[copied..<end]))
        copied = end
      }
      let target = Int(request.targetRange.lowerBound)
      if !basePath.isEmpty, head[target] == UInt8(ascii: "/") {
        copy(to: target, &output)
        output.writeBytes(basePath)
      }
      if let host {
        for index in request.fields.ranges.indices where request.fields.matches(index, "host") {
          copy(to: Int(request.fields.ranges[index].valueStart), &output)
          output.writeBytes(host)
          copied = Int(request.fields.ranges[index].valueEnd)
        }
      }
      if !marker.isEmpty {
        let emptyLine = head.count >= 2 && head[head.count - 2] == UInt8(ascii: "\r") ? 2 : 1
        copy(to: head.count - emptyLine, &output)
        output.writeBytes(marker)
      }
      copy(to: head.count, &output)
    }
  }

  private func writeChunks(_ request: HTTPRequest, into output: inout ByteBuffer) {
    let body = request.body
    var sizes = body.chunkSizes[...]
    if sizes.reduce(UInt64(0), { $0 + UInt64($1) }) != body.size || sizes.contains(0) {
      sizes = body.bytes.isEmpty ? [] : [UInt32(clamping: body.bytes.count)]
    }
    body.bytes.withUnsafeBytes { bytes in
      var offset = 0
      for size in sizes {
        output.writeString(String(size, radix: 16))
        output.writeStaticString("\r\n")
        output.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(size)]))
        output.writeStaticString("\r\n")
        offset += Int(size)
      }
    }
    output.writeStaticString("0\r\n")
    for index in request.trailers.ranges.indices {
      output.writeBytes(request.trailers.name(at: index))
      output.writeStaticString(": ")
      output.writeBytes(request.trailers.value(at: index))
      output.writeStaticString("\r\n")
    }
    output.writeStaticString("\r\n")
  }
}
