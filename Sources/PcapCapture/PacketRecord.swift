public import HTTPModel
public import PacketHeaders

/// A captured packet on its way from a source to the decoder.
public struct PacketRecord {
  public var time: Timestamp
  public var linkType: LinkType
  /// The source's number of the interface that saw it, from 0.
  public var interface: Int
  /// Borrowed until the source is asked for the next packet.
  public var bytes: UnsafeRawBufferPointer
  /// More than `bytes.count` where the snap length cut the packet.
  public var lengthOnWire: Int

  @inlinable
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
