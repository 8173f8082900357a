// Base64 (RFC 4648, 4) as other tools write it. In: text. Out: bytes. Bounds: linear.

/// Bytes from base64: white space is passed over, the URL alphabet is taken too, padding may be missing.
/// - Returns: nil where another character stands in it.
func base64Decoded(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(text.count / 4 * 3 + 3)
  var bits: UInt32 = 0
  var count = 0
  var isPadded = false
  for byte in text {
    let value: UInt32
    switch byte {
    case 0x41...0x5a: value = UInt32(byte) - 0x41
    case 0x61...0x7a: value = UInt32(byte) - 0x61 + 26
    case 0x30...0x39: value = UInt32(byte) - 0x30 + 52
    case UInt8(ascii: "+"), UInt8(ascii: "-"): value = 62
    case UInt8(ascii: "/"), UInt8(ascii: "_"): value = 63
    case UInt8(ascii: "="):
      isPadded = true
      continue
    case 0x20, 0x09, 0x0a, 0x0d: continue
    default: return nil
    }
    if isPadded { return nil }
    bits = bits << 6 | value
    count += 1
    if count == 4 {
      bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
      bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
      bytes.append(UInt8(truncatingIfNeeded: bits))
      (bits, count) = (0, 0)
    }
  }
  switch count {
  case 0: break
  case 2: bytes.append(UInt8(truncatingIfNeeded: bits >> 4))
  case 3:
    bytes.append(UInt8(truncatingIfNeeded: bits >> 10))
    bytes.append(UInt8(truncatingIfNeeded: bits >> 2))
  default: return nil
  }
  return bytes
}

/// With padding.
func base64Encoded(_ bytes: some Collection<UInt8>) -> String {
  let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  let digits = UnsafeBufferPointer(start: alphabet.utf8Start, count: 64)
  return String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { text in
    var place = 0
    var bits: UInt32 = 0
    var held = 0
    func put(_ characters: Int) {
      for index in 0..<4 {
        text[place] = index < characters ? digits[Int(bits >> UInt32(18 - 6 * index) & 63)] : UInt8(ascii: "=")
        place += 1
      }
    }
    for byte in bytes {
      bits |= UInt32(byte) << UInt32(16 - 8 * held)
      held += 1
      if held == 3 {
        put(4)
        (bits, held) = (0, 0)
      }
    }
    if held > 0 { put(held + 1) }
    return place
  }
}
