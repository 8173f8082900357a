// The interfaces that packets can be captured from, as the kernel lists them. Needs no privilege.

import CPcap
import Glibc
public import HTTPModel
public import PacketHeaders

/// A network interface of this host.
public struct CaptureInterface: Hashable, Sendable {
  public var name: String
  /// As configured; no prefix lengths, no zones.
  public var addresses: [IPAddress]
  public var isUp: Bool
  /// Has a carrier: packets can flow.
  public var isRunning: Bool
  public var isLoopback: Bool
  /// nil where the name says it all.
  public var description: String?
  /// What its packets will begin with; nil where only capturing tells.
  public var linkType: LinkType?
}

/// The interfaces of this host.
public enum CaptureInterfaces {
  /// All network interfaces in the kernel's order, then `any`.
  public static func list() throws(CaptureError) -> [CaptureInterface] {
    var first: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&first) == 0 else {
      throw .interfaceFailed(name: "any interface", message: systemMessage(errno))
    }
    defer { freeifaddrs(first) }
    var interfaces: [CaptureInterface] = []
    // One entry for each interface and address; an interface without addresses has its AF_PACKET entry.
    var next = first
    while let entry = next?.pointee {
      next = entry.ifa_next
      let name = String(cString: entry.ifa_name)
      let index: Int
      if let known = interfaces.firstIndex(where: { $0.name == name }) {
        index = known
      } else {
        index = interfaces.count
        interfaces.append(CaptureInterface(name: name, flags: entry.ifa_flags))
      }
      guard let address = entry.ifa_addr else { continue }
      switch Int32(address.pointee.sa_family) {
      case AF_PACKET: interfaces[index].linkType = linkType(of: address)
      case AF_INET, AF_INET6: interfaces[index].addresses.append(ipAddress(of: address))
      default: break
      }
    }
    interfaces.append(
      CaptureInterface(
        name: "any", addresses: [], isUp: true, isRunning: true, isLoopback: false, description: "all interfaces",
        linkType: .linuxCooked2))
    return interfaces
  }

  /// The existing names, those most like `name` first.
  static func names(like name: String) -> [String] {
    let names = ((try? list()) ?? []).map(\.name)
    let ranked = names.map { (name: $0, distance: editDistance(name, $0)) }
    return ranked.sorted { $0.distance < $1.distance }.map(\.name)
  }

  /// Hardware types are ARPHRD_ numbers; libpcap shows loopback as Ethernet, and what it has no header for as raw IP.
  private static func linkType(of address: UnsafeMutablePointer<sockaddr>) -> LinkType? {
    let hardware = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_ll.self).sll_hatype
    switch hardware {
    case 1, 772: return .ethernet
    case 0xfffe: return .raw
    default: return nil
    }
  }

  private static func ipAddress(of address: UnsafeMutablePointer<sockaddr>) -> IPAddress {
    let bytes = UnsafeRawPointer(address)
    if Int32(address.pointee.sa_family) == AF_INET {
      return IPAddress(v4: UInt32(bigEndian: bytes.loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr))
    }
    let octets = bytes + MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr)!
    return IPAddress(
      v6High: UInt64(bigEndian: octets.loadUnaligned(as: UInt64.self)),
      v6Low: UInt64(bigEndian: octets.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
  }

  /// Levenshtein's distance, over the characters' octets.
  static func editDistance(_ a: String, _ b: String) -> Int {
    let b = Array(b.utf8)
    var row = Array(0...b.count)
    for (i, octet) in a.utf8.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let substituted = diagonal + (octet == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[b.count]
  }
}

extension CaptureInterface {
  fileprivate init(name: String, flags: UInt32) {
    self.init(
      name: name, addresses: [], isUp: flags & UInt32(IFF_UP) != 0,
      isRunning: flags & UInt32(IFF_RUNNING) != 0, isLoopback: flags & UInt32(IFF_LOOPBACK) != 0,
      description: nil, linkType: nil)
  }
}
