import HTTPModel
import NIOHPACK

/// Writes a recorded request as a header list of HTTP/2: fields in their order, pseudo-header fields as sent, changed only
/// where the options say so. Of one recorded on HTTP/1 the fields that speak of its connection are left out and Host becomes
/// `:authority` (RFC 9113, 8.2.2 and 8.3.1).
///
/// Confined to the event loop. Values are sent as UTF-8: bytes that are none become U+FFFD. A field whose name is not ASCII
/// is left out: in HTTP/2 it would make the whole request malformed.
final class HTTP2RequestComposer {
  private let basePath: String
  private let target: ReplayTarget
  /// What takes the authority's place; nil keeps it.
  private let authority: String?
  private let marker: (name: String, value: String)?
  /// `@exclusivity(unchecked)`: no access lasts longer than one of its calls.
  @exclusivity(unchecked) private var sent: SentFields
  private let method: FieldName

  init(options: ReplayOptions, target: ReplayTarget) {
    self.target = target
    basePath = target.basePath
    authority =
      switch options.host {
      case .recorded: nil
      case .target: target.authority
      case .name(let name): name
      }
    marker = options.marker.map { ($0.name.lowercased(), $0.value) }
    var sent = SentFields()
    method = sent.name(":method")
    self.sent = sent
  }

  /// - Parameters:
  ///   - wasTLS: it was recorded on TLS: its scheme is kept where that is still so.
  ///   - indexed: of the connection that it goes on.
  func compose(
    _ request: HTTPRequest, wasTLS: Bool, replaced: [(name: [UInt8], value: [UInt8])] = [], indexed: inout IndexedFields
  ) -> HPACKHeaders {
    var headers = HPACKHeaders()
    headers.reserveCapacity(request.fields.count + 6)
    if request.version == .http2 {
      addRecordedHead(of: request, keepsScheme: wasTLS == target.isTLS, &indexed, to: &headers)
    } else {
      addTranslatedHead(of: request, &indexed, to: &headers)
    }
    addFields(of: request, replaced: replaced, &indexed, to: &headers)
    if let marker { headers.add(name: marker.name, value: marker.value) }
    return headers
  }

  func trailers(of request: HTTPRequest, indexed: inout IndexedFields) -> HPACKHeaders? {
    guard !request.trailers.isEmpty else { return nil }
    var headers = HPACKHeaders()
    request.trailers.storage.withUnsafeBytes { bytes in
      for range in request.trailers.ranges {
        let name = sent.name(bytes.part(range.nameStart, range.nameEnd))
        add(name, bytes.part(range.valueStart, range.valueEnd), &indexed, to: &headers)
      }
    }
    return headers
  }

  /// Method and path stand in the same bytes as the others, so their places tell the order in which all were sent.
  private func addRecordedHead(
    of request: HTTPRequest, keepsScheme: Bool, _ indexed: inout IndexedFields, to headers: inout HPACKHeaders
  ) {
    let isPlainConnect = isConnect(request) && request.fields.first(":protocol") == nil
    var own = OwnFields(of: request, hasPath: !isPlainConnect)
    var (hasScheme, hasAuthority) = (isPlainConnect, authority == nil)
    request.fields.storage.withUnsafeBytes { bytes in
      for range in request.fields.ranges {
        let spelling = bytes.part(range.nameStart, range.nameEnd)
        guard spelling.first == UInt8(ascii: ":") else { continue }
        while let next = own.next(before: range.nameStart) { add(next, of: request, bytes, &indexed, to: &headers) }
        let name = sent.name(spelling)
        let value = bytes.part(range.valueStart, range.valueEnd)
        if name.role == .scheme {
          hasScheme = true
          if !keepsScheme, value.elementsEqual("http".utf8) || value.elementsEqual("https".utf8) {
            headers.add(name: name.text, value: targetScheme)
            continue
          }
        } else if let authority, name.role == .authority {
          hasAuthority = true
          headers.add(name: name.text, value: authority)
          continue
        }
        add(name, value, &indexed, to: &headers)
      }
      while let next = own.next(before: .max) { add(next, of: request, bytes, &indexed, to: &headers) }
    }
    if !hasScheme { headers.add(name: ":scheme", value: targetScheme) }
    if !hasAuthority, let authority { headers.add(name: ":authority", value: authority) }
  }

  /// The two pseudo-header fields that are no fields of a recorded request, in the order in which they were sent.
  private struct OwnFields {
    enum Field { case method, path }

    private var first: Field?
    private var second: Field?
    private let places: (UInt32, UInt32)

    init(of request: HTTPRequest, hasPath: Bool) {
      let (method, path) = (request.methodRange.lowerBound, request.targetRange.lowerBound)
      places = method <= path || !hasPath ? (method, path) : (path, method)
      first = method <= path || !hasPath ? .method : .path
      second = !hasPath ? nil : first == .method ? .path : .method
    }

    /// What was sent before the field at this place, and did not come yet.
    mutating func next(before place: UInt32) -> Field? {
      if first != nil { return places.0 < place ? first.take() : nil }
      return places.1 < place ? second.take() : nil
    }
  }

  private func add(
    _ field: OwnFields.Field, of request: HTTPRequest, _ bytes: UnsafeRawBufferPointer, _ indexed: inout IndexedFields,
    to headers: inout HPACKHeaders
  ) {
    switch field {
    case .method:
      add(method, bytes.part(request.methodRange.lowerBound, request.methodRange.upperBound), &indexed, to: &headers)
    case .path: addPath(bytes.part(request.targetRange.lowerBound, request.targetRange.upperBound), to: &headers)
    }
  }

