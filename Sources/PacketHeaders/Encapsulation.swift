// Which tunnels and virtual networks a packet came through.
// In: the identifiers of headers, from the outside in. Out: a value of three words. Bounds: no allocation.

import HTTPModel

/// The virtual network that a packet belongs to: the identifiers of the headers that it was wrapped in.
///
/// Equal addresses in different virtual networks belong to different hosts. What varies within one network is left out:
/// priorities, ports that only spread load, MPLS entropy labels, all labels of a stack but the last. The first two
/// identifiers and the third are kept as they are; of further ones only a checksum.
public struct Encapsulation: Hashable, Sendable {
  /// Of a word: bits 0..<32 the identifier, 32..<40 the ``Kind``, in the third word above that the checksum.
  private var first: UInt64 = 0
  private var second: UInt64 = 0
  private var third: UInt64 = 0

  /// Of a packet that was not wrapped.
  public static let none = Encapsulation()

  @inline(__always) public init() {}

  /// What a header's identifier means. The raw value is never reused.
  public enum Kind: UInt8, CaseIterable, Sendable {
    /// VLAN identifier, IEEE 802.1Q; of tags that follow each other the outer times 4096 plus the inner.
    case vlan = 1
    /// The last label of a stack (RFC 3032): that of the service.
    case mpls = 2
    /// PPPoE session (RFC 2516).
    case pppoe = 3
    /// Key (RFC 2890), or the call of an enhanced GRE header (RFC 2637).
    case gre = 4
    /// ERSPAN session.
    case erspan = 5
    /// VXLAN network identifier (RFC 7348), VXLAN-GPE's too.
    case vxlan = 6
    /// Geneve virtual network identifier (RFC 8926).
    case geneve = 7
    /// GTP-U tunnel endpoint identifier (3GPP TS 29.281). The two directions of a tunnel have different ones.
    case gtp = 8
    /// L2TP: tunnel times 65536 plus session (RFC 2661).
    case l2tp = 9
    /// Network Service Header: service path (RFC 8300).
    case nsh = 10
    /// A tunnel without identifier: the number is made of its two ends, and the same for both directions.
    case tunnel = 11
  }

  /// Whether the packet was not wrapped at all, or only in headers without identifiers.
  @inline(__always) public var isEmpty: Bool { first == 0 }

  /// The kinds and identifiers, from the outside in; at most three.
  public var layers: [(kind: Kind, identifier: UInt32)] {
    [first, second, third].compactMap { word in
      Kind(rawValue: UInt8(truncatingIfNeeded: word >> 32)).map { ($0, UInt32(truncatingIfNeeded: word)) }
    }
  }

  /// A number for comparing: 0 where ``isEmpty``, else with near certainty another for another encapsulation.
  @inline(__always) public var fingerprint: UInt32 {
    if first == 0 { return 0 }
    var mixed = first &* 0x9e37_79b9_7f4a_7c15
    mixed = (mixed ^ mixed >> 29 ^ second) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 29 ^ third) &* 0x94d0_49bb_1331_11eb
    return UInt32(truncatingIfNeeded: mixed >> 32) | 1
  }

  /// Adds the identifier of a header within the others.
  public mutating func append(_ kind: Kind, _ identifier: UInt32) {
    let word = UInt64(kind.rawValue) << 32 | UInt64(identifier)
    if first == 0 {
      first = word
    } else if second == 0 {
      second = word
    } else if third == 0 {
      third = word
    } else {
      let checksum = ((third >> 40 &+ word) &* 0x9e37_79b9_7f4a_7c15) >> 40
      third = third & 0xff_ffff_ffff | checksum << 40
    }
  }

  /// Adds a VLAN tag: to the tag around it, where that is the last header.
  mutating func append(vlan identifier: UInt16) {
    func isTag(_ word: UInt64) -> Bool { word >> 20 == UInt64(Kind.vlan.rawValue) << 12 }
    func joined(_ word: UInt64) -> UInt64 { word & ~0xffff_ffff | (word & 0xf_ffff) << 12 | UInt64(identifier) }
    switch (isTag(first), isTag(second), isTag(third)) {
    case (_, _, true): third = joined(third)
    case (_, true, _) where third == 0: second = joined(second)
    case (true, _, _) where second == 0: first = joined(first)
    default: append(.vlan, UInt32(identifier))
    }
  }

  /// Adds a tunnel that is told from others by its two ends only.
  mutating func append(tunnelBetween a: IPAddress, and b: IPAddress) {
    func half(_ address: IPAddress) -> UInt64 {
      let mixed = (address.low ^ address.high &* 0xbf58_476d_1ce4_e5b9) &* 0x9e37_79b9_7f4a_7c15
      return mixed ^ mixed >> 32
    }
    append(.tunnel, UInt32(truncatingIfNeeded: (half(a) &+ half(b)) >> 16))
  }
}

extension Encapsulation: CustomStringConvertible {
  /// `vlan 42/vxlan 5001`; empty where ``isEmpty``.
  public var description: String {
    layers.map { kind, identifier in
      switch kind {
      case .tunnel: "tunnel"
      case .vlan where identifier >= 1 << 12:
        "vlan "
          + [identifier >> 24, identifier >> 12 & 0xfff, identifier & 0xfff].drop { $0 == 0 }.map(String.init)
          .joined(separator: ".")
      case .l2tp: "l2tp \(identifier >> 16).\(identifier & 0xffff)"
      default: "\(kind) \(identifier)"
      }
    }.joined(separator: "/")
  }
}
