public import HTTPModel
import ReplaySchedule

/// One of several equal shares of a session's connections, so that several processes replay it together.
///
/// A connection's share follows from who talked to whom, by a keyed hash: every process comes to the same result,
/// whatever it reads and in whatever order. The shares are equal in the mean, not exactly.
public struct ReplayShard: Hashable, Sendable {
  /// From 1.
  public let index: UInt32
  public let count: UInt32

  /// - Precondition: the index is from 1 to the count.
  public init(_ index: UInt32, of count: UInt32) {
    precondition((1...max(1, count)).contains(index) && count > 0, "a shard is one of its count")
    (self.index, self.count) = (index, count)
  }

  public static let whole = ReplayShard(1, of: 1)

  /// Whether the connection of this exchange belongs to the share.
  public func contains(_ exchange: borrowing Exchange) -> Bool {
    count == 1 || share(client: exchange.client, server: exchange.server, connection: exchange.id.connection) == index
  }

  private func share(client: TransportAddress, server: TransportAddress, connection: UInt32) -> UInt32 {
    var hash = ReplayShard.key
    for end in [client, server] {
      hash = SplitMix64.mixed(hash ^ end.address.high)
      hash = SplitMix64.mixed(hash ^ end.address.low)
      hash = SplitMix64.mixed(hash ^ UInt64(end.port) ^ (end.address.isIPv6 ? 1 << 32 : 0))
    }
    // What was imported has no client's port: then its number within the session is all that tells connections apart.
    if client.port == 0 { hash = SplitMix64.mixed(hash ^ UInt64(connection)) }
    return UInt32(hash.multipliedFullWidth(by: UInt64(count)).high) + 1
  }

  private static let key: UInt64 = 0x756d_6272_6120_7331
}
