// One datagram on its way to being whole.
// In: its fragments. Out: its bytes. Owner: DatagramReassembler, which counts what it costs. Bounds: 65,535 octets.

import HTTPModel

struct GatheredDatagram {
  struct Key: Hashable {
    var source: IPAddress
    var destination: IPAddress
    var identification: UInt32
    /// 0 for IPv6, whose fragments are told by the identification alone (RFC 8200, 4.5).
    var protocolNumber: UInt8
    var encapsulation: Encapsulation

    init(_ fragment: IPFragment) {
      source = fragment.source
      destination = fragment.destination
      identification = fragment.identification
      protocolNumber = fragment.source.isIPv6 ? 0 : fragment.protocolNumber
      encapsulation = fragment.encapsulation
    }

    init() {
      source = IPAddress(v4: 0)
      destination = source
      identification = 0
      protocolNumber = 0
      encapsulation = .none
    }
  }

  enum State { case gathering, completed, discarded }

  enum Outcome {
    /// Something of it was new.
    case kept
    /// Some was new, some differed from what was there.
    case disputed
    /// Nothing was new.
    case known
    /// Nothing was new, and some differed.
    case contradicted
    /// The datagram contradicts itself.
    case refused
  }

  /// A range of the payload, and where its captured bytes stand in ``bytes``.
  private struct Piece {
    var offset: UInt16
    var length: UInt16
    var captured: UInt16
    var place: UInt32
    var end: Int { Int(offset) + Int(length) }
  }

  private(set) var key: Key
  private(set) var state = State.gathering
  /// When it began or was completed.
  var since: Int64 = 0
  var previous = -1
  var following = -1
  /// That were kept.
  private(set) var fragments = 0
  private var protocolNumber: UInt8 = 0
  private var depth: Int32 = 0
  private var isDisputed = false
  /// Rising, not overlapping.
  private var pieces: [Piece] = []
  private var bytes: [UInt8] = []
  private var covered = 0
  /// Where the last fragment ends; -1 until it came.
  private var total = -1

  /// A slot that is not in use.
  init() { key = Key() }

  init(key: Key, _ fragment: IPFragment, since: Int64) {
    self.key = key
    self.since = since
    protocolNumber = fragment.protocolNumber
    depth = fragment.depth
  }

  var isComplete: Bool { covered == total }

  /// What counts against ``FragmentLimits/heldBytes``.
  var cost: Int {
    FragmentLimits.overheadPerDatagram + bytes.capacity + pieces.capacity * FragmentLimits.overheadPerFragment
  }

  var datagram: Datagram {
    Datagram(
      source: key.source, destination: key.destination, protocolNumber: protocolNumber,
      encapsulation: key.encapsulation, payloadLengthOnWire: total, isDisputed: isDisputed, depth: depth)
  }

  mutating func empty(as state: State) {
    self.state = state
    fragments = 0
    pieces = []
    bytes = []
  }

  /// - Parameter captured: the fragment's captured bytes, at most its length.
  mutating func take(_ fragment: IPFragment, _ captured: UnsafeRawBufferPointer, limit: Int) -> Outcome {
    let start = fragment.offset
    let end = start + fragment.payloadLengthOnWire
    let furthest = pieces.last?.end ?? 0
    if fragment.hasMore {
      guard total < 0 || end <= total else { return .refused }
    } else {
      guard total < 0 || total == end, furthest <= end else { return .refused }
    }
    if start == 0 { protocolNumber = fragment.protocolNumber }
    let outcome =
      unsafe start >= furthest
      ? insert(start..<end, captured, from: start, at: pieces.count, limit: limit) ? .kept : .refused
      : takeAmong(fragment, start..<end, captured, limit: limit)
    if outcome == .refused { return outcome }
    if !fragment.hasMore { total = end }
    if outcome == .kept || outcome == .disputed { fragments += 1 }
    if outcome == .disputed || outcome == .contradicted { isDisputed = true }
    return outcome
  }

  /// The way of fragments that do not stand behind all others.
  private mutating func takeAmong(
    _ fragment: IPFragment, _ range: Range<Int>, _ captured: UnsafeRawBufferPointer, limit: Int
  ) -> Outcome {
    var index = firstIndex(endingAfter: range.lowerBound)
    if index < pieces.count, Int(pieces[index].offset) < range.upperBound, fragment.source.isIPv6 {
      // RFC 5722 and RFC 8200, 4.5: any overlap but an exact copy.
      let piece = pieces[index]
      guard Int(piece.offset) == range.lowerBound, piece.end == range.upperBound else { return .refused }
      return unsafe agrees(piece, range, captured, from: range.lowerBound) ? .known : .refused
    }
    var position = range.lowerBound
    var isNew = false
    var isSame = true
    while position < range.upperBound {
      var until = range.upperBound
      if index < pieces.count {
        let piece = pieces[index]
        if Int(piece.offset) <= position {
          until = min(until, piece.end)
          if unsafe !agrees(piece, position..<until, captured, from: range.lowerBound) { isSame = false }
          position = until
          index += 1
          continue
        }
        until = min(until, Int(piece.offset))
      }
      guard unsafe insert(position..<until, captured, from: range.lowerBound, at: index, limit: limit) else {
        return .refused
      }
      isNew = true
      index += 1
      position = until
    }
    return isNew ? (isSame ? .kept : .disputed) : (isSame ? .known : .contradicted)
  }

  private func firstIndex(endingAfter offset: Int) -> Int {
    var (low, high) = (0, pieces.count)
    while low < high {
      let middle = (low + high) / 2
      if pieces[middle].end > offset { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// - Parameter start: the offset of `captured`'s first byte.
  private mutating func insert(
    _ range: Range<Int>, _ captured: UnsafeRawBufferPointer, from start: Int, at index: Int, limit: Int
  ) -> Bool {
    guard pieces.count < limit else { return false }
    let from = min(captured.count, range.lowerBound - start)
    let until = min(captured.count, range.upperBound - start)
    pieces.insert(
      Piece(
        offset: UInt16(range.lowerBound), length: UInt16(range.count), captured: UInt16(until - from),
        place: UInt32(bytes.count)), at: index)
    unsafe bytes.append(contentsOf: captured[from..<until])
    covered += range.count
    return true
  }

  /// Whether a fragment's bytes are those of a piece in a range that both cover, as far as both were captured.
  private func agrees(
    _ piece: Piece, _ range: Range<Int>, _ captured: UnsafeRawBufferPointer, from start: Int
  ) -> Bool {
    let end = min(range.upperBound, start + captured.count, Int(piece.offset) + Int(piece.captured))
    guard range.lowerBound < end else { return true }
    let place = Int(piece.place) + range.lowerBound - Int(piece.offset)
    return unsafe bytes[place..<place + end - range.lowerBound]
      .elementsEqual(captured[range.lowerBound - start..<end - start])
  }

  /// Copies the payload up to the first byte that was not captured, and returns its length.
  func copy(to output: UnsafeMutableRawBufferPointer) -> Int {
    var position = 0
    for piece in pieces {
      let place = Int(piece.place)
      unsafe UnsafeMutableRawBufferPointer(rebasing: output[position...])
        .copyBytes(from: bytes[place..<place + Int(piece.captured)])
      position += Int(piece.captured)
      if piece.captured < piece.length { break }
    }
    return position
  }
}
