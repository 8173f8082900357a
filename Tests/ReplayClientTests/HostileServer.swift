import Glibc
import Synchronization
import Testing

/// A TCP server on 127.0.0.1 that does with each connection what a test says, on a thread for each.
final class HostileServer: Sendable {
  let port: UInt16
  private let listener: Int32
  private let accepted = Mutex(0)

  var url: String { "http://127.0.0.1:\(port)" }

  /// Connections so far.
  var connections: Int { accepted.withLock { $0 } }

  /// - Parameter serve: called with each connection; it is closed when this returns.
  init(serve: @escaping @Sendable (Peer) -> Void) {
    let (listener, port) = boundSocket()
    precondition(listen(listener, 4096) == 0)
    self.port = port
    self.listener = listener
    onThread { [weak self] in
      while true {
        let descriptor = accept(listener, nil, nil)
        guard descriptor >= 0 else { break }
        let number = self?.accepted.withLock { count in
          count += 1
          return count
        }
        let peer = Peer(descriptor: descriptor, number: number ?? 0)
        onThread {
          serve(peer)
          peer.close()
        }
      }
      close(listener)
    }
  }

  deinit { shutdown(listener, Int32(SHUT_RDWR)) }
}

/// A port of 127.0.0.1 that is taken and on which nobody listens.
final class RefusingPort: Sendable {
  let port: UInt16
  private let descriptor: Int32

  init() { (descriptor, port) = boundSocket() }

  deinit { close(descriptor) }
}

/// A socket with a free port of 127.0.0.1.
private func boundSocket() -> (descriptor: Int32, port: UInt16) {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
      precondition(bind(descriptor, pointer, length) == 0)
      precondition(getsockname(descriptor, pointer, &length) == 0)
    }
  }
  return (descriptor, UInt16(bigEndian: address.sin_port))
}

/// The server's end of a connection.
final class Peer: Sendable {
  let descriptor: Int32
  /// Connections are numbered from 1.
  let number: Int
  private let buffered = Mutex<[UInt8]>([])
  private let isClosed = Mutex(false)

  init(descriptor: Int32, number: Int) {
    self.descriptor = descriptor
    self.number = number
  }

  /// Reads until what was read ends with `end`, and returns all of it; nil where the client closes before.
  func read(through end: String = "\r\n\r\n") -> String? {
    buffered.withLock { buffer in
      while true {
        let text = String(decoding: buffer, as: UTF8.self)
        if let found = text.firstRange(of: end) {
          let taken = text[..<found.upperBound]
          buffer.removeFirst(taken.utf8.count)
          return String(taken)
        }
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        buffer += bytes[..<count]
      }
    }
  }

  /// Reads so many bytes; nil where the client closes before.
  func read(count: Int) -> [UInt8]? {
    buffered.withLock { buffer in
      while buffer.count < count {
        var bytes = [UInt8](repeating: 0, count: 65536)
        let received = recv(descriptor, &bytes, bytes.count, 0)
        guard received > 0 else { return nil }
        buffer += bytes[..<received]
      }
      defer { buffer.removeFirst(count) }
      return Array(buffer[..<count])
    }
  }

  /// Reads until the client closes.
  func readToEnd() {
    var bytes = [UInt8](repeating: 0, count: 65536)
    while recv(descriptor, &bytes, bytes.count, 0) > 0 {}
  }

  func write(_ text: String) { write(Array(text.utf8)) }

  func write(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  /// Answers `200` with this body.
  func answer(_ body: String = "ok") { write("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)") }

  /// Answers every request without a body until the client closes.
  func answerAll() {
    while read() != nil { answer() }
  }

  /// Closes with RST.
  func reset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    close()
  }

  func close() {
    isClosed.withLock { isClosed in
      if !isClosed { _ = Glibc.close(descriptor) }
      isClosed = true
    }
  }
}

/// Lets threads pass once it was opened; a pipe whose end is the opening.
final class Gate: Sendable {
  private let ends: (read: Int32, write: Int32)

  init() {
    var pair: [Int32] = [0, 0]
    precondition(pipe(&pair) == 0)
    ends = (pair[0], pair[1])
  }

  deinit { close(ends.read) }

  func pass() {
    var byte: UInt8 = 0
    _ = read(ends.read, &byte, 1)
  }

  /// At most once.
  func open() { close(ends.write) }
}

/// Runs `body` on a thread of its own with a small stack.
private func onThread(_ body: @escaping @Sendable () -> Void) {
  final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  pthread_attr_setstacksize(&attributes, 256 * 1024)
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  var thread = pthread_t()
  let status = pthread_create(
    &thread, &attributes,
    { argument in
      Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
      return nil
    }, Unmanaged.passRetained(Box(body)).toOpaque())
  precondition(status == 0)
  pthread_attr_destroy(&attributes)
}
