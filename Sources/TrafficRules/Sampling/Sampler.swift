// Which exchanges are in the sample: a share of them, evenly spread and the same ones each time.
//
// In: an exchange. Out: in or out. Owner: one lane of a capture. Bounds: constant memory.

public import HTTPModel

/// Draws a sample without chance.
///
/// By request the error of the share is carried on: of n requests, share times n are in, give or take one, however few
/// they are. Otherwise a hash of what belongs together decides: a connection, a user's header, a session's cookie is in
/// or out as a whole, in every capture that has the same seed.
public struct Sampler: Sendable {
  private let rule: SampleRule
  /// In billionths.
  private let share: UInt64
  private var carried: UInt64 = 0
  private let seed: UInt64

  public init(_ rule: SampleRule) {
    self.rule = rule
    share = UInt64((min(max(rule.share, 0), 1) * 1e9).rounded())
    seed = Sampler.hash(Array(rule.seed.utf8)[...], 0xcbf2_9ce4_8422_2325)
  }

  /// Whether an exchange is in the sample. Without the header or cookie that decides, its connection does.
  public mutating func takes(_ exchange: borrowing Exchange) -> Bool {
    switch rule.unit {
    case .request:
      carried += share
      guard carried >= 1_000_000_000 else { return false }
      carried -= 1_000_000_000
      return true
    case .connection: return isIn(connectionHash(exchange))
    case .header(let name):
      guard let value = exchange.request?.fields.first(named: name) else { return isIn(connectionHash(exchange)) }
      return isIn(Sampler.hash(value, seed))
    case .cookie(let name):
      guard let value = exchange.request?.fields.cookie(named: name) else { return isIn(connectionHash(exchange)) }
      return isIn(Sampler.hash(value, seed))
    }
  }

  private func isIn(_ hash: UInt64) -> Bool {
    // Mixed to the last bit (MurmurHash3's finalizer), then the share of the range that is in.
    var mixed = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
    mixed = (mixed ^ mixed >> 33) &* 0xc4ce_b9fe_1a85_ec53
    mixed ^= mixed >> 33
    return mixed.multipliedFullWidth(by: 1_000_000_000).high < share
  }

  private func connectionHash(_ exchange: borrowing Exchange) -> UInt64 {
    var hash = seed
    for end in [exchange.client, exchange.server] {
      for word in [end.address.high, end.address.low, UInt64(end.port)] {
        hash = (hash ^ word) &* 0x0000_0100_0000_01b3
        hash ^= hash >> 32
      }
    }
    return hash
  }

  /// FNV-1a.
  private static func hash(_ bytes: ArraySlice<UInt8>, _ start: UInt64) -> UInt64 {
    bytes.reduce(start) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
  }
}

extension HeaderFields {
  /// The value of the first cookie with this name (RFC 6265, 4.2).
  func cookie(named name: String) -> ArraySlice<UInt8>? {
    for index in ranges.indices where matches(index, "cookie") {
      for pair in value(at: index).split(separator: 0x3b) {
        let pair = pair.drop { $0 == 0x20 || $0 == 0x09 }
        guard let mark = pair.firstIndex(of: 0x3d), pair[..<mark].elementsEqual(name.utf8) else { continue }
        return pair[(mark + 1)...]
      }
    }
    return nil
  }
}
