// Purpose: finds frame boundaries in a direction that was joined in its middle, or after a gap, and proves them.
// Input -> output: bytes in pieces -> the place of a frame header from which a chain of frames follows.
// Owner: HTTP2FrameDecoder, HTTP2Recognition. Bounds: the window is `limit` bytes; 32 chains.
//
//   window   ........[header|payload][header|payload][hea
//                    ^ start         ^ head          ^ next   one chain; others begin at other plausible places
//
// Each place is looked at once as a chain's beginning. A chain dies at a header or payload that cannot be one. Where
// it is long enough, and its evidence too (FramePlausibility), it is the truth: data that looks like a chain of frames
// is held for one only where it is one, as in a capture of HTTP/2 that is itself sent over HTTP/2.

struct FrameBoundarySearch: Sendable {
  private struct Chain {
    /// Counted from the search's first byte, as all places here.
    var start: Int
    /// The header that was read last, and the end of its payload.
    var head: Int
    var next: Int
    var header: HTTP2FrameHeader
    var headerBits: Int
    /// Of the frames before it.
    var bits = 0
    var count = 0
    var hasControl = false
    /// Its payload was looked at.
    var isVerified = false
  }

  let limit: Int
  var context = FrameContext()
  /// The bytes from `base` on.
  private(set) var window: [UInt8] = []
  private(set) var base = 0
  /// Places below were looked at.
  private var scanned = 0
  private var chains: [Chain] = []

  private static let maxChains = 32

  init(limit: Int) { self.limit = max(limit, 1024) }

  var end: Int { base + window.count }
  /// Nothing that was seen could be a frame so far.
  var isHopeless: Bool { chains.isEmpty }

  /// Takes bytes; adds no more than a few hundred at a time, so that little is held beyond a proof.
  /// - Returns: how many were taken, and the place of the first frame where it is proven.
  mutating func take(_ bytes: UnsafeRawBufferPointer) -> (taken: Int, found: Int?) {
    var taken = 0
    while taken < bytes.count {
      let step = min(512, bytes.count - taken)
      window.append(contentsOf: bytes[taken..<(taken + step)])
      taken += step
      if let found = advance() { return (taken, found) }
    }
    return (taken, nil)
  }

  /// Where the window is over its limit, drops its older half.
  /// - Returns: bytes dropped.
  mutating func shrink() -> Int {
    guard window.count > limit else { return 0 }
    let count = window.count - limit / 2
    window.removeFirst(count)
    base += count
    return count
  }

  /// The stream has ended: a chain that spans all of it needs less proof.
  func atEnd() -> Int? {
    for chain in chains where chain.start == 0 && chain.next == end && chain.start >= base {
      let bits = chain.bits + (chain.isVerified ? 0 : chain.headerBits)
      if bits >= 38 { return chain.start }
    }
    return nil
  }

  private mutating func advance() -> Int? {
    while true {
      // Chains that end here go on before new ones begin, so that the earliest proof wins.
      if let found = extend() { return found }
      guard scanned + HTTP2FrameHeader.size <= end else { return nil }
      let stop = min(end - HTTP2FrameHeader.size + 1, nearestNext ?? .max)
      begin(upTo: max(stop, scanned + 1))
    }
  }

  /// The closest place at which a chain is to be looked at again, beyond what was scanned.
  private var nearestNext: Int? { chains.lazy.map(\.next).filter { $0 > scanned }.min() }

  private mutating func begin(upTo stop: Int) {
    let context = context
    let first = scanned - base
    let last = stop - base
    scanned = stop
    var found: [(Int, HTTP2FrameHeader, Int)] = []
    window.withUnsafeBytes { window in
      for index in first..<last {
        guard let (header, bits) = FramePlausibility.header(window.baseAddress! + index, context) else { continue }
        found.append((index, header, bits))
      }
    }
    for (index, header, bits) in found {
      let place = base + index
      let chain = Chain(
        start: place, head: place, next: place + HTTP2FrameHeader.size + Int(header.length), header: header,
        headerBits: bits)
      if chains.count < Self.maxChains {
        chains.append(chain)
      } else if let weakest = chains.indices.dropFirst().min(by: { strength($0) < strength($1) }),
        strength(weakest) < bits
      {
        chains[weakest] = chain
      }
    }
  }

  private func strength(_ index: Int) -> Int { chains[index].bits + chains[index].headerBits }

  /// Goes on with chains whose payload is complete.
  private mutating func extend() -> Int? {
    var index = 0
    while index < chains.count {
      guard extend(at: index) else {
        chains.remove(at: index)
        continue
      }
      if let place = proven(chains[index]) { return place }
      // The next header may be there already.
      if chains[index].next + HTTP2FrameHeader.size > end || !chains[index].isVerified { index += 1 }
    }
    return nil
  }

  /// False where the chain cannot be one.
  private mutating func extend(at index: Int) -> Bool {
    var chain = chains[index]
    if !chain.isVerified {
      guard chain.next <= end else { return true }
      var payloadBits = 0
      if chain.head >= base {
        let payload = (chain.head + HTTP2FrameHeader.size - base)..<(chain.next - base)
        let bits = window.withUnsafeBytes {
          FramePlausibility.payload(UnsafeRawBufferPointer(rebasing: $0[payload]), of: chain.header)
        }
        guard let bits else { return false }
        payloadBits = bits
      }
      chain.isVerified = true
      chain.bits += chain.headerBits + payloadBits
      chain.count += 1
      if chain.header.type != .data { chain.hasControl = true }
      chains[index] = chain
      return true
    }
    guard chain.next + HTTP2FrameHeader.size <= end else { return true }
    guard chain.next >= base else { return false }
    let place = chain.next - base
    let context = context
    let read = window.withUnsafeBytes { FramePlausibility.header($0.baseAddress! + place, context) }
    guard let (header, bits) = read, follows(header, chain.header) else { return false }
    chain.head = chain.next
    chain.next += HTTP2FrameHeader.size + Int(header.length)
    chain.header = header
    chain.headerBits = bits
    chain.isVerified = false
    chains[index] = chain
    return true
  }

  /// RFC 9113, 6.10: a block without END_HEADERS is followed by its continuation, and nothing else is.
  private func follows(_ header: HTTP2FrameHeader, _ previous: HTTP2FrameHeader) -> Bool {
    let continues = header.type == .continuation
    switch previous.type {
    case .headers, .pushPromise, .continuation:
      let isOpen = !previous.flags.contains(.endHeaders)
      return isOpen == continues && (!continues || header.stream == previous.stream)
    default: return !continues
    }
  }

  /// The search's first byte is mostly the first of a segment, and senders mostly begin segments with frames: a chain
  /// from there needs less proof than one from anywhere else.
  private func proven(_ chain: Chain) -> Int? {
    guard chain.isVerified else { return nil }
    let isProven =
      chain.start == 0
      ? chain.bits >= 48 && (chain.hasControl || chain.count >= 2)
      : chain.hasControl ? chain.count >= 2 && chain.bits >= 100 : chain.count >= 4 && chain.bits >= 140
    guard isProven else { return nil }
    if chain.start >= base { return chain.start }
    return chain.head >= base ? chain.head : chain.next
  }
}
