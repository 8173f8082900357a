// What all conversations of one assembler write to: finished exchanges, counts, and the bytes held in unfinished bodies.

import HTTPModel

struct AssemblyOutput {
  var ledger = Ledger()
  private(set) var heldBytes = 0
  private let heldLimit: Int
  private var finished: [Exchange] = []
  private var taken = 0

  init(heldLimit: Int) { self.heldLimit = heldLimit }

  /// Adds body bytes, kept as far as the body's and the common limit allow.
  mutating func append(_ part: UnsafeRawBufferPointer, to body: inout BodyBuilder) {
    if heldBytes >= heldLimit { body.stopKeeping() }
    let before = body.bytes.count
    body.append(part)
    heldBytes += body.bytes.count - before
  }

  mutating func hold(_ bytes: Int) { heldBytes += bytes }
  mutating func release(_ bytes: Int) { heldBytes -= bytes }
  var mayHold: Bool { heldBytes < heldLimit }

  mutating func finish(_ exchange: Exchange) {
    heldBytes -= (exchange.request?.body.bytes.count ?? 0) + (exchange.response?.body.bytes.count ?? 0)
    finished.append(exchange)
  }

  mutating func next() -> Exchange? {
    guard taken < finished.count else { return nil }
    let exchange = finished[taken]
    taken += 1
    if taken == finished.count {
      finished.removeAll(keepingCapacity: true)
      taken = 0
    }
    return exchange
  }
}
