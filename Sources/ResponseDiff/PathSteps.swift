// A path's steps one by one, and what stands for those that look like values: ids, dates, tokens.
// In: the bytes of a target. Out: steps. Owner: whoever walks a path. Bounds: 512 bytes of it are looked at.

/// Walks a path that begins with a slash, as far as its query, fragment or parameters.
struct PathSteps {
  struct Step {
    /// Behind the slash.
    let text: UnsafeBufferPointer<UInt8>
    /// What stands for how many of its first bytes; nil for one that looks like a name.
    let value: (placeholder: StaticString, length: Int)?

    func append(to name: inout [UInt8]) {
      guard let value else {
        name.append(contentsOf: text)
        return
      }
      name.append(
        contentsOf: UnsafeBufferPointer(start: value.placeholder.utf8Start, count: value.placeholder.utf8CodeUnitCount))
      name.append(contentsOf: UnsafeBufferPointer(rebasing: text[value.length...]))
    }
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private let limit: Int
  /// Of the slash before the next step.
  private var position = 0

  init(_ target: UnsafeBufferPointer<UInt8>) {
    bytes = target
    limit = min(target.count, EndpointTemplate.pathLimit)
  }

  /// Once all steps were seen: the path goes on beyond what is looked at.
  var isCut: Bool { position == limit && limit < bytes.count && !Self.endsPath(bytes[limit]) }

  @inline(__always)
  mutating func next() -> Step? {
    guard position < limit, bytes[position] == UInt8(ascii: "/") else { return nil }
    let start = position &+ 1
    var (index, digits, mayBeAddress) = (start, 0, false)
    while index < limit {
      let byte = bytes[index]
      // Letters and what sorts with them neither end a step nor make it a value.
      if byte <= UInt8(ascii: "@") {
        if byte == UInt8(ascii: "/") || Self.endsPath(byte) { break }
        if byte &- 0x30 < 10 {
          digits &+= 1
        } else if byte == UInt8(ascii: "@") || byte == UInt8(ascii: "%") {
          mayBeAddress = true
        }
      }
      index &+= 1
    }
    position = index
    let text = UnsafeBufferPointer(rebasing: bytes[start..<index])
    if digits == 0, !mayBeAddress { return Step(text: text, value: nil) }
    return Step(text: text, value: digits == text.count ? ("{id}", digits) : Self.value(in: text))
  }

  @inline(__always)
  static func endsPath(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";")
  }

  /// What stands for how many of a segment's first bytes; nil for one that looks like a name.
  private static func value(in segment: UnsafeBufferPointer<UInt8>) -> (placeholder: StaticString, length: Int)? {
    if let placeholder = placeholder(for: segment) { return (placeholder, segment.count) }
    // `17.json`: the extension tells endpoints apart, what is before it does not.
    guard let dot = segment.lastIndex(of: UInt8(ascii: ".")), dot > 0, segment.count - dot <= 6,
      segment[(dot + 1)...].allSatisfy({ $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a }),
      let placeholder = placeholder(for: UnsafeBufferPointer(rebasing: segment[..<dot]))
    else { return nil }
    return (placeholder, dot)
  }

  /// What a segment that looks like a value is called; nil for one that looks like a name.
  private static func placeholder(for segment: UnsafeBufferPointer<UInt8>) -> StaticString? {
    var (digits, hex, upper, lower, separators, others) = (0, 0, 0, 0, 0, 0)
    var at: Int?
    for index in 0..<segment.count {
      switch segment[index] {
      case 0x30...0x39: digits &+= 1
      case 0x41...0x46:
        hex &+= 1
        upper &+= 1
      case 0x61...0x66:
        hex &+= 1
        lower &+= 1
      case 0x47...0x5a: upper &+= 1
      case 0x67...0x7a: lower &+= 1
      case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "="), UInt8(ascii: "~"): separators &+= 1
      case UInt8(ascii: "@"): at = index
      case UInt8(ascii: "%") where at == nil && isEscapedAt(segment, index): at = index
      default: others &+= 1
      }
    }
    let count = segment.count
    if digits == count, count > 0 { return "{id}" }
    if let at, at > 0, others > 0, segment[at...].contains(UInt8(ascii: ".")) { return "{email}" }
    if digits == 0 || at != nil { return nil }
    if count == 36, digits + hex == 32, separators == 4, hasDashes(segment, at: [8, 13, 18, 23]) { return "{uuid}" }
    if count >= 10, digits >= 8, separators >= 2, hasDashes(segment, at: [4, 7]), isDate(segment) { return "{date}" }
    if others > 0 { return nil }
    if digits + hex == count, count >= 8 { return "{hex}" }
    let isMixed = upper > 0 && lower > 0
    return count >= 16 && (isMixed || separators == 0) ? "{token}" : nil
  }

  private static func isEscapedAt(_ segment: UnsafeBufferPointer<UInt8>, _ index: Int) -> Bool {
    index + 2 < segment.count && segment[index + 1] == UInt8(ascii: "4") && segment[index + 2] == UInt8(ascii: "0")
  }

  private static func hasDashes(_ segment: UnsafeBufferPointer<UInt8>, at places: [Int]) -> Bool {
    places.allSatisfy { segment[$0] == UInt8(ascii: "-") }
  }

  /// `YYYY-MM-DD`, alone or with a time after `T`.
  private static func isDate(_ segment: UnsafeBufferPointer<UInt8>) -> Bool {
    let figures = [0, 1, 2, 3, 5, 6, 8, 9].allSatisfy { segment[$0] &- 0x30 < 10 }
    return figures && (segment.count == 10 || segment[10] == UInt8(ascii: "T"))
  }
}
