// The character encoding of a text body, so that two of them are compared as characters.
// In: a body and its Content-Type. Out: UTF-8. Owner: BodyComparison. Bounds: at most three bytes for one.

/// The encodings that bodies are brought to UTF-8 from; anything else is taken for UTF-8 or for bytes.
enum Charset: Equatable {
  case utf8
  /// UTF-8 with a byte order mark.
  case utf8Marked
  case latin1
  case utf16BigEndian
  case utf16LittleEndian

  /// A byte order mark outweighs what the field says (RFC 3629, 6; the Encoding Standard).
  init(of bytes: [UInt8], contentType: ArraySlice<UInt8>?) {
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) {
      self = .utf8Marked
      return
    }
    guard let contentType, contentType.contains(UInt8(ascii: ";")),
      let charset = MediaType(contentType).parameters.first(where: { $0.starts(with: "charset=".utf8) })
    else {
      self = .utf8
      return
    }
    switch String(decoding: charset.dropFirst(8), as: UTF8.self) {
    case "iso-8859-1", "latin1", "l1", "windows-1252", "iso8859-1": self = .latin1
    case "utf-16": self = bytes.starts(with: [0xff, 0xfe]) ? .utf16LittleEndian : .utf16BigEndian
    case "utf-16be": self = .utf16BigEndian
    case "utf-16le": self = .utf16LittleEndian
    default: self = .utf8
    }
  }

  func decoded(_ bytes: [UInt8]) -> [UInt8] {
    switch self {
    case .utf8: return bytes
    case .utf8Marked: return Array(bytes.dropFirst(3))
    case .latin1:
      var text: [UInt8] = []
      text.reserveCapacity(bytes.count)
      for byte in bytes {
        if byte < 0x80 {
          text.append(byte)
        } else {
          text.append(0xc0 | byte >> 6)
          text.append(0x80 | byte & 0x3f)
        }
      }
      return text
    case .utf16BigEndian, .utf16LittleEndian:
      let isBig = self == .utf16BigEndian
      var units: [UInt16] = []
      units.reserveCapacity(bytes.count / 2 + 1)
      for index in stride(from: 0, to: bytes.count, by: 2) {
        let (first, second) = (UInt16(bytes[index]), index + 1 < bytes.count ? UInt16(bytes[index + 1]) : 0)
        units.append(isBig ? first << 8 | second : second << 8 | first)
      }
      if units.first == 0xfeff { units.removeFirst() }
      return Array(String(decoding: units, as: UTF16.self).utf8)
    }
  }
}
