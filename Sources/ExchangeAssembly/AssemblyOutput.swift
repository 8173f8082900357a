// What all conversations of one assembler write to: finished exchanges, counts, and the bytes held in unfinished bodies.

import HTTP1Decoding
import HTTPModel
import TLSDecryption

struct AssemblyOutput {
  var ledger = Ledger()
  private(set) var heldBytes = 0
  private let heldLimit: Int
  /// What is known of TLS connections' secrets; looked at only where ``readsTLS``.
  var keys = KeyLog()
  let readsTLS: Bool
  /// What whole connections have shown; nil where nothing is to be assumed.
  var headerTables: ShownHeaderTables?
  /// Set where a connection came to wait for secrets, or for its other direction.
  var somethingWaits = false
  /// TLS connections that could not be read, by the server's name and why.
  private(set) var unreadable: [UnreadableTLS: UInt64] = [:]
  private static let unreadableLimit = 1000
  /// Where exchanges are put together.
  let store = ExchangeStore()
  /// What decoders tell their steps in.
  var parts = HTTP1Parts()
  private let finished = FinishedExchanges()
  /// Whole requests are told before their answers come.
  var tellsRequests = false
  private var requests: [Exchange] = []

  init(limits: AssemblyLimits) {
    heldLimit = limits.heldBytes
    readsTLS = limits.readsTLS
    headerTables = limits.assumesHeaderTables ? ShownHeaderTables() : nil
  }

  mutating func countUnreadable(_ serverName: String?, _ reason: String) {
    ledger[.connectionsEncrypted] += 1
    let key = UnreadableTLS(serverName: serverName, reason: reason)
    guard unreadable[key] != nil || unreadable.count < Self.unreadableLimit else { return }
    unreadable[key, default: 0] += 1
  }

  /// Adds body bytes, kept as far as the body's and the common limit allow.
  mutating func append(_ part: UnsafeRawBufferPointer, to body: inout HTTPBody, _ open: inout OpenBody) {
    if heldBytes >= heldLimit { open.stopKeeping(body) }
    let before = body.bytes.count
    open.append(part, to: &body)
    heldBytes += body.bytes.count - before
  }

  /// Tells a request that is whole, where that is wanted.
  mutating func tellRequest(_ place: ExchangePlace) { requests.append(place.pointee.exchange) }

  mutating func takeRequests() -> [Exchange] {
    if requests.isEmpty { return [] }
    defer { requests = [] }
    return requests
  }

  mutating func hold(_ bytes: Int) { heldBytes += bytes }
  mutating func release(_ bytes: Int) { heldBytes -= bytes }
  var mayHold: Bool { heldBytes < heldLimit }

  /// Takes an exchange to which nothing will be added, with its place, and counts it.
  mutating func finish(_ place: ExchangePlace) {
    let hasRequest = place.pointee.exchange.request != nil
    let hasResponse = place.pointee.exchange.response != nil
    var isWhole = true
    if hasRequest { account(for: place.pointee.exchange.request!.body, &isWhole) }
    if hasResponse { account(for: place.pointee.exchange.response!.body, &isWhole) }
    place.pointee.recording?.tell(&place.pointee.exchange)
    if !isWhole { place.pointee.exchange.anomalies.insert(.bodyIncomplete) }
    if !hasRequest {
      ledger[.responsesWithoutRequest] += 1
    } else if !hasResponse {
      place.pointee.exchange.anomalies.insert(.http1RequestWithoutResponse)
      ledger[.requestsWithoutResponse] += 1
    } else {
      ledger[isWhole ? .exchangesComplete : .exchangesIncomplete] += 1
    }
    finished.append(place)
  }

  private mutating func account(for body: borrowing HTTPBody, _ isWhole: inout Bool) {
    heldBytes -= body.bytes.count
    if !body.isWhole { isWhole = false }
  }

  /// Puts the next finished exchange, in the order of their ends, in the place of `exchange`, whose arrays are used again.
  /// - Returns: false where there is none.
  func next(into exchange: inout Exchange) -> Bool {
    guard let place = finished.removeFirst() else { return false }
    swap(&place.pointee.exchange, &exchange)
    store.put(place)
    return true
  }
}

/// First in, first out. Its variables are not checked for overlapping accesses: looked at after every packet, and no
/// method here calls another.
private final class FinishedExchanges {
  @exclusivity(unchecked) private var places: [ExchangePlace] = []
  @exclusivity(unchecked) private var taken = 0

  deinit { for place in places[taken...] { ExchangeStore.free(place) } }

  func append(_ place: ExchangePlace) { places.append(place) }

  func removeFirst() -> ExchangePlace? {
    guard taken < places.count else { return nil }
    defer {
      taken += 1
      if taken == places.count {
        places.removeAll(keepingCapacity: true)
        taken = 0
      }
    }
    return places[taken]
  }
}
