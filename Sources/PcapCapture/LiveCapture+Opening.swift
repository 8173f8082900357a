// Opening an interface with libpcap, and naming what went wrong.

import CPcap
import Glibc
import PacketHeaders

extension LiveCapture {
  /// An activated handle with nanosecond times.
  static func activate(_ options: LiveCaptureOptions) throws(CaptureError) -> OpaquePointer {
    var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    guard let handle = pcap_create(options.interface, &message) else {
      let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw .interfaceFailed(name: options.interface, message: text)
    }
    pcap_set_snaplen(handle, Int32(clamping: max(1, options.snapLength)))
    pcap_set_buffer_size(handle, Int32(clamping: max(1 << 20, options.bufferBytes)))
    pcap_set_promisc(handle, options.promiscuous ? 1 : 0)
    // Not 0, which would mean without a limit.
    pcap_set_timeout(handle, Int32(clamping: max(1, options.timeoutMilliseconds)))
    pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO)
    let status = pcap_activate(handle)
    guard status >= 0 else {
      let error = failure(status, of: handle, options)
      pcap_close(handle)
      throw error
    }
    if options.interface == "any" {
      // The older cooked header, which libpcap prefers, doesn't name the interface. An old libpcap has only that one.
      pcap_set_datalink(handle, Int32(LinkType.linuxCooked2.rawValue))
    } else {
      ignoreOutgoing(handle, options.interface)
    }
    return handle
  }

  /// On loopback each packet passes twice, going out and coming in. libpcap hands over the second; this keeps the
  /// kernel from copying the first, which would take half of the ring. Kernels before 4.20 don't know the option.
  private static func ignoreOutgoing(_ handle: OpaquePointer, _ interface: String) {
    let interfaces = (try? CaptureInterfaces.list()) ?? []
    guard interfaces.contains(where: { $0.name == interface && $0.isLoopback }) else { return }
    var on: Int32 = 1
    setsockopt(pcap_fileno(handle), packetLevel, PACKET_IGNORE_OUTGOING, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Joins the handle to a group that shares the interface's packets (packet(7), PACKET_FANOUT). The hash is over
  /// addresses and ports and the same in both directions; fragments are put together before it is taken.
  static func join(_ group: UInt16, _ handle: OpaquePointer, _ options: LiveCaptureOptions) throws(CaptureError) {
    var argument = UInt32(group) | fanoutByHash << 16
    let size = socklen_t(MemoryLayout<UInt32>.size)
    guard setsockopt(pcap_fileno(handle), packetLevel, fanoutOption, &argument, size) == 0 else {
      throw .interfaceFailed(
        name: options.interface,
        message: "its packets can't be shared between threads: \(systemMessage(errno)); leave --fanout out")
    }
  }

  /// PACKET_FANOUT, and PACKET_FANOUT_HASH with PACKET_FANOUT_FLAG_DEFRAG, of linux/if_packet.h.
  private static let fanoutOption: Int32 = 18
  private static let fanoutByHash: UInt32 = 0x8000

  /// The error that libpcap's status stands for.
  private static func failure(
    _ status: Int32, of handle: OpaquePointer, _ options: LiveCaptureOptions
  ) -> CaptureError {
    let name = options.interface
    switch status {
    case PCAP_ERROR_PERM_DENIED, PCAP_ERROR_PROMISC_PERM_DENIED: return .notPermitted(interface: name)
    case PCAP_ERROR_NO_SUCH_DEVICE:
      return .interfaceUnknown(name: name, existing: CaptureInterfaces.names(like: name))
    case PCAP_ERROR_IFACE_NOT_UP: return .interfaceDown(name: name)
    case PCAP_ERROR: return failure(of: handle, options)
    default: return .interfaceFailed(name: name, message: String(cString: pcap_statustostr(status)))
    }
  }

  /// The error that the handle tells of.
  static func failure(of handle: OpaquePointer, _ options: LiveCaptureOptions) -> CaptureError {
    .interfaceFailed(name: options.interface, message: String(cString: pcap_geterr(handle)))
  }

  /// SOL_PACKET, setsockopt(2)'s level for packet(7); the system's headers give it as a macro that is not imported.
  private static let packetLevel: Int32 = 263
}
