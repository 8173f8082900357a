// What a body's octets are, as far as looking for secrets goes. In: a Content-Type and the first octets. Owner: nobody.
// Bounds: 256 octets of the type, 512 of the body; nothing is allocated but a boundary.

enum TextForm {
  case json, form, markup, text
  case multipart(boundary: [UInt8])
  /// Not text.
  case opaque

  /// By a Content-Type and the first octets; an object or an array is JSON whatever is said of it.
  init(contentType: UnsafeBufferPointer<UInt8>?, _ bytes: UnsafeBufferPointer<UInt8>) {
    let type = UnsafeBufferPointer(rebasing: (contentType ?? UnsafeBufferPointer(start: nil, count: 0)).prefix(256))
    let name = UnsafeBufferPointer(rebasing: type.prefix(type.place(of: UInt8(ascii: ";"), from: 0) ?? type.count))
    // The commonest at once.
    switch name.count {
    case 16 where name.begins("application/json"):
      self = .json
      return
    case 9 where name.begins("text/html"):
      self = TextForm(startOf: bytes) ?? .markup
      return
    case 10 where name.begins("text/plain"):
      self = TextForm(startOf: bytes) ?? .text
      return
    default: break
    }
    let isOpaque =
      name.begins("image/") || name.begins("audio/") || name.begins("video/") || name.begins("font/")
      || name.begins("application/grpc")
    if isOpaque {
      self = name.mentions("svg+xml") ? .markup : .opaque
    } else if name.begins("multipart/"), let boundary = TextForm.boundary(type) {
      self = .multipart(boundary: boundary)
    } else if name.mentions("json") {
      self = .json
    } else if let seen = TextForm(startOf: bytes) {
      self = seen
    } else if name.mentions("x-www-form-urlencoded") {
      self = .form
    } else if name.mentions("xml") || name.mentions("html") {
      self = .markup
    } else if name.begins("text/") || name.mentions("javascript") {
      self = .text
    } else {
      self = bytes.prefix(512).contains { $0 < 0x09 || $0 == 0x7f } ? .opaque : .text
    }
  }

  /// nil where the first octets say nothing.
  init?(startOf bytes: UnsafeBufferPointer<UInt8>) {
    switch bytes.first(where: { $0 > 0x20 && $0 != 0xef && $0 != 0xbb && $0 != 0xbf }) {
    case UInt8(ascii: "{"), UInt8(ascii: "["): self = .json
    case UInt8(ascii: "<"): self = .markup
    default: return nil
    }
  }

  private static func boundary(_ type: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    for part in type.split(separator: UInt8(ascii: ";")).dropFirst() {
      guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else { continue }
      let name = part[..<equals].filter { $0 != 0x20 && $0 != 0x09 }
      guard name.count == 8, name.withUnsafeBufferPointer({ $0.begins("boundary") }) else { continue }
      let value = part[(equals + 1)...].filter { $0 != UInt8(ascii: "\"") && $0 != 0x20 }
      return value.isEmpty || value.count > 200 ? nil : Array("--".utf8) + value
    }
    return nil
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// Whether it begins with a text in small letters, case not regarded.
  fileprivate func begins(_ text: StaticString, at start: Int = 0) -> Bool {
    guard count - start >= text.utf8CodeUnitCount else { return false }
    for offset in 0..<text.utf8CodeUnitCount where !isFolded(self[start + offset], text.utf8Start[offset]) {
      return false
    }
    return true
  }

  fileprivate func mentions(_ text: StaticString) -> Bool {
    guard count >= text.utf8CodeUnitCount else { return false }
    return (0...count - text.utf8CodeUnitCount).contains { begins(text, at: $0) }
  }
}

@inline(__always)
private func isFolded(_ byte: UInt8, _ small: UInt8) -> Bool {
  byte == small || byte | 0x20 == small && small >= 0x61 && small <= 0x7a
}
