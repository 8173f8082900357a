// Purpose: one chunk-size line (RFC 9112, 7.1 and 7.1.1). Input -> output: the line without its LF -> size, extension.

import HTTPModel

struct ChunkLine {
  var size: UInt64 = 0
  /// From the `;` on; the line's end where there is none.
  var extensionStart = 0
  var end = 0
  var anomalies = AnomalySet()

  /// Nil where no size can be read: no digit, a size over 64 bits, something other than an extension after it.
  /// Blanks around the size are what old servers pad it with.
  init?(_ base: Octets, _ count: Int) {
    end = count
    if end > 0, base[end - 1] == Octet.cr { end -= 1 } else { anomalies.insert(.http1ChunkBareLF) }
    var index = 0
    while index < end, Octet.isBlank(base[index]) { index += 1 }
    let first = index
    if first > 0 { anomalies.insert(.http1ChunkInvalid) }
    while index < end, let digit = ChunkLine.hexDigit(base[index]) {
      guard size >> 60 == 0 else { return nil }
      size = size << 4 | UInt64(digit)
      index += 1
    }
    guard index > first else { return nil }
    let afterSize = index
    while index < end, Octet.isBlank(base[index]) { index += 1 }
    extensionStart = index
    guard index < end else {
      if index > afterSize { anomalies.insert(.http1ChunkInvalid) }
      return
    }
    guard base[index] == Octet.semicolon else { return nil }
    for position in index..<end where base[position] == Octet.cr {
      anomalies.insert(.http1BareCR)
      break
    }
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }
}
