// The same content under each coding, compressed by other programs: Python's gzip and zlib, the zstd tool, Node's
// zlib for br.

enum Vectors {
  static let content = Array(String(repeating: "umbra sees what the wire says. ", count: 4).utf8) + Array(0..<32)

  static let gzip = hex(
    "1f8b08000000000002032bcd4d2a4a54284e4d2d5628cf482c5128c9485528cf2c4a55284eac2cd65328a5a534032313330b2b1b3b"
      + "072717370f2f1fbf80a090b088a898b884a494b48cac9c3c009078ce039c000000")
  static let zlib = hex(
    "78da2bcd4d2a4a54284e4d2d5628cf482c5128c9485528cf2c4a55284eac2cd65328a5a534032313330b2b1b3b072717370f2f1fbf"
      + "80a090b088a898b884a494b48cac9c3c009f4e2e75")
  static let raw = hex(
    "2bcd4d2a4a54284e4d2d5628cf482c5128c9485528cf2c4a55284eac2cd65328a5a534032313330b2b1b3b072717370f2f1fbf80a0"
      + "90b088a898b884a494b48cac9c3c00")
  static let zstd = hex(
    "28b52ffd249c3d0200f403756d6272612073656573207768617420746865207769726520736179732e20000102030405060708090a"
      + "0b0c0d0e0f101112131415161718191a1b1c1d1e1f0100ab9894138eea548d")
  static let brotli = hex(
    "1b9b00e815a1d2413796ea73555830587ec436441481005b5360e5a2b46edba54004c37ecc49f48b2abe48630e")

  static func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}
