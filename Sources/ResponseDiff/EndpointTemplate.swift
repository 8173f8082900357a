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
  ///
  /// - Parameter values: the steps, by their bits, that stand for values although they look like names.
  static func write(
    method: ArraySlice<UInt8>, target: ArraySlice<UInt8>, values: UInt64 = 0, into name: inout [UInt8]
  ) {
    name.append(contentsOf: method.prefix(methodLimit))
    name.append(0x20)
    let path = path(of: target)
    guard path.first == UInt8(ascii: "/") else {
      // The asterisk form, or CONNECT's authority.
      name.append(contentsOf: path.prefix(pathLimit))
      return
    }
    path.withUnsafeBufferPointer { path in
      var steps = PathSteps(path)
      var number = 0
      while let step = steps.next() {
        name.append(UInt8(ascii: "/"))
        if number < UInt64.bitWidth, values &>> UInt64(number) & 1 == 1 {
          name.append(contentsOf: "{name}".utf8)
        } else {
          step.append(to: &name)
        }
        number += 1
      }
      if steps.isCut { name.append(contentsOf: "…".utf8) }
    }
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
      while length < bytes.count, !PathSteps.endsPath(bytes[length]) { length &+= 1 }
      return length
    }
    return path[..<(path.startIndex + length)]
  }
}
