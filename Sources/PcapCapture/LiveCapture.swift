// Packets off an interface, through libpcap.
//
// In: options. Out: batches of packet records. Owner: one thread, but for LiveCaptureBreaker. Bounds: the kernel's ring
// has a fixed size; what does not fit is dropped and counted there.

import CPcap
import Glibc
import HTTPModel
public import PacketHeaders

/// A live source of packets.
///
/// libpcap's handle is non-blocking and this class does the waiting: with memory-mapped batches (TPACKET_V3) libpcap
/// itself would wait without a limit while no packet comes.
public final class LiveCapture {
  public let options: LiveCaptureOptions
  public let linkType: LinkType
  /// Ends a wait from another thread or from a signal handler.
  public let breaker: LiveCaptureBreaker
  private let handle: OpaquePointer
  private let interfaceIndex: Int
  private var received = WideningCounter()
  private var kernelDrops = WideningCounter()
  private var interfaceDrops = WideningCounter()

  /// Packets handed over by one ``read(_:)``, at most.
  private static let batch: Int32 = 8192

  /// Opens the interface; from here on packets gather in the kernel's ring.
  public init(_ options: LiveCaptureOptions) throws(CaptureError) {
    let breaker = try LiveCaptureBreaker()
    let handle = try LiveCapture.activate(options)
    let linkType = LinkType(rawValue: UInt32(truncatingIfNeeded: pcap_datalink(handle)))
    do throws(CaptureError) {
      let filter = try BPFProgram.live(
        ports: options.ports, expression: options.filter, handle: handle, linkType: linkType)
      if let filter, !filter.install(on: handle) { throw LiveCapture.failure(of: handle, options) }
      var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
      guard pcap_setnonblock(handle, 1, &message) == 0 else { throw LiveCapture.failure(of: handle, options) }
      if let group = options.fanoutGroup { try LiveCapture.join(group, handle, options) }
    } catch {
      pcap_close(handle)
      throw error
    }
    self.options = options
    self.linkType = linkType
    self.breaker = breaker
    self.handle = handle
    interfaceIndex = Int(if_nametoindex(options.interface))
  }

  deinit { pcap_close(handle) }

  /// Hands over the packets that are ready; waits for some, at most as long as the options' timeout, where there are none.
  ///
  /// - Parameter body: the record's bytes are borrowed for the call.
  /// - Returns: how many packets there were; 0 after a wait in vain, a signal or ``LiveCaptureBreaker/breakLoop()``.
  /// - Throws: `interfaceGone` or `interfaceFailed`; what was handed over before stands.
  public func read(_ body: (PacketRecord) -> Void) throws(CaptureError) -> Int {
    let ready = try dispatch(body)
    if ready > 0 { return ready }
    var waits = (
      waiting,
      pollfd(fd: breaker.descriptor, events: Int16(POLLIN), revents: 0)
    )
    let timeout = Int32(clamping: max(1, options.timeoutMilliseconds))
    let status = withUnsafeMutablePointer(to: &waits) {
      $0.withMemoryRebound(to: pollfd.self, capacity: 2) { poll($0, 2, timeout) }
    }
    if status > 0, waits.1.revents != 0 { breaker.clear() }
    return try dispatch(body)
  }

  /// Ends the present or the next wait of ``read(_:)``.
  public func breakLoop() { breaker.breakLoop() }

  /// The counters up to now.
  public var statistics: LiveCaptureStatistics {
    var counters = pcap_stat()
    if pcap_stats(handle, &counters) == 0 {
      received.update(counters.ps_recv)
      kernelDrops.update(counters.ps_drop)
      interfaceDrops.update(counters.ps_ifdrop)
    }
    var statistics = LiveCaptureStatistics()
    statistics.received = received.total
    statistics.kernelDrops = kernelDrops.total
    statistics.interfaceDrops = interfaceDrops.total
    return statistics
  }

  /// What the C callback needs, on the stack for the time of one batch.
  private struct Context {
    let body: (PacketRecord) -> Void
    let linkType: LinkType
    let interface: Int
  }

  /// What poll(2) waits for before packets are ready.
  var waiting: pollfd { pollfd(fd: pcap_get_selectable_fd(handle), events: Int16(POLLIN), revents: 0) }

  /// Hands over what is ready and never waits.
  func dispatch(_ body: (PacketRecord) -> Void) throws(CaptureError) -> Int {
    let count = withoutActuallyEscaping(body) { body in
      var context = Context(body: body, linkType: linkType, interface: interfaceIndex)
      return withUnsafeMutableBytes(of: &context) {
        pcap_dispatch(
          handle, LiveCapture.batch, { LiveCapture.handOver($0!, $1!, $2!) },
          $0.baseAddress!.assumingMemoryBound(to: UInt8.self))
      }
    }
    if count >= 0 { return Int(count) }
    if interfaceIndex != 0, if_nametoindex(options.interface) == 0 { throw .interfaceGone(name: options.interface) }
    throw LiveCapture.failure(of: handle, options)
  }

  private static func handOver(
    _ context: UnsafeMutablePointer<UInt8>, _ header: UnsafePointer<pcap_pkthdr>, _ bytes: UnsafePointer<UInt8>
  ) {
    let context = UnsafeRawPointer(context).assumingMemoryBound(to: Context.self)
    let header = header.pointee
    var record = PacketRecord(
      // In nanoseconds, as asked for when the handle was activated.
      time: Timestamp(seconds: Int64(header.ts.tv_sec), nanoseconds: Int64(header.ts.tv_usec)),
      linkType: context.pointee.linkType, interface: context.pointee.interface,
      bytes: UnsafeRawBufferPointer(start: bytes, count: Int(header.caplen)), lengthOnWire: Int(header.len))
    if record.linkType == .linuxCooked2, header.caplen >= 8 {
      // Linux cooked v2, octets 4 to 7.
      record.interface = Int(UInt32(bigEndian: record.bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
    }
    context.pointee.body(record)
  }
}

/// Ends the wait of a ``LiveCapture`` from another thread or from a signal handler. Outlives the capture safely.
public final class LiveCaptureBreaker: Sendable {
  fileprivate let descriptor: Int32

  fileprivate init() throws(CaptureError) {
    descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    if descriptor < 0 { throw .interfaceFailed(name: "any interface", message: systemMessage(errno)) }
  }

  deinit { close(descriptor) }

  /// One write to a descriptor: safe anywhere.
  public func breakLoop() {
    var one: UInt64 = 1
    _ = Glibc.write(descriptor, &one, 8)
  }

  fileprivate func clear() {
    var count: UInt64 = 0
    _ = Glibc.read(descriptor, &count, 8)
  }
}
