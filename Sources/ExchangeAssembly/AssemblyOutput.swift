// What all conversations of one assembler write to: finished exchanges, counts, and the bytes held in unfinished bodies.

import HTTPModel

struct AssemblyOutput {
  var ledger = Ledger()
  private(set) var heldBytes = 0
  private let heldLimit: Int
  private var finished: [Exchange] = []
  /// Those of ``finished`` that are being handed out, the next one last, so that taking one moves it.
  private var ready: [Exchange] = []

  init(heldLimit: Int) { self.heldLimit = heldLimit }

  /// Adds body bytes, kept as far as the body's and the common limit allow.
  mutating func append(_ part: UnsafeRawBufferPointer, to body: inout HTTPBody, _ open: inout OpenBody) {
    if heldBytes >= heldLimit { open.stopKeeping(body) }
    let before = body.bytes.count
    open.append(part, to: &body)
    heldBytes += body.bytes.count - before
  }

  mutating func hold(_ bytes: Int) { heldBytes += bytes }
  mutating func release(_ bytes: Int) { heldBytes -= bytes }
  var mayHold: Bool { heldBytes < heldLimit }

  /// Takes an exchange to which nothing will be added, and counts it.
  mutating func finish(_ exchange: consuming Exchange) {
    var isWhole = true
    if let body = exchange.request?.body {
      isWhole = body.isWhole
      heldBytes -= body.bytes.count
    }
    if let body = exchange.response?.body {
      isWhole = isWhole && body.isWhole
      heldBytes -= body.bytes.count
    }
    if !isWhole { exchange.anomalies.insert(.bodyIncomplete) }
    switch (exchange.request != nil, exchange.response != nil) {
    case (false, _): ledger[.responsesWithoutRequest] += 1
    case (true, false):
      exchange.anomalies.insert(.http1RequestWithoutResponse)
      ledger[.requestsWithoutResponse] += 1
    case (true, true): ledger[isWhole ? .exchangesComplete : .exchangesIncomplete] += 1
    }
    finished.append(exchange)
  }

  mutating func next() -> Exchange? {
    if ready.isEmpty {
      if finished.isEmpty { return nil }
      if finished.count == 1 { return finished.removeLast() }
      swap(&ready, &finished)
      ready.reverse()
    }
    return ready.removeLast()
  }
}
