// What a connection that was joined in its middle brings before it is known what is spoken there.
//
// In: bytes, gaps and ends of both directions. Out: a verdict, and all of it again, in order. Owner: Conversation.
// Bounds: `limit` bytes; then it is decided without proof.

import HTTP2Decoding
import HTTPModel
import TCPReassembly

final class UndecidedStreams {
  /// What a direction brought.
  struct Item {
    var direction: StreamDirection
    var content: WaitingItem.Content
    var origin: MessageOrigin
  }

  private(set) var items: [Item] = []
  private(set) var heldBytes = 0
  /// Those of them that are the streams' own.
  private(set) var payloadBytes = 0
  private var searches: [HTTP2Recognition]
  private let limits: HTTP2Limits

  private static let limit = 96 << 10

  init(limits: HTTP2Limits) {
    self.limits = limits
    searches = StreamDirection.allCases.map { _ in HTTP2Recognition(limits: limits) }
  }

  /// HTTP/2 is spoken: frames were proven in one of the directions. Nil while that is open.
  func add(_ bytes: UnsafeRawBufferPointer, _ direction: StreamDirection, _ origin: MessageOrigin) -> Bool? {
    keep(.bytes(Array(bytes)), direction, origin, cost: bytes.count)
    payloadBytes += bytes.count
    let verdict = searches[HTTP2Side(direction).rawValue].add(bytes)
    if verdict == .yes { return true }
    if heldBytes > Self.limit || searches.allSatisfy({ $0.verdict == .no }) { return false }
    return nil
  }

  /// `length` bytes were never captured: what comes after them has to be proven anew.
  func addGap(_ length: UInt64, _ anomaly: Anomaly, _ direction: StreamDirection, _ origin: MessageOrigin) {
    keep(.gap(length, anomaly), direction, origin, cost: WaitingItem.overhead)
    if searches[HTTP2Side(direction).rawValue].verdict == .needsMore {
      searches[HTTP2Side(direction).rawValue] = HTTP2Recognition(limits: limits)
    }
  }

  func addEnd(_ end: StreamEnd, _ direction: StreamDirection, at time: Timestamp) {
    let origin = MessageOrigin(offset: 0, acknowledged: nil, time: time)
    keep(.end(end), direction, origin, cost: WaitingItem.overhead)
  }

  /// Who is the client, where a header block told.
  var client: StreamDirection? {
    for direction in StreamDirection.allCases {
      if let isClient = searches[HTTP2Side(direction).rawValue].senderIsClient {
        return isClient ? direction : direction.opposite
      }
    }
    return nil
  }

  private func keep(
    _ content: WaitingItem.Content, _ direction: StreamDirection, _ origin: MessageOrigin, cost: Int
  ) {
    items.append(Item(direction: direction, content: content, origin: origin))
    heldBytes += cost
  }
}
