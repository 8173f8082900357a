import Foundation
import HTTPModel
import NIOCore
import NIOPosix
import Synchronization
import Telemetry
import Testing

@Suite("Metrics over HTTP")
struct MetricsServerTests {
  private func withServer(_ body: (MetricsServer, MetricsRegistry) throws -> Void) throws {
    let registry = MetricsRegistry()
    registry.add { MetricFamily.process(version: "1.2", command: "capture") }
    registry.add { MetricFamily.capture(Ledger(), anomalies: [3] + Array(repeating: 0, count: 127)) }
    let server = try MetricsServer(ListenAddress("127.0.0.1:0")!, registry: registry)
    defer { server.stop() }
    try body(server, registry)
  }

  /// Sends bytes and reads until the server closes.
  private func ask(_ server: MetricsServer, _ text: String) throws -> String {
    let received = Mutex("")
    let channel = try ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Collector { part in received.withLock { $0 += part } })
        }
      }
      .connect(host: "127.0.0.1", port: Int(server.address.port)).wait()
    try channel.writeAndFlush(ByteBuffer(string: text)).wait()
    try channel.closeFuture.wait()
    return received.withLock { $0 }
  }

  private final class Collector: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    let take: @Sendable (String) -> Void
    init(_ take: @escaping @Sendable (String) -> Void) { self.take = take }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) { take(String(buffer: unwrapInboundIn(data))) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
  }

  private func get(_ path: String, _ fields: String = "") -> String {
    "GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(fields)\r\n"
  }

  @Test("Both formats are served")
  func metrics() throws {
    try withServer { server, _ in
      let plain = try ask(server, get("/metrics?x=1"))
      #expect(plain.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(plain.contains("content-type: text/plain; version=0.0.4"))
      #expect(plain.contains(#"umbra_build_info{version="1.2",command="capture"} 1"#))
      #expect(plain.contains(#"umbra_capture_anomalies_total{anomaly="tcp.gap"} 3"#))
      let open = try ask(server, get("/metrics", "Accept: application/openmetrics-text; version=1.0.0\r\n"))
      #expect(open.contains("content-type: application/openmetrics-text; version=1.0.0"))
      #expect(open.hasSuffix("# EOF\n"))
    }
  }

  @Test("Probes say whether the process lives and whether it works")
  func probes() throws {
    try withServer { server, registry in
      try #expect(ask(server, get("/healthz")).hasPrefix("HTTP/1.1 200 "))
      try #expect(ask(server, get("/readyz")).hasPrefix("HTTP/1.1 503 "))
      registry.isReady = true
      try #expect(ask(server, get("/readyz")).hasPrefix("HTTP/1.1 200 "))
      registry.end()
      try #expect(ask(server, get("/readyz")).hasPrefix("HTTP/1.1 503 "))
    }
  }

  @Test("Other paths and methods are refused, HEAD has no body, nonsense closes the connection")
  func refusals() throws {
    try withServer { server, _ in
      try #expect(ask(server, get("/")).hasPrefix("HTTP/1.1 404 "))
      let post = "POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"
      let refused = try ask(server, post)
      #expect(refused.hasPrefix("HTTP/1.1 405 ") && refused.contains("allow: GET, HEAD"))
      let head = try ask(server, "HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      #expect(head.hasSuffix("\r\n\r\n") && head.contains("content-length: "))
      try #expect(ask(server, "\u{1}\u{2}\r\n\r\n").hasPrefix("HTTP/1.1 400 "))
    }
  }

  @Test("An address in use is told")
  func bindErrors() throws {
    try withServer { server, registry in
      let error = #expect(throws: MetricsServerError.self) { try MetricsServer(server.address, registry: registry) }
      #expect(error?.description.contains("the address is in use") == true)
    }
    let registry = MetricsRegistry()
    let elsewhere = #expect(throws: MetricsServerError.self) {
      try MetricsServer(ListenAddress("192.0.2.1:0")!, registry: registry)
    }
    #expect(elsewhere?.description.contains("no interface of this host has the address") == true)
  }

  @Test("promtool finds nothing to say", .enabled(if: PromTool.isThere, "promtool is missing (prometheus)"))
  func promtool() throws {
    let metrics = AttemptMetrics(targets: ["http://a:1"])
    metrics.count(ReplayedExchange(exchange: Exchange(), attempts: []))
    let families =
      MetricFamily.process(version: "1", command: "replay") + MetricFamily.capture(Ledger(), anomalies: [1])
      + metrics.families()
    let said = try PromTool.check(Exposition.text(families, .prometheus))
    #expect(said == "", "\(said)")
  }
}

enum PromTool {
  static let path = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }
  static var isThere: Bool { path != nil }

  /// What `promtool check metrics` says of a text.
  static func check(_ bytes: [UInt8]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path!)
    process.arguments = ["check", "metrics"]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    process.standardError = output
    try process.run()
    input.fileHandleForWriting.write(Data(bytes))
    try input.fileHandleForWriting.close()
    let said = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return process.terminationStatus == 0 && said.isEmpty
      ? "" : "status \(process.terminationStatus): \(String(decoding: said, as: UTF8.self))"
  }
}
