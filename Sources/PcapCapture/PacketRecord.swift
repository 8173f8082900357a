public import HTTPModel
public import PacketHeaders

/// A packet as its source handed it over.
public struct PacketRecord {
  /// When it was captured. A simple packet block of pcapng has no time: it gets that of the packet before it.
  public var time: Timestamp
  public var linkType: LinkType
  /// Live: the kernel's interface index. Saved: which of the file's interfaces, from 0, counted through its sections.
  public var interface: Int
  /// The captured bytes, borrowed: valid until the source is asked for the next packet.
  public var bytes: UnsafeRawBufferPointer
  /// The packet's length when it was sent; more than `bytes.count` where the snap length cut it. A saved capture may
  /// claim less than it holds.
  public var lengthOnWire: Int

  public init(
    time: Timestamp, linkType: LinkType, interface: Int = 0, bytes: UnsafeRawBufferPointer, lengthOnWire: Int
  ) {
    self.time = time
    self.linkType = linkType
    self.interface = interface
    self.bytes = bytes
    self.lengthOnWire = lengthOnWire
  }
}
