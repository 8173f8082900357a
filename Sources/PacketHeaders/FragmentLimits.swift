/// What a ``DatagramReassembler`` may hold, and how long it waits.
public struct FragmentLimits: Hashable, Sendable {
  /// Datagrams of which fragments are missing. Over it, the oldest is given up.
  public var datagrams = 4096
  /// Memory of all fragments that wait, bytes, with ``overheadPerDatagram`` and ``overheadPerFragment`` for each.
  /// Over it, the oldest datagrams are given up.
  public var heldBytes = 16 << 20
  /// Fragments of one datagram, which bounds the cost of each; with more the datagram is discarded. An MTU of 576 octets
  /// makes 120 of the largest datagram.
  public var fragmentsPerDatagram = 1024
  /// Nanoseconds of packet time from a datagram's first fragment to its last.
  ///
  /// RFC 791 and 8200 let receivers wait 15 to 60 s for paths of another age. Here the danger is the other one: a
  /// sender of many fragments uses each of the 65,536 identifications again within a second or two, and the parts of two
  /// datagrams are taken for one (RFC 4963).
  public var timeout: Int64 = 5_000_000_000
  /// A fragment of a datagram that was completed less than so many nanoseconds ago is a copy, as a capture of several
  /// interfaces has; after that its identification is taken to be used again.
  public var duplicateWindow: Int64 = 20_000_000

  public static let overheadPerDatagram = 256
  public static let overheadPerFragment = 32

  public init() {}

  var clamped: FragmentLimits {
    var limits = self
    limits.datagrams = min(max(1, datagrams), 1 << 24)
    limits.heldBytes = max(0, heldBytes)
    limits.fragmentsPerDatagram = min(max(1, fragmentsPerDatagram), 8192)
    limits.timeout = max(1, timeout)
    limits.duplicateWindow = min(max(0, duplicateWindow), limits.timeout)
    return limits
  }
}

/// What became of fragments. Cumulative but for ``pending`` and ``heldBytes``.
///
/// At any time `fragments` is the sum of `reassembled`, `duplicate`, `invalid`, `discarded`, `expired`, `evicted` and
/// `pending`.
public struct FragmentStatistics: Hashable, Sendable {
  public var fragments: UInt64 = 0
  /// In datagrams that were completed.
  public var reassembled: UInt64 = 0
  /// Of which nothing was new.
  public var duplicate: UInt64 = 0
  /// Empty, not a multiple of 8 octets before the end, or beyond the largest datagram.
  public var invalid: UInt64 = 0
  /// Of datagrams that contradict themselves: IPv6 fragments that overlap (RFC 5722), two ends, or too many fragments.
  public var discarded: UInt64 = 0
  /// Of datagrams that were not completed in time, or before the capture's end.
  public var expired: UInt64 = 0
  /// Of datagrams that were given up at a limit.
  public var evicted: UInt64 = 0
  /// Wait now.
  public var pending: UInt64 = 0

  public var datagrams: UInt64 = 0
  public var datagramsDiscarded: UInt64 = 0
  public var datagramsExpired: UInt64 = 0
  public var datagramsEvicted: UInt64 = 0
  /// IPv4 fragments that carried other bytes than those that came before.
  public var overlapMismatches: UInt64 = 0
  /// Against ``FragmentLimits/heldBytes``.
  public var heldBytes: Int = 0

  /// Fragments that never became part of a datagram and were no copies.
  public var lost: UInt64 { invalid &+ discarded &+ expired &+ evicted }

  public init() {}
}
