// Packets of an interface, through libpcap and its ring buffer shared with the kernel.
//
// In: an interface. Out: batches of packets, borrowed. Owner: one thread; `breakLoop` may come from another. Bounds: the
// ring; what does not fit is dropped by the kernel and counted.

import CPcap
import Glibc
import HTTPModel
import PacketHeaders

public struct LiveCaptureOptions: Sendable {
  public var interface: String
  /// Bytes captured of each packet.
  public var snapLength: Int
  /// The kernel's ring.
  public var bufferBytes: Int
  public var promiscuous: Bool
  /// pcap-filter(7) text; nil for everything.
  public var filter: String?
  /// Milliseconds for which the kernel gathers packets into a batch, and for which ``LiveCapture/read(_:)`` waits.
  public var timeout: Int32

  public init(
    interface: String, snapLength: Int = 262_144, bufferBytes: Int = 64 << 20, promiscuous: Bool = false,
    filter: String? = nil, timeout: Int32 = 100
  ) {
    self.interface = interface
    self.snapLength = snapLength
    self.bufferBytes = bufferBytes
    self.promiscuous = promiscuous
    self.filter = filter
    self.timeout = timeout
  }
}

/// Counts since the capture's start.
public struct LiveCaptureStatistics: Hashable, Sendable {
  public var received: UInt64 = 0
  /// The ring was full.
  public var kernelDrops: UInt64 = 0
  public var interfaceDrops: UInt64 = 0

  public init() {}
}

/// A live packet source.
public final class LiveCapture {
  private let handle: OpaquePointer
  private let interface: String
  private let linkType: LinkType
  private let nanoseconds: Bool
  private var counts = LiveCaptureStatistics()
  private var lastCounts = pcap_stat()

  /// Opens the interface; packets are gathered from here on.
  public init(_ options: LiveCaptureOptions) throws(CaptureError) {
    interface = options.interface
    var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    guard let handle = pcap_create(options.interface, &message) else {
      throw .captureFailed(interface: options.interface, reason: CaptureInterfaces.text(message))
    }
    pcap_set_snaplen(handle, Int32(clamping: max(64, options.snapLength)))
    pcap_set_buffer_size(handle, Int32(clamping: max(1 << 20, options.bufferBytes)))
    pcap_set_promisc(handle, options.promiscuous ? 1 : 0)
    pcap_set_timeout(handle, options.timeout)
    nanoseconds = pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO) == 0
    let status = pcap_activate(handle)
    if status < 0 {
      let error = Self.activationError(status, handle, options.interface)
      pcap_close(handle)
      throw error
    }
    linkType = LinkType(rawValue: UInt32(bitPattern: pcap_datalink(handle)))
    if let filter = options.filter {
      var program = bpf_program()
      guard pcap_compile(handle, &program, filter, 1, UInt32(bitPattern: -1)) == 0 else {
        let reason = String(cString: pcap_geterr(handle))
        pcap_close(handle)
        throw .filterInvalid(filter: filter, reason: reason)
      }
      let installed = pcap_setfilter(handle, &program)
      pcap_freecode(&program)
      guard installed == 0 else {
        let reason = String(cString: pcap_geterr(handle))
        pcap_close(handle)
        throw .filterInvalid(filter: filter, reason: reason)
      }
    }
    self.handle = handle
  }

  deinit { pcap_close(handle) }

  /// Hands over the packets that have come, waiting at most the timeout for the first.
  /// - Parameter body: is called for each; the record's bytes are borrowed for that call.
  /// - Returns: how many there were; 0 where none came in time.
  /// - Throws: ``CaptureError/interfaceGone(interface:)`` or ``CaptureError/captureFailed(interface:reason:)``.
  public func read(_ body: (PacketRecord) -> Void) throws(CaptureError) -> Int {
    let status = withoutActuallyEscaping(body) { body in
      var batch = Batch(linkType: linkType, nanoseconds: nanoseconds, body: body)
      return withUnsafeMutablePointer(to: &batch) { batch in
        // -1: the packets of one buffer of the ring.
        pcap_dispatch(
          handle, -1,
          { context, header, bytes in
            let batch = UnsafeMutableRawPointer(context!).assumingMemoryBound(to: Batch.self)
            batch.pointee.deliver(header!.pointee, bytes!)
          }, UnsafeMutableRawPointer(batch).assumingMemoryBound(to: UInt8.self))
      }
    }
    if status >= 0 || status == PCAP_ERROR_BREAK { return max(0, Int(status)) }
    let reason = String(cString: pcap_geterr(handle))
    if reason.contains("disappeared") || reason.contains("went down") || reason.contains("No such device") {
      throw .interfaceGone(interface: interface)
    }
    throw .captureFailed(interface: interface, reason: reason)
  }

  /// Ends a ``read(_:)`` that is under way, from any thread.
  public func breakLoop() { pcap_breakloop(handle) }

  /// The kernel's counts; its 32-bit counters are widened, so ask at least once in 2^32 packets.
  public var statistics: LiveCaptureStatistics {
    var now = pcap_stat()
    guard pcap_stats(handle, &now) == 0 else { return counts }
    counts.received += UInt64(now.ps_recv &- lastCounts.ps_recv)
    counts.kernelDrops += UInt64(now.ps_drop &- lastCounts.ps_drop)
    counts.interfaceDrops += UInt64(now.ps_ifdrop &- lastCounts.ps_ifdrop)
    lastCounts = now
    return counts
  }

  /// What the C callback needs, on the stack of `read`.
  private struct Batch {
    let linkType: LinkType
    let nanoseconds: Bool
    let body: (PacketRecord) -> Void

    @inline(__always)
    func deliver(_ header: pcap_pkthdr, _ bytes: UnsafePointer<UInt8>) {
      let fraction = nanoseconds ? Int64(header.ts.tv_usec) : Int64(header.ts.tv_usec) * 1000
      body(
        PacketRecord(
          time: Timestamp(seconds: Int64(header.ts.tv_sec), nanoseconds: fraction), linkType: linkType,
          bytes: UnsafeRawBufferPointer(start: bytes, count: Int(header.caplen)), lengthOnWire: Int(header.len)))
    }
  }

  private static func activationError(_ status: Int32, _ handle: OpaquePointer, _ interface: String) -> CaptureError {
    switch status {
    case PCAP_ERROR_PERM_DENIED, PCAP_ERROR_PROMISC_PERM_DENIED: return .noPrivilege(interface: interface)
    case PCAP_ERROR_NO_SUCH_DEVICE:
      let known = (try? CaptureInterfaces.list().map(\.name)) ?? []
      // Without privilege libpcap may not be able to tell; the list can.
      if known.contains(interface) { return .noPrivilege(interface: interface) }
      return .interfaceUnknown(
        interface: interface, known: known.sorted { nearness($0, interface) > nearness($1, interface) })
    case PCAP_ERROR_IFACE_NOT_UP: return .interfaceDown(interface: interface)
    default: return .captureFailed(interface: interface, reason: String(cString: pcap_geterr(handle)))
    }
  }

  /// How many characters two names share at their beginning.
  private static func nearness(_ a: String, _ b: String) -> Int { zip(a, b).prefix { $0 == $1 }.count }
}
