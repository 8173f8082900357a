/// How a live capture is opened.
public struct LiveCaptureOptions: Sendable {
  /// An interface's name, or `any` for all of them.
  public var interface: String
  /// Bytes kept of each packet. Segmentation offload hands over up to 64 KB in one piece, so less may cut bodies.
  public var snapLength: Int
  /// Bytes of the kernel's ring of packets that wait to be read.
  public var bufferBytes: Int
  /// Whether packets that are not for this host are wanted.
  public var promiscuous: Bool
  /// Milliseconds that the kernel may gather packets for one batch, and that a read waits at most.
  public var timeoutMilliseconds: Int
  /// Server ports; empty means all. See ``CaptureFilter``.
  public var ports: [ClosedRange<UInt16>]
  /// A pcap-filter(7) expression, ANDed with the ports.
  public var filter: String?
  /// Captures of one interface with one group's number share its packets, each connection's going to one of them.
  /// nil: this capture gets all packets.
  public var fanoutGroup: UInt16?

  public init(
    interface: String, snapLength: Int = 262_144, bufferBytes: Int = 64 << 20, promiscuous: Bool = false,
    timeoutMilliseconds: Int = 100, ports: [ClosedRange<UInt16>] = [], filter: String? = nil,
    fanoutGroup: UInt16? = nil
  ) {
    self.interface = interface
    self.snapLength = snapLength
    self.bufferBytes = bufferBytes
    self.promiscuous = promiscuous
    self.timeoutMilliseconds = timeoutMilliseconds
    self.ports = ports
    self.filter = filter
    self.fanoutGroup = fanoutGroup
  }
}

/// What became of the packets that passed the filter, from the capture's start.
public struct LiveCaptureStatistics: Hashable, Sendable {
  /// Those that were dropped for want of room included.
  public var received: UInt64 = 0
  /// Dropped because the ring was full.
  public var kernelDrops: UInt64 = 0
  /// Dropped by the interface or its driver.
  public var interfaceDrops: UInt64 = 0

  public init() {}
}

/// Widens a 32-bit counter that may wrap between two looks at it.
struct WideningCounter {
  private var last: UInt32 = 0
  private(set) var total: UInt64 = 0

  mutating func update(_ value: UInt32) {
    total &+= UInt64(value &- last)
    last = value
  }
}
