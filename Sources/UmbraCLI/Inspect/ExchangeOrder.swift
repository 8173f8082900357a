// `--sort`: the exchanges that come first under some key. In: exchanges. Out: their text in order. Owner: one command.
// Bounds: the text of twice as many as are shown.

import ArgumentParser
import HTTPModel

/// Which exchanges come first, and the text of those.
struct ExchangeOrder {
  enum Key: String, ExpressibleByArgument, CaseIterable {
    case start, latency, size, status, method, path, host, endpoint
    case requestSize = "request.size"
  }

  /// Exchanges that are kept unless a user asks for more.
  static let defaultLimit = 10_000

  private enum Value: Comparable {
    case number(Int64)
    case text(String)
  }

  private let key: Key
  private let isReversed: Bool
  /// Of the key that is them; nil of others.
  private let names: EndpointNames?
  let limit: Int
  private var entries: [(value: Value, ordinal: Int, text: [UInt8])] = []
  private var count = 0

  init(key: Key, isReversed: Bool, limit: Int, names: EndpointNames?) {
    self.key = key
    self.names = names
    self.isReversed = isReversed
    self.limit = limit
  }

  mutating func add(_ exchange: Exchange, text: () -> [UInt8]) {
    guard limit > 0 else { return }
    let value = value(of: exchange)
    defer { count += 1 }
    // Twice as many as are wanted, then the lesser half goes: a comparison or two for most exchanges.
    if entries.count >= max(2, 2 * limit) { cut() }
    if let bound, !precedes((value, count), bound) { return }
    entries.append((value, count, text()))
  }

  var texts: [[UInt8]] {
    mutating get {
      cut()
      return entries.map(\.text)
    }
  }

  /// The last that is shown, once there are enough.
  private var bound: (Value, Int)?

  private mutating func cut() {
    var sorted = entries
    entries = []
    sorted.sort { precedes(($0.value, $0.ordinal), ($1.value, $1.ordinal)) }
    entries = sorted
    if entries.count >= limit {
      entries.removeLast(entries.count - limit)
      bound = entries.last.map { ($0.value, $0.ordinal) }
    }
  }

  private func precedes(_ a: (Value, Int), _ b: (Value, Int)) -> Bool {
    if a.0 == b.0 { return a.1 < b.1 }
    let isDescending = [.latency, .size, .requestSize, .status].contains(key)
    return isDescending != isReversed ? a.0 > b.0 : a.0 < b.0
  }

  private func value(of exchange: Exchange) -> Value {
    func text(_ bytes: (some Sequence<UInt8>)?) -> Value {
      .text(String(decoding: bytes.map { Array($0) } ?? [], as: UTF8.self))
    }
    switch key {
    case .start: return .number(exchange.start.nanoseconds)
    case .latency: return .number(exchange.latency ?? -1)
    case .size: return .number(Int64(clamping: exchange.response?.body.size ?? 0))
    case .requestSize: return .number(Int64(clamping: exchange.request?.body.size ?? 0))
    case .status: return .number(Int64(exchange.response?.status ?? 0))
    case .method: return text(exchange.request?.method)
    case .path: return text(exchange.request?.target.prefix { $0 != 0x3f })
    case .host: return text(exchange.request?.authority)
    case .endpoint: return .text(names?.name(of: exchange) ?? "")
    }
  }
}
