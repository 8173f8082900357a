// A captured packet to the TCP segment in it.
//
// In: one packet's captured bytes and its length on the wire. Out: a PacketContent. Owner: anyone, it holds no state.
// Bounds: time linear in the packet's length, no allocation; no input traps.
//
// A packet is a stack of layers. The parser is one loop over it: each step reads one layer's header at the cursor, moves
// the cursor behind it, and names the layer that follows, or ends with what was found. A further encapsulation is a
// further layer and a further step. It ends because each step but the last moves the cursor forward, and each header
// that wraps a packet is counted.

import HTTPModel

/// Reads packets of one link type down to TCP.
public struct PacketParser: Sendable {
  public let linkType: LinkType
  public let options: ParsingOptions
  /// nil where the link type is not one that is read.
  private let outermost: Layer?
  private let bounds: ParsingBounds

  public init(linkType: LinkType, options: ParsingOptions = ParsingOptions()) {
    self.linkType = linkType
    self.options = options
    outermost = Layer(linkType)
    bounds = ParsingBounds(options)
  }

  /// Reads a packet's headers.
  ///
  /// - Parameters:
  ///   - packet: the captured bytes, borrowed until return.
  ///   - lengthOnWire: the packet's length when it was sent; less than captured counts as captured.
  /// - Returns: ranges are offsets into `packet`. What an IP datagram's own length leaves over (Ethernet's padding, a
  ///   frame check sequence) is no payload.
  public func parse(_ packet: borrowing RawSpan, lengthOnWire: Int) -> PacketContent {
    guard let outermost else { return .undecodable(.linkTypeUnknown) }
    var cursor = Cursor(end: max(lengthOnWire, packet.byteCount), bounds)
    return Self.read(packet, from: outermost, &cursor)
  }

  /// The fragment in a packet that is one. Reads the packet anew: with the fragment in ``PacketContent`` every segment
  /// would be moved about at three times the cost.
  public func fragment(_ packet: borrowing RawSpan, lengthOnWire: Int) -> IPFragment? {
    guard let outermost else { return nil }
    var cursor = Cursor(end: max(lengthOnWire, packet.byteCount), bounds)
    let content = Self.read(packet, from: outermost, &cursor)
    return content == .fragment ? cursor.fragment(packet) : nil
  }

  /// Reads on in a datagram that was put together from fragments.
  ///
  /// - Parameter payload: the datagram's captured octets, from behind its IP header or IPv6 fragment header.
  public func parse(_ datagram: Datagram, payload: borrowing RawSpan) -> PacketContent {
    var cursor = Cursor(datagram, payload, bounds)
    return Self.read(datagram, payload, &cursor)
  }

  /// The fragment in a datagram that carries one.
  public func fragment(_ datagram: Datagram, payload: borrowing RawSpan) -> IPFragment? {
    var cursor = Cursor(datagram, payload, bounds)
    return Self.read(datagram, payload, &cursor) == .fragment ? cursor.fragment(payload) : nil
  }

  private static func read(
    _ datagram: Datagram, _ payload: borrowing RawSpan, _ cursor: inout Cursor
  ) -> PacketContent {
    let step =
      datagram.source.isIPv6
      ? cursor.extensionHeaders(from: datagram.protocolNumber, payload)
      : cursor.carried(datagram.protocolNumber, payload)
    guard case .next(let layer) = step else { return end(step) }
    return read(payload, from: layer, &cursor)
  }

  @inline(__always)
  private static func read(_ packet: borrowing RawSpan, from outermost: Layer, _ cursor: inout Cursor) -> PacketContent
  {
    var layer = outermost
    while true {
      let step: Step
      switch layer {
      case .ethernet: step = cursor.ethernet(packet)
      case .ipv4: step = cursor.ipv4(packet)
      case .ipv6: step = cursor.ipv6(packet)
      case .tcp: return cursor.tcp(packet)
      default: step = cursor.read(layer, packet)
      }
      guard case .next(let following) = step else { return end(step) }
      layer = following
    }
  }

  @inline(__always)
  private static func end(_ step: Step) -> PacketContent {
    switch step {
    case .fragment: .fragment
    case .fault(let fault): .undecodable(fault)
    case .notTCP, .next: .notTCP
    }
  }
}

/// What stands at the cursor.
enum Layer {
  case ethernet
  case ipv4, ipv6
  case tcp
  /// IPv4 or IPv6, by the version nibble.
  case ip
  case linuxCooked, linuxCooked2, null, loop, nflog, arcnet
  case radiotap, perPacketInformation, wireless
  /// The two octets of tag control information and the two of the type behind them.
  case vlanTag
  /// IEEE 802.2, where a frame has a length instead of a type.
  case llc
  case mpls, pppoe, ppp, ciscoHDLCOrPPP
  case gre, erspan2, erspan3, etherIP
  case udp, vxlan, vxlanGPE, geneve, gtp, l2tp, teredo, nsh

  init?(_ linkType: LinkType) {
    switch linkType {
    case .ethernet: self = .ethernet
    case .linuxCooked: self = .linuxCooked
    case .linuxCooked2: self = .linuxCooked2
    case .null: self = .null
    case .loop: self = .loop
    case .raw, .rawDLT12, .rawDLT14: self = .ip
    case .ipv4: self = .ipv4
    case .ipv6: self = .ipv6
    case .ppp: self = .ppp
    case .pppHDLC, .ciscoHDLC: self = .ciscoHDLCOrPPP
    case .pppoe: self = .pppoe
    case .mpls: self = .mpls
    case .nflog: self = .nflog
    case .linuxARCNET: self = .arcnet
    case .radiotap: self = .radiotap
    case .perPacketInformation: self = .perPacketInformation
    case .wireless: self = .wireless
    default: return nil
    }
  }
}

/// What reading one header came to.
enum Step {
  case next(Layer)
  /// The cursor stands at the IPv4 header, or at IPv6's fragment header.
  case fragment
  case notTCP
  case fault(PacketFault)
}

extension Cursor {
  /// The layers that most packets do not have.
  @inline(never)
  mutating func read(_ layer: Layer, _ packet: borrowing RawSpan) -> Step {
    switch layer {
    case .ethernet: ethernet(packet)
    case .ipv4: ipv4(packet)
    case .ipv6: ipv6(packet)
    case .ip: ip(packet)
    case .linuxCooked: linuxCooked(packet)
    case .linuxCooked2: linuxCooked2(packet)
    case .null: addressFamily(packet, isNetworkOrder: false)
    case .loop: addressFamily(packet, isNetworkOrder: true)
    case .nflog: nflog(packet)
    case .arcnet: arcnet(packet)
    case .radiotap: radiotap(packet)
    case .perPacketInformation: perPacketInformation(packet)
    case .wireless: wireless(packet)
    case .vlanTag: vlanTag(packet)
    case .llc: llc(packet)
    case .mpls: mpls(packet)
    case .pppoe: pppoe(packet)
    case .ppp: ppp(packet)
    case .ciscoHDLCOrPPP: ciscoHDLCOrPPP(packet)
    case .gre: gre(packet)
    case .erspan2: erspan2(packet)
    case .erspan3: erspan3(packet)
    case .etherIP: etherIP(packet)
    case .udp: udp(packet)
    case .vxlan: vxlan(packet)
    case .vxlanGPE: vxlanGPE(packet)
    case .geneve: geneve(packet)
    case .gtp: gtp(packet)
    case .l2tp: l2tp(packet)
    case .teredo: teredo(packet)
    case .nsh: nsh(packet)
    case .tcp: .next(.tcp)
    }
  }
}
