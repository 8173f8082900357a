// Which end of a connection sent this? Asked of bytes that may begin a message.

/// Tells a request from a response by its first bytes.
enum MessageOpening {
  enum Role { case request, response }

  /// nil where the bytes begin like neither.
  static func role(_ bytes: UnsafeRawBufferPointer) -> Role? {
    if bytes.starts(with: "HTTP/1.".utf8) { return .response }
    // A method is a token and a target follows it; all registered methods are upper case (RFC 9110, 16.1).
    let method = bytes.prefix(24).prefix { $0 >= 0x41 && $0 <= 0x5a || $0 == 0x2d }
    guard (3...20).contains(method.count), method.count < bytes.count, bytes[method.count] == 0x20 else { return nil }
    let line = bytes[(method.count + 1)...].prefix(16_384).prefix { $0 != 0x0a }
    return line.count < 9 || line.contains(subsequence: "HTTP/1.".utf8) ? .request : nil
  }
}

extension Slice<UnsafeRawBufferPointer> {
  fileprivate func contains(subsequence: some Collection<UInt8>) -> Bool {
    indices.contains { self[$0...].starts(with: subsequence) }
  }
}
