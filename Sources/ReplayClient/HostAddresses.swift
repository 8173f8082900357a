import Glibc
import NIOCore

/// The addresses of a host name, in the order in which the system prefers them.
///
/// Asks the system's resolver (hosts file, DNS) and blocks the calling thread while it does.
func resolveAddresses(of host: String, port: UInt16) throws(ReplayError) -> [SocketAddress] {
  var hints = addrinfo()
  hints.ai_family = AF_UNSPEC
  hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
  hints.ai_flags = AI_NUMERICSERV
  var list: UnsafeMutablePointer<addrinfo>?
  let status = getaddrinfo(host, String(port), &hints, &list)
  guard status == 0 else { throw .nameNotResolved(host: host, reason: String(cString: gai_strerror(status))) }
  defer { freeaddrinfo(list) }

  var addresses: [SocketAddress] = []
  var entry = list
  while let info = entry?.pointee {
    if let raw = UnsafeRawPointer(info.ai_addr) {
      switch info.ai_family {
      case AF_INET: addresses.append(SocketAddress(raw.loadUnaligned(as: sockaddr_in.self), host: host))
      case AF_INET6: addresses.append(SocketAddress(raw.loadUnaligned(as: sockaddr_in6.self), host: host))
      default: break
      }
    }
    entry = info.ai_next
  }
  guard !addresses.isEmpty else { throw .nameNotResolved(host: host, reason: "it has no IPv4 or IPv6 address") }
  return addresses
}
