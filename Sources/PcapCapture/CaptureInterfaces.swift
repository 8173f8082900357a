import CPcap
import Glibc
public import HTTPModel

/// An interface that libpcap can open.
public struct CaptureInterface: Hashable, Sendable {
  public var name: String
  public var description: String?
  public var addresses: [IPAddress]
  public var isUp: Bool
  public var isRunning: Bool
  public var isLoopback: Bool
}

/// The interfaces of this host.
public enum CaptureInterfaces {
  /// Network interfaces and `any`, as libpcap orders them; its other sources (netfilter, D-Bus, USB) are left out.
  public static func list() throws(CaptureError) -> [CaptureInterface] {
    var first: UnsafeMutablePointer<pcap_if_t>?
    var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    guard pcap_findalldevs(&first, &message) == 0 else {
      throw .captureFailed(interface: "any interface", reason: text(message))
    }
    defer { pcap_freealldevs(first) }
    var interfaces: [CaptureInterface] = []
    var next = first
    while let device = next?.pointee {
      next = device.next
      let name = String(cString: device.name)
      if ["nflog", "nfqueue", "dbus-system", "dbus-session"].contains(name) || name.hasPrefix("usbmon")
        || name.hasPrefix("bluetooth")
      {
        continue
      }
      interfaces.append(
        CaptureInterface(
          name: name, description: device.description.map { String(cString: $0) },
          addresses: addresses(device.addresses), isUp: device.flags & UInt32(PCAP_IF_UP) != 0,
          isRunning: device.flags & UInt32(PCAP_IF_RUNNING) != 0,
          isLoopback: device.flags & UInt32(PCAP_IF_LOOPBACK) != 0))
    }
    return interfaces
  }

  private static func addresses(_ first: UnsafeMutablePointer<pcap_addr>?) -> [IPAddress] {
    var addresses: [IPAddress] = []
    var next = first
    while let entry = next?.pointee {
      next = entry.next
      guard let address = entry.addr else { continue }
      switch Int32(address.pointee.sa_family) {
      case AF_INET:
        let v4 = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_addr.s_addr }
        addresses.append(IPAddress(v4: UInt32(bigEndian: v4)))
      case AF_INET6:
        let words = address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
          withUnsafeBytes(of: $0.pointee.sin6_addr) { bytes in
            (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
          }
        }
        addresses.append(IPAddress(v6High: UInt64(bigEndian: words.0), v6Low: UInt64(bigEndian: words.1)))
      default: break
      }
    }
    return addresses
  }

  static func text(_ message: [CChar]) -> String {
    String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
