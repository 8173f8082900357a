// A request's method and target to the endpoint it belongs to: `GET /items/{id}`.
// Owner: a pure function. Bounds: 16 bytes of a method and 512 of a path are looked at.

public import HTTPModel

/// Names the endpoint that a request belongs to.
public enum EndpointTemplate {
  static let methodLimit = 16
  static let pathLimit = 512

  /// `METHOD /path/{id}`: the path without its query, with segments that look like values put in braces.
  ///
  /// `{id}` stands for digits, `{uuid}`, `{date}`, `{email}`, `{hex}` (at least 8 digits of which one is decimal) and
  /// `{token}` (at least 16 characters that no word has) for what their names say; an extension stays.
  public static func name(of request: HTTPRequest) -> String {
    name(method: request.method, target: request.target)
  }

  /// The same for a method and a target in any of RFC 9112's forms (3.2).
  public static func name(method: some Collection<UInt8>, target: some Collection<UInt8>) -> String {
    var name: [UInt8] = []
    write(method: Array(method)[...], target: Array(target)[...], into: &name)
    return String(decoding: name, as: UTF8.self)
  }

  /// Appends the name to a buffer that the caller uses again.
  static func write(method: ArraySlice<UInt8>, target: ArraySlice<UInt8>, into name: inout [UInt8]) {
    name.append(contentsOf: method.prefix(methodLimit))
    name.append(0x20)
    let path = path(of: target)
    guard path.first == UInt8(ascii: "/") else {
      // The asterisk form, or CONNECT's authority.
      name.append(contentsOf: path.prefix(pathLimit))
      return
    }
    path.prefix(pathLimit).withUnsafeBufferPointer { bytes in
      var (start, written) = (0, 0)
      while start < bytes.count {
        var end = start &+ 1
        while end < bytes.count, bytes[end] != UInt8(ascii: "/") { end &+= 1 }
        let segment = UnsafeBufferPointer(rebasing: bytes[start &+ 1..<end])
        if let found = value(in: segment) {
          name.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[written...start]))
          name.append(
            contentsOf: UnsafeBufferPointer(
              start: found.placeholder.utf8Start, count: found.placeholder.utf8CodeUnitCount))
          written = start &+ 1 &+ found.length
        }
        start = end
      }
      name.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[written...]))
    }
    if path.count > pathLimit { name.append(contentsOf: "…".utf8) }
  }

  /// Without scheme, authority, query, fragment and path parameters of the last segment.
  static func path(of target: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var path = target
    if path.first != UInt8(ascii: "/"), let colon = path.firstIndex(of: UInt8(ascii: ":")),
      path[colon...].starts(with: "://".utf8)
    {
      path = path[(colon + 3)...].drop { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
      if path.first != UInt8(ascii: "/") { return [UInt8(ascii: "/")] }
    }
    let length = path.withUnsafeBufferPointer { bytes in
      var length = 0
      while length < bytes.count, !endsPath(bytes[length]) { length &+= 1 }
      return length
    }
    return path[..<(path.startIndex + length)]
  }

  @inline(__always)
  private static func endsPath(_ byte: UInt8) -> Bool {
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
