// One entry of a HAR file. In: its JSON. Out: an exchange. Owner: HARReader, for a call. Bounds: the entry.

import ContentTree
import HTTPModel

struct HAREntry {
  enum Problem: Error {
    /// data:, blob:, chrome-extension: and the like.
    case otherScheme
    case missing(String)
  }

  let entry: JSONValue
  let bodyLimit: Int
  var notes = ConversionNotes()
  /// What tells its connection from others of the file; nil where nothing does.
  private(set) var connection: String?
  /// Where the file was written by umbra.
  private(set) var ownIdentifier: ExchangeID?

  init(_ entry: JSONValue, bodyLimit: Int) {
    self.entry = entry
    self.bodyLimit = bodyLimit
  }

  mutating func exchange() throws(Problem) -> Exchange {
    guard let request = entry["request"] else { throw .missing("the entry has no request") }
    guard let text = request["url"]?.string else { throw .missing("the request has no url") }
    let url: RequestURL
    do throws(RequestURL.Problem) { url = try RequestURL(text) } catch {
      if error == .otherScheme { throw .otherScheme }
      throw .missing("'\(text.prefix(80))' is no absolute URL")
    }
    guard let started = entry["startedDateTime"]?.string, let start = Timestamp(dateText: started) else {
      throw .missing("startedDateTime is missing or no date")
    }
    var exchange = Exchange()
    let times = times(from: start)
    let version = version(request, entry["response"])
    exchange.isTLS = url.isTLS
    let method = request["method"]?.bytes ?? Array("GET".utf8)
    exchange.request = self.request(request, method, url, version, times.request)
    if let response = entry["response"], let status = response["status"]?.integer, (100...999).contains(status) {
      exchange.response = self.response(
        response, UInt16(status), version, isHead: method.elementsEqual("HEAD".utf8), times.response)
    } else {
      // Chromium writes 0 for a request that was blocked or given up.
      exchange.anomalies.insert(.http1RequestWithoutResponse)
    }
    let address = entry["serverIPAddress"]?.string?.trimmingBrackets
    exchange.server = TransportAddress(address: address.flatMap { IPAddress($0) } ?? IPAddress(v4: 0), port: url.port)
    // Firefox writes the port where Chromium writes the socket's number: together with both ends it tells enough.
    if let socket = entry["connection"]?.string, !socket.isEmpty, socket != String(url.port) {
      connection = "\(socket) \(address ?? "") \(url.authority)"
    }
    readMessages(into: &exchange, at: start)
    readOwn(into: &exchange)
    if let cache = entry["_fromCache"], cache.kind == .string { notes.add(.entriesFromCache) }
    return exchange
  }

  private mutating func version(_ request: JSONValue, _ response: JSONValue?) -> HTTPVersion {
    let names = [response?["httpVersion"]?.string, request["httpVersion"]?.string].compactMap { $0?.lowercased() }
    for name in names {
      switch name {
      case "h2", "http/2", "http/2.0", "h2c": return .http2
      case "h3", "http/3", "http/3.0", "quic", "http/2+quic/99":
        notes.add(.http3AsHTTP2)
        return .http2
      case "http/1.0": return .http10
      case "http/1.1": return .http11
      default: continue
      }
    }
    return .http11
  }

  // MARK: Times

  /// A HAR's times are milliseconds, -1 where one does not apply; `ssl` is part of `connect`.
  private func times(from start: Timestamp) -> (request: MessageTiming, response: MessageTiming) {
    let timings = entry["timings"]
    func nanoseconds(_ name: StaticString) -> Int64? {
      guard let value = timings?[name]?.number, value >= 0, value < 9e12 else { return nil }
      return Int64((value * 1e6).rounded())
    }
    let before = (nanoseconds("blocked") ?? 0) + (nanoseconds("dns") ?? 0) + (nanoseconds("connect") ?? 0)
    let total = entry["time"]?.number.flatMap { $0 >= 0 && $0 < 9e12 ? Int64(($0 * 1e6).rounded()) : nil }
    let sent = start.advanced(byNanoseconds: before)
    let sentEnd = sent.advanced(byNanoseconds: nanoseconds("send") ?? 0)
    // Where only the whole is known, it is the answer's.
    let wait = nanoseconds("wait") ?? max(0, (total ?? 0) - before)
    let first = sentEnd.advanced(byNanoseconds: wait)
    let last = first.advanced(byNanoseconds: nanoseconds("receive") ?? 0)
    return (
      MessageTiming(start: sent, headEnd: sent, end: sentEnd), MessageTiming(start: first, headEnd: first, end: last)
    )
  }

  // MARK: What only umbra writes

  private mutating func readOwn(into exchange: inout Exchange) {
    guard let own = entry["_umbra"] else { return }
    if let text = own["id"]?.string, let id = ExchangeID(text) {
      ownIdentifier = id
    }
    if let client = own["client"]?.string.flatMap({ TransportAddress($0) }) { exchange.client = client }
    if let server = own["server"]?.string.flatMap({ TransportAddress($0) }) { exchange.server = server }
    if let stream = own["stream"]?.integer { exchange.stream = UInt32(exactly: stream) }
    if let names = own["anomalies"]?.elements.compactMap(\.string) {
      exchange.anomalies = AnomalySet()
      for anomaly in Anomaly.allCases where names.contains(anomaly.identifier) { exchange.anomalies.insert(anomaly) }
    }
    if let size = own["request_size"]?.integer, exchange.request != nil { exchange.request!.body.lack(upTo: size) }
    if let size = own["response_size"]?.integer, exchange.response != nil { exchange.response!.body.lack(upTo: size) }
  }
}
