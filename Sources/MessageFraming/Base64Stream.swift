// Base64 (RFC 4648, 4) that comes in pieces, padded anywhere: gRPC-Web's text form pads at each flush.
// In: text in pieces. Out: bytes appended. Owner: one body. Bounds: three characters are held.

/// Decodes base64 in pieces of any size; padding ends a group, and another may follow.
public struct Base64Stream: Sendable {
  private var group: UInt32 = 0
  /// Characters of the group so far, padding among them.
  private var count = 0
  private var padding = 0
  /// Something that is not base64 was met. Nothing after it is decoded: its place in a group is not known.
  public private(set) var isInvalid = false

  /// Nothing of a group is open, so that text may end here.
  public var isWhole: Bool { count == 0 && !isInvalid }

  public init() {}

  /// Appends what `text` stands for; line ends and spaces are passed over.
  public mutating func decode(_ text: UnsafeRawBufferPointer, into output: inout [UInt8]) {
    if isInvalid { return }
    output.reserveCapacity(output.count + text.count / 4 * 3 + 3)
    var index = 0
    while index < text.count {
      if count == 0 {
        index = decodeGroups(text, from: index, into: &output)
        if index == text.count { return }
      }
      let byte = text[index]
      index &+= 1
      if byte == 0x20 || byte == 0x0a || byte == 0x0d { continue }
      let value = base64Values[Int(byte)]
      if byte == UInt8(ascii: "="), count >= 2 {
        padding &+= 1
        group <<= 6
      } else if value < 64, padding == 0 {
        group = group << 6 | UInt32(value)
      } else {
        isInvalid = true
        return
      }
      count &+= 1
      guard count == 4 else { continue }
      for place in 0..<3 &- padding { output.append(UInt8(truncatingIfNeeded: group >> UInt32(16 &- 8 &* place))) }
      (group, count, padding) = (0, 0, 0)
    }
  }

  /// Four characters at a time, while all of them stand for something.
  private func decodeGroups(_ text: UnsafeRawBufferPointer, from start: Int, into output: inout [UInt8]) -> Int {
    var index = start
    base64Values.withUnsafeBufferPointer { values in
      while index &+ 4 <= text.count {
        let (a, b) = (values[Int(text[index])], values[Int(text[index &+ 1])])
        let (c, d) = (values[Int(text[index &+ 2])], values[Int(text[index &+ 3])])
        if a | b | c | d >= 64 { return }
        let word = UInt32(a) << 18 | UInt32(b) << 12 | UInt32(c) << 6 | UInt32(d)
        output.append(UInt8(truncatingIfNeeded: word >> 16))
        output.append(UInt8(truncatingIfNeeded: word >> 8))
        output.append(UInt8(truncatingIfNeeded: word))
        index &+= 4
      }
    }
    return index
  }

  /// A whole text, with or without its padding, or nil where it is not base64.
  public static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var stream = Base64Stream()
    var output: [UInt8] = []
    Array(text).withUnsafeBytes { stream.decode($0, into: &output) }
    let missing = stream.count == 0 ? 0 : 4 - stream.count
    if missing == 3 || stream.isInvalid { return nil }
    [UInt8](repeating: UInt8(ascii: "="), count: missing).withUnsafeBytes { stream.decode($0, into: &output) }
    return stream.isWhole ? output : nil
  }
}

/// By character: its six bits, or 255.
private let base64Values: [UInt8] = {
  var values = [UInt8](repeating: 255, count: 256)
  let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  for (value, byte) in alphabet.utf8.enumerated() { values[Int(byte)] = UInt8(value) }
  return values
}()
