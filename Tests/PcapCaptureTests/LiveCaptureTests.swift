// Live capture on loopback: needs CAP_NET_RAW, and is skipped with a message where that is missing.

import Glibc
import HTTPModel
import PacketHeaders
import PcapCapture
import Testing

private let mayCapture: Bool = if case .granted = CapturePrivilege.check() { true } else { false }

@Suite("Live capture", .enabled(if: mayCapture, "needs CAP_NET_RAW"), .serialized)
struct LiveCaptureTests {
  @Test("every payload byte of a connection over loopback is seen once", arguments: ["lo", "any"])
  func loopback(_ interface: String) throws {
    let connection = try LoopbackConnection()
    let capture = try LiveCapture(
      LiveCaptureOptions(interface: interface, bufferBytes: 8 << 20, ports: [connection.port...connection.port]))
    let request = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let response = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 17) }
    let before = wallNow()
    try connection.exchange(request, response)
    var bytes: [Bool: [UInt8]] = [:]
    var lengths: [Bool: Int] = [:]
    var times: [Int64] = []
    // Each read waits for the timeout at most: the loop ends.
    for _ in 0..<100 where (lengths[true] ?? 0) < request.count || (lengths[false] ?? 0) < response.count {
      _ = try capture.read { packet in
        let content = PacketParser(linkType: packet.linkType).parse(
          packet.bytes.bytes, lengthOnWire: packet.lengthOnWire)
        guard case .tcp(let segment) = content else { return }
        let isRequest = segment.destination.port == connection.port
        bytes[isRequest, default: []] += packet.bytes[segment.payload]
        lengths[isRequest, default: 0] += segment.payloadLengthOnWire
        times.append(packet.time.nanoseconds)
        #expect(packet.interface == Int(if_nametoindex("lo")))
      }
    }
    #expect(bytes[true] == request)
    #expect(bytes[false] == response)
    #expect(times.allSatisfy { $0 >= before && $0 <= wallNow() })
    let statistics = capture.statistics
    #expect(statistics.received >= UInt64(times.count))
    #expect(statistics.kernelDrops == 0)
  }

  @Test("a snap length cuts, and the length on the wire tells by how much")
  func snapLength() throws {
    let connection = try LoopbackConnection()
    let capture = try LiveCapture(
      LiveCaptureOptions(
        interface: "lo", snapLength: 80, bufferBytes: 1 << 20, ports: [connection.port...connection.port]))
    try connection.exchange(Array(repeating: 1, count: 1000), [2])
    var cut: Int?
    for _ in 0..<100 where cut == nil {
      _ = try capture.read { packet in
        guard packet.lengthOnWire > 1000 else { return }
        let content = PacketParser(linkType: packet.linkType).parse(
          packet.bytes.bytes, lengthOnWire: packet.lengthOnWire)
        if case .tcp(let segment) = content, segment.payload.count < 80 { cut = segment.payloadLengthOnWire }
      }
    }
    #expect(cut == 1000)
  }

  @Test("a wait is ended from elsewhere, before or while it lasts")
  func breaking() throws {
    // Port 9 of loopback: nobody speaks there.
    let capture = try LiveCapture(
      LiveCaptureOptions(interface: "lo", bufferBytes: 1 << 20, timeoutMilliseconds: 60_000, ports: [9...9]))
    let began = wallNow()
    capture.breakLoop()
    #expect(try capture.read { _ in } == 0)
    let breaker = capture.breaker
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      {
        Unmanaged<LiveCaptureBreaker>.fromOpaque($0!).takeRetainedValue().breakLoop()
        return nil
      }, Unmanaged.passRetained(breaker).toOpaque())
    #expect(try capture.read { _ in } == 0)
    pthread_join(thread, nil)
    #expect(wallNow() - began < 60_000_000_000)
  }

  @Test("an unknown interface and a wrong filter are told")
  func errors() throws {
    func message(_ options: LiveCaptureOptions) -> String {
      do {
        _ = try LiveCapture(options)
        return ""
      } catch { return "\(error)" }
    }
    #expect(message(LiveCaptureOptions(interface: "lo7")).hasPrefix("there is no interface 'lo7'; there are: lo, "))
    let filter = message(LiveCaptureOptions(interface: "lo", ports: [80...80], filter: "tcp porrt"))
    #expect(filter.hasPrefix("the filter 'tcp porrt' is not valid: "))
    #expect(message(LiveCaptureOptions(interface: "")).contains("interface"))
  }
}

private func wallNow() -> Int64 {
  var now = timespec()
  clock_gettime(CLOCK_REALTIME, &now)
  return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}

/// Two ends of a TCP connection over 127.0.0.1 in one thread.
private final class LoopbackConnection {
  let port: UInt16
  private let client: Int32
  private let server: Int32

  init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let (client, size) = (client, length)
    let status = withUnsafeMutablePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(listener, address, size) == 0 && listen(listener, 1) == 0 && getsockname(listener, address, &length) == 0
          && connect(client, address, size) == 0
      }
    }
    guard status else { throw SystemFailure() }
    port = UInt16(bigEndian: address.sin_port)
    server = accept(listener, nil, nil)
  }

  deinit {
    close(client)
    close(server)
  }

  /// Sends both ways, in pieces that fit the sockets' buffers.
  func exchange(_ request: [UInt8], _ response: [UInt8]) throws {
    try carry(request, from: client, to: server)
    try carry(response, from: server, to: client)
  }

  private func carry(_ bytes: [UInt8], from sender: Int32, to receiver: Int32) throws {
    var buffer = [UInt8](repeating: 0, count: 16_384)
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = Array(rest.prefix(buffer.count))
      guard send(sender, piece, piece.count, 0) == piece.count,
        recv(receiver, &buffer, piece.count, Int32(MSG_WAITALL)) == piece.count
      else { throw SystemFailure() }
      rest = rest.dropFirst(piece.count)
    }
  }
}
