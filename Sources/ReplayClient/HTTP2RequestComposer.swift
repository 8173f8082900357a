import HTTPModel
import NIOHPACK

/// Writes a recorded request as a header list of HTTP/2: fields in their order, pseudo-header fields as sent, changed only
/// where the options say so. Of one recorded on HTTP/1 the fields that speak of its connection are left out and Host becomes
/// `:authority` (RFC 9113, 8.2.2 and 8.3.1).
///
/// Confined to the event loop. Values are sent as UTF-8: bytes that are none become U+FFFD.
final class HTTP2RequestComposer {
  private let basePath: String
  private let target: ReplayTarget
  /// What takes the authority's place; nil keeps it.
  private let authority: String?
  private let marker: (name: String, value: String)?

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
  }

  /// - Parameter wasTLS: it was recorded on TLS: its scheme is kept where that is still so.
  func compose(
    _ request: HTTPRequest, wasTLS: Bool, replaced: [(name: [UInt8], value: [UInt8])] = []
  ) -> HPACKHeaders {
    var headers = HPACKHeaders()
    headers.reserveCapacity(request.fields.count + 6)
    if request.version == .http2 {
      addRecordedHead(of: request, keepsScheme: wasTLS == target.isTLS, to: &headers)
    } else {
      addTranslatedHead(of: request, to: &headers)
    }
    addFields(of: request, replaced: replaced, to: &headers)
    if let marker { headers.add(name: marker.name, value: marker.value) }
    return headers
  }

  func trailers(of request: HTTPRequest) -> HPACKHeaders? {
    guard !request.trailers.isEmpty else { return nil }
    var headers = HPACKHeaders()
    for index in request.trailers.ranges.indices {
      headers.add(name: lowercase(request.trailers.name(at: index)), value: text(request.trailers.value(at: index)))
    }
    return headers
  }

  /// Method and path stand in the same bytes as the others, so their places tell the order in which all were sent.
  private func addRecordedHead(of request: HTTPRequest, keepsScheme: Bool, to headers: inout HPACKHeaders) {
    var sent: [(place: UInt32, name: String, value: String)] = []
    sent.reserveCapacity(6)
    sent.append((request.methodRange.lowerBound, ":method", text(request.method)))
    let isPlainConnect = request.method.elementsEqual("CONNECT".utf8) && request.fields.first(":protocol") == nil
    if !isPlainConnect { sent.append((request.targetRange.lowerBound, ":path", path(request.target))) }
    for index in request.fields.ranges.indices where request.fields.isPseudoField(index) {
      let name = text(request.fields.name(at: index))
      var value = text(request.fields.value(at: index))
      if name == ":scheme", !keepsScheme, value == "http" || value == "https" { value = scheme }
      if name == ":authority", let authority { value = authority }
      sent.append((request.fields.ranges[index].nameStart, name, value))
    }
    if !isPlainConnect, !sent.contains(where: { $0.name == ":scheme" }) { sent.append((.max, ":scheme", scheme)) }
    if let authority, !sent.contains(where: { $0.name == ":authority" }) {
      sent.append((.max, ":authority", authority))
    }
    sent.sort { $0.place < $1.place }
    for field in sent {
      headers.add(name: field.name, value: field.value, indexing: field.name == ":path" ? .nonIndexable : .indexable)
    }
  }

  private func addTranslatedHead(of request: HTTPRequest, to headers: inout HPACKHeaders) {
    headers.add(name: ":method", value: text(request.method))
    let recorded = request.authority.map { text($0) }
    let authority = authority ?? recorded ?? target.authority
    if request.method.elementsEqual("CONNECT".utf8) {
      headers.add(name: ":authority", value: authority)
      return
    }
    headers.add(name: ":scheme", value: scheme)
    if !authority.isEmpty { headers.add(name: ":authority", value: authority) }
    headers.add(name: ":path", value: path(originForm(request.target)), indexing: .nonIndexable)
  }

  private var scheme: String { target.isTLS ? "https" : "http" }

  private func path(_ target: ArraySlice<UInt8>) -> String {
    basePath.isEmpty || target.first != UInt8(ascii: "/") ? text(target) : basePath + text(target)
  }

  /// Of an absolute form, what follows the authority (RFC 9112, 3.2).
  private func originForm(_ target: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard target.first != UInt8(ascii: "/"), let found = target.firstRange(of: "://".utf8) else { return target }
    let rest = target[found.upperBound...].drop { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
    if rest.isEmpty { return [UInt8(ascii: "/")] }
    return rest.first == UInt8(ascii: "/") ? rest : [UInt8(ascii: "/")] + rest
  }

  private func addFields(
    of request: HTTPRequest, replaced: [(name: [UInt8], value: [UInt8])], to headers: inout HPACKHeaders
  ) {
    let isHTTP2 = request.version == .http2
    let left = isHTTP2 ? [] : connectionOptions(of: request)
    for index in request.fields.ranges.indices where !request.fields.isPseudoField(index) {
      let name = lowercase(request.fields.name(at: index))
      let value = request.fields.value(at: index)
      if name == "host", !isHTTP2 || authority != nil { continue }
      if !isHTTP2 {
        if HTTP2RequestComposer.connectionFields.contains(name) || left.contains(name) { continue }
        if name == "te", !asciiCaseInsensitiveEqual(value, "trailers".utf8) { continue }
        if name == "cookie" {
          // In pieces each of them can be compressed by itself (RFC 9113, 8.2.3).
          for piece in text(value).split(separator: "; ") { headers.add(name: name, value: String(piece)) }
          continue
        }
      }
      if let change = replaced.first(where: { asciiCaseInsensitiveEqual($0.name, name.utf8) }) {
        headers.add(name: name, value: String(decoding: change.value, as: UTF8.self), indexing: .nonIndexable)
        continue
      }
      headers.add(name: name, value: text(value), indexing: HTTP2RequestComposer.indexing(of: name))
    }
  }

  /// Fields that the Connection field says to concern this connection only (RFC 9110, 7.6.1).
  private func connectionOptions(of request: HTTPRequest) -> Set<String> {
    var names: Set<String> = []
    for index in request.fields.indices(of: "connection") {
      for name in request.fields.value(at: index).split(separator: UInt8(ascii: ",")) {
        names.insert(
          String(text(name).lowercased().drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }))
      }
    }
    names.remove("te")
    return names
  }

  private static let connectionFields: Set<String> = [
    "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "http2-settings",
  ]

  /// What changes with every request fills the table for nothing; what is secret must not stand in it (RFC 7541, 7.1.3).
  private static func indexing(of name: String) -> HPACKIndexing {
    switch name {
    case "authorization", "proxy-authorization": .neverIndexed
    case "content-length", "if-modified-since", "if-none-match", "range": .nonIndexable
    default: .indexable
    }
  }

  private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

  private func lowercase(_ bytes: ArraySlice<UInt8>) -> String {
    bytes.contains { $0 >= 0x41 && $0 <= 0x5a }
      ? String(decoding: bytes.map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 }, as: UTF8.self) : text(bytes)
  }
}
