// A captured packet to the TCP segment in it.
//
// In: one packet's captured bytes and its length on the wire. Out: a PacketContent. Owner: anyone, it holds no state.
// Bounds: time linear in the packet's length, no allocation; no input traps.
//
// A packet is a stack of layers. The parser is one loop over it: each step reads one layer's header at the cursor, moves
// the cursor behind it, and names the layer that follows, or ends with what was found. A further encapsulation is a
// further layer and a further step. It ends because each step but the last moves the cursor forward.

/// Reads packets of one link type down to TCP.
public struct PacketParser: Sendable {
  public let linkType: LinkType
  /// nil where the link type is not one that is read.
  private let outermost: Layer?

  public init(linkType: LinkType) {
    self.linkType = linkType
    outermost = Layer(linkType)
  }

  /// Reads a packet's headers.
  ///
  /// - Parameters:
  ///   - packet: the captured bytes, borrowed until return.
  ///   - lengthOnWire: the packet's length when it was sent; less than captured counts as captured.
  /// - Returns: ranges are offsets into `packet`. What an IP datagram's own length leaves over (Ethernet's padding, a
  ///   frame check sequence) is no payload.
  public func parse(_ packet: borrowing RawSpan, lengthOnWire: Int) -> PacketContent {
    guard var layer = outermost else { return .undecodable(.linkTypeUnknown) }
    var cursor = Cursor(end: max(lengthOnWire, packet.byteCount))
    while true {
      let step: Step
      switch layer {
      case .ethernet: step = cursor.ethernet(packet)
      case .linuxCooked: step = cursor.linuxCooked(packet)
      case .linuxCooked2: step = cursor.linuxCooked2(packet)
      case .null: step = cursor.addressFamily(packet, isNetworkOrder: false)
      case .loop: step = cursor.addressFamily(packet, isNetworkOrder: true)
      case .vlanTag: step = cursor.vlanTag(packet)
      case .ip: step = cursor.ip(packet)
      case .ipv4: step = cursor.ipv4(packet)
      case .ipv6: step = cursor.ipv6(packet)
      case .tcp: return cursor.tcp(packet)
      }
      switch step {
      case .next(let following): layer = following
      case .fragment: return .fragment
      case .notTCP: return .notTCP
      case .fault(let fault): return .undecodable(fault)
      }
    }
  }
}

/// What stands at the cursor.
enum Layer {
  case ethernet, linuxCooked, linuxCooked2, null, loop
  /// The two octets of tag control information and the two of the type behind them.
  case vlanTag
  /// IPv4 or IPv6, by the version nibble.
  case ip
  case ipv4, ipv6
  case tcp

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
    default: return nil
    }
  }
}

/// What reading one header came to.
enum Step {
  case next(Layer)
  case fragment
  case notTCP
  case fault(PacketFault)
}
