/// How far into encapsulated packets a parser looks.
public enum Decapsulation: Hashable, Sendable {
  /// Tunnels are not entered: a packet in one carries no TCP. Tags and labels of the link (VLAN, MPLS, PPPoE) are passed
  /// over all the same, and an IP address is never looked for behind another.
  case off
  /// Tunnels are entered. At most so many headers that wrap others are read (VLAN tags, label stacks, tunnels); a packet
  /// with more is undecodable.
  case upTo(Int)

  /// Eight headers: more than any network in use nests.
  public static let standard = Decapsulation.upTo(8)
}

/// What a ``PacketParser`` does beside reading headers.
public struct ParsingOptions: Hashable, Sendable {
  public var decapsulation: Decapsulation
  /// Refuse packets whose IPv4 header or TCP checksum is wrong, as their receiver would.
  ///
  /// Off, since checksums of packets captured at their sender, which its interface was still to compute, are wrong
  /// though the packets were right. Checksums of what the snap length cut off are not looked at; those of UDP
  /// tunnels neither (most are 0 by design).
  public var verifiesChecksums: Bool

  public init(decapsulation: Decapsulation = .standard, verifiesChecksums: Bool = false) {
    self.decapsulation = decapsulation
    self.verifiesChecksums = verifiesChecksums
  }
}

/// ``ParsingOptions`` as the parser looks at them.
struct ParsingBounds {
  /// Headers that may wrap a packet.
  let layers: Int32
  let entersTunnels: Bool
  let verifiesChecksums: Bool

  /// Tags and labels that are passed over where tunnels are not entered.
  private static let tagsWithoutTunnels: Int32 = 8

  init(_ options: ParsingOptions) {
    verifiesChecksums = options.verifiesChecksums
    switch options.decapsulation {
    case .off: (entersTunnels, layers) = (false, Self.tagsWithoutTunnels)
    case .upTo(let limit): (entersTunnels, layers) = (true, Int32(clamping: max(0, limit)))
    }
  }
}
