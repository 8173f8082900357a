// Purpose: finds frame boundaries in a direction that was joined in its middle, or after a gap, and proves them.
// Input -> output: bytes in pieces -> the place of a frame header from which a chain of frames follows.
// Owner: HTTP2FrameDecoder, HTTP2Recognition. Bounds: the window is twice `limit` bytes; 32 chains.
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

    /// The place up to which bytes must be there for the next step.
    var due: Int { isVerified ? next + HTTP2FrameHeader.size : next }
  }

  /// A frame further back than this is passed over even if it is proven.
  let limit: Int
  var context = FrameContext()
  /// The bytes from `base` on; at least the last `limit` ones.
  private(set) var window: [UInt8] = []
  private(set) var base = 0
  /// Places below were looked at.
  private var scanned = 0
  private var chains: [Chain] = []

  private static let maxChains = 32

  init(limit: Int) { self.limit = max(limit, 1024) }

  var end: Int { base + window.count }

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

  /// Lets go of bytes that no proof will give back.
  /// - Returns: bytes dropped.
  mutating func shrink() -> Int {
    guard window.count > limit * 2 else { return 0 }
    let count = window.count - limit
    window.removeFirst(count)
    base += count
    return count
  }

  /// The stream has ended: a chain that spans all of it needs less proof.
  func atEnd() -> Int? {
    for chain in chains where chain.start == 0 && chain.next == end && end <= limit {
      let bits = chain.bits + (chain.isVerified ? 0 : chain.headerBits)
      if bits >= 38 { return chain.start }
    }
    return nil
  }

  /// Goes through the bytes in the order of their places, so that how they were cut into calls makes no difference.
  private mutating func advance() -> Int? {
    while true {
      let place = chains.lazy.map(\.due).min() ?? .max
      // A new chain may be due before the others.
      if begin(upTo: min(place, end) - HTTP2FrameHeader.size) { continue }
      guard place <= end else { return nil }
      if let found = extend(at: place) { return found }
    }
  }

  /// Looks for the next beginning of a chain up to `last`.
  private mutating func begin(upTo last: Int) -> Bool {
    guard scanned <= last else { return false }
    let context = context
    let first = scanned - base
    let found = window.withUnsafeBytes { window -> (Int, HTTP2FrameHeader, Int)? in
      for index in first...(last - base) {
        guard let (header, bits) = FramePlausibility.header(window.baseAddress! + index, context) else { continue }
        return (index, header, bits)
      }
      return nil
    }
    guard let (index, header, bits) = found else {
      scanned = last + 1
      return false
    }
    scanned = base + index + 1
    add(
      Chain(
        start: base + index, head: base + index, next: base + index + HTTP2FrameHeader.size + Int(header.length),
        header: header, headerBits: bits))
    return true
  }

  /// Where there are too many, the one from the search's first byte and those with the most evidence stay.
  private mutating func add(_ chain: Chain) {
    guard chains.count == Self.maxChains else {
      chains.append(chain)
      return
    }
    func strength(_ index: Int) -> Int { chains[index].bits + chains[index].headerBits }
    if let weakest = chains.indices.dropFirst().min(by: { strength($0) < strength($1) }),
      strength(weakest) < chain.headerBits
    {
      chains[weakest] = chain
    }
  }

  /// Goes on with the chains that are due at `place`.
  private mutating func extend(at place: Int) -> Int? {
    var index = 0
    while index < chains.count {
      guard chains[index].due == place else {
        index += 1
        continue
      }
      guard extend(index, at: place) else {
        chains.remove(at: index)
        continue
      }
      if let found = proven(chains[index], at: place) { return found }
      index += 1
    }
    return nil
  }

  /// False where the chain cannot be one.
  private mutating func extend(_ index: Int, at place: Int) -> Bool {
    var chain = chains[index]
    guard chain.isVerified else {
      var payloadBits = 0
      if chain.head >= place - limit {
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
    let context = context
    let read = window.withUnsafeBytes { FramePlausibility.header($0.baseAddress! + (chain.next - base), context) }
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
  private func proven(_ chain: Chain, at place: Int) -> Int? {
    guard chain.isVerified else { return nil }
    let isProven =
      chain.start == 0
      ? chain.bits >= 48 && (chain.hasControl || chain.count >= 2)
      : chain.hasControl ? chain.count >= 2 && chain.bits >= 100 : chain.count >= 4 && chain.bits >= 140
    guard isProven else { return nil }
    let oldest = place - limit
    return chain.start >= oldest ? chain.start : chain.head >= oldest ? chain.head : chain.next
  }
}
