// The memory in which exchanges are put together.
//
// An exchange stands still from its first byte until it is handed on: whoever works on it holds its place, and nothing
// of it is moved or copied. Places and the arrays in them are used again, so that in the steady state of a capture
// an exchange costs no allocation. Owner: AssemblyOutput. Bounds: `spareLimit` places are kept, with what
// HTTPRequest.reuse and HTTPResponse.reuse keep of the messages in them.

import HTTPModel

typealias ExchangePlace = UnsafeMutablePointer<PendingExchange>

/// Hands out places. Each is put back, handed on through ``AssemblyOutput/finish(_:)``, or freed by who holds it.
final class ExchangeStore {
  /// Not checked for overlapping accesses: no method here calls another that touches it.
  @exclusivity(unchecked) private var spare: [ExchangePlace] = []
  private static let spareLimit = 32

  deinit { for place in spare { Self.free(place) } }

  func take() -> ExchangePlace {
    if let place = spare.popLast() { return place }
    let place = ExchangePlace.allocate(capacity: 1)
    place.initialize(to: PendingExchange())
    return place
  }

  func put(_ place: ExchangePlace) {
    guard spare.count < Self.spareLimit else { return Self.free(place) }
    place.pointee.clear()
    spare.append(place)
  }

  static func free(_ place: ExchangePlace) {
    place.deinitialize(count: 1)
    place.deallocate()
  }
}