  private func addTranslatedHead(
    of request: HTTPRequest, _ indexed: inout IndexedFields, to headers: inout HPACKHeaders
  ) {
    request.method.withUnsafeBytes { add(method, $0, &indexed, to: &headers) }
    let recorded = request.authority.map { $0.withUnsafeBytes(SentFields.text) }
    let authority = authority ?? recorded ?? target.authority
    if isConnect(request) {
      headers.add(name: ":authority", value: authority)
      return
    }
    headers.add(name: ":scheme", value: targetScheme)
    if !authority.isEmpty { headers.add(name: ":authority", value: authority) }
    originForm(request.target).withUnsafeBytes { addPath($0, to: &headers) }
  }

  private func isConnect(_ request: HTTPRequest) -> Bool {
    request.methodRange.count == 7 && request.method.elementsEqual("CONNECT".utf8)
  }

  private var targetScheme: String { target.isTLS ? "https" : "http" }

  private func addPath(_ target: UnsafeRawBufferPointer, to headers: inout HPACKHeaders) {
    var value = SentFields.text(target)
    if !basePath.isEmpty, target.first == UInt8(ascii: "/") { value = basePath + value }
    headers.add(name: ":path", value: value, indexing: .nonIndexable)
  }

  /// Of an absolute form, what follows the authority (RFC 9112, 3.2).
  private func originForm(_ target: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard target.first != UInt8(ascii: "/"), let found = target.firstRange(of: "://".utf8) else { return target }
    let rest = target[found.upperBound...].drop { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
    if rest.isEmpty { return [UInt8(ascii: "/")] }
    return rest.first == UInt8(ascii: "/") ? rest : [UInt8(ascii: "/")] + rest
  }

  private func addFields(
    of request: HTTPRequest, replaced: [(name: [UInt8], value: [UInt8])], _ indexed: inout IndexedFields,
    to headers: inout HPACKHeaders
  ) {
    let isHTTP2 = request.version == .http2
    let left = isHTTP2 ? [] : connectionOptions(of: request)
    request.fields.storage.withUnsafeBytes { bytes in
      for range in request.fields.ranges {
        let spelling = bytes.part(range.nameStart, range.nameEnd)
        if spelling.first == UInt8(ascii: ":") { continue }
        let name = sent.name(spelling)
        let value = bytes.part(range.valueStart, range.valueEnd)
        if name.role == .host, !isHTTP2 || authority != nil { continue }
        if !isHTTP2 {
          if name.role == .connection || !left.isEmpty && left.contains(name.text) { continue }
          if name.role == .te, !value.elementsEqual("trailers".utf8, by: { $0 | 0x20 == $1 }) { continue }
          if name.role == .cookie {
            addCookies(value, name, &indexed, to: &headers)
            continue
          }
        }
        if !replaced.isEmpty, name.role != .unsendable,
          let change = replaced.first(where: { asciiCaseInsensitiveEqual($0.name, name.text.utf8) })
        {
          headers.add(name: name.text, value: change.value.withUnsafeBytes(SentFields.text), indexing: .nonIndexable)
          continue
        }
        add(name, value, &indexed, to: &headers)
      }
    }
  }

  /// In pieces each of them can be compressed by itself (RFC 9113, 8.2.3).
  private func addCookies(
    _ value: UnsafeRawBufferPointer, _ name: FieldName, _ indexed: inout IndexedFields, to headers: inout HPACKHeaders
  ) {
    var rest = value[...]
    while let end = rest.firstRange(of: "; ".utf8) {
      if end.lowerBound > rest.startIndex {
        add(name, UnsafeRawBufferPointer(rebasing: rest[..<end.lowerBound]), &indexed, to: &headers)
      }
      rest = rest[end.upperBound...]
    }
    if !rest.isEmpty { add(name, UnsafeRawBufferPointer(rebasing: rest), &indexed, to: &headers) }
  }

  /// What changes with every request fills the table for nothing; what is secret must not stand in it (RFC 7541, 7.1.3).
  private func add(
    _ name: FieldName, _ value: UnsafeRawBufferPointer, _ indexed: inout IndexedFields, to headers: inout HPACKHeaders
  ) {
    switch name.role {
    case .secret: headers.add(name: name.text, value: SentFields.text(value), indexing: .neverIndexed)
    case .unsendable: break
    case .changing: headers.add(name: name.text, value: SentFields.text(value), indexing: .nonIndexable)
    case .ordinary, .scheme, .authority, .host, .cookie, .te, .connection:
      let (text, hash) = sent.value(value, of: name)
      headers.add(
        name: name.text, value: text, indexing: indexed.isIndexed(name, hash) ? .indexable : .nonIndexable)
    }
  }

  /// Fields that the Connection field says to concern this connection only (RFC 9110, 7.6.1).
  private func connectionOptions(of request: HTTPRequest) -> Set<String> {
    var names: Set<String> = []
    for index in request.fields.indices(of: "connection") {
      for name in request.fields.value(at: index).split(separator: UInt8(ascii: ",")) {
        names.insert(
          String(
            name.withUnsafeBytes(SentFields.text).lowercased().drop { $0 == " " || $0 == "\t" }
              .prefix { $0 != " " && $0 != "\t" }))
      }
    }
    names.remove("te")
    return names
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func part(_ start: UInt32, _ end: UInt32) -> UnsafeRawBufferPointer {
    precondition(start <= end && end <= count)
    return UnsafeRawBufferPointer(rebasing: self[Int(start)..<Int(end)])
  }
}
