import Foundation
import Testing

/// A real nginx on a loopback port of its own, for one test.
final class Nginx {
  let port: Int
  private let child: Child
  private let scratch: Scratch

  /// - Parameters:
  ///   - locations: what stands in the `server` block.
  ///   - files: contents of the document root.
  ///   - protocols: what stands after the address in `listen`, `http2` for HTTP/2 in the clear.
  init(
    locations: String, files: [String: String] = [:], port: Int = 0, protocols: String = "",
    environment: [String: String] = [:]
  ) throws {
    scratch = try Scratch()
    self.port = port == 0 ? try freePort() : port
    for (name, text) in files { try scratch.write(name, text) }
    let configuration = try scratch.write(
      "nginx.conf",
      """
      daemon off; worker_processes 1; pid \(scratch.path("pid")); error_log \(scratch.path("error.log"));
      user root;
      events { worker_connections 1024; }
      http {
        access_log off; client_max_body_size 64m; keepalive_requests 1000000;
        client_body_temp_path \(scratch.path("body")); proxy_temp_path \(scratch.path("proxy"));
        fastcgi_temp_path \(scratch.path("fastcgi")); uwsgi_temp_path \(scratch.path("uwsgi"));
        scgi_temp_path \(scratch.path("scgi"));
        server { listen 127.0.0.1:\(self.port) \(protocols); root \(scratch.url.path); default_type application/json;
          \(locations)
        }
      }
      """)
    child = try Child(
      try #require(program("nginx")), ["-c", configuration, "-p", scratch.url.path], environment: environment)
    let port = self.port
    guard eventually({ canConnect(port) }) else {
      throw ServerFailure(text: "nginx did not start: \(child.standardError)")
    }
  }

  deinit {
    child.terminate()
    _ = child.wait()
  }
}

struct ServerFailure: Error, CustomStringConvertible {
  var text: String
  var description: String { text }
}

/// A TCP port on 127.0.0.1 that nothing listens on at this moment.
func freePort() throws -> Int {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(descriptor) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  let bound = withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
    }
  }
  guard bound else { throw ServerFailure(text: "no port could be bound") }
  return Int(UInt16(bigEndian: address.sin_port))
}

func canConnect(_ port: Int) -> Bool {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(descriptor) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = UInt16(port).bigEndian
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  return withUnsafePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
    }
  }
}
