// HTTP/2 connections that were in use before the capture began: what share of requests is whole after 1, 10, 100.

import Foundation
import Testing

@Suite(
  .serialized, .enabled(if: geteuid() == 0, "live capture is for root"),
  .enabled(if: program("python3") != nil, "python3 is not installed"))
struct JoiningTests {
  /// Of the first requests of a connection, the shares that were seen at all with their answer, and that are known:
  /// nothing of them stands in a table of before.
  private struct Shares {
    var seen: Double
    var known: Double

    init(_ exchanges: [[String: Any]], first count: Int) {
      let first = exchanges.prefix(count)
      func share(_ isMet: ([String: Any]) -> Bool) -> Double { Double(first.count(where: isMet)) / Double(count) }
      let isWhole = { (exchange: [String: Any]) in
        [exchange["request"], exchange["response"]].allSatisfy {
          (($0 as? [String: Any])?["body"] as? [String: Any])?["complete"] as? Bool == true
        }
      }
      seen = share(isWhole)
      known = share { isWhole($0) && !($0["anomalies"] as? [String] ?? []).contains("h2.unresolved-index") }
    }
  }

  /// The exchanges of the connection that has the most.
  private func longest(_ exchanges: [[String: Any]]) -> [[String: Any]] {
    let connections = Dictionary(grouping: exchanges) { $0["connection"] as? Int ?? 0 }
    return connections.values.max { $0.count < $1.count } ?? []
  }

  private func target(_ exchange: [String: Any]) -> String? {
    (exchange["request"] as? [String: Any])?["target"] as? String
  }

  @Test(.enabled(if: PythonPeer.has("grpc"), "python3 with grpcio is not installed"))
  func longLivedChannel() throws {
    let scratch = try Scratch()
    let port = try freePort()
    let server = try PythonPeer.start(PythonPeer.grpcServer, ["\(port)"])
    defer { server.terminate() }
    try #require(eventually { canConnect(port) }, "\(server.standardError)")
    let client = try PythonPeer.start(PythonPeer.grpcLongLived, ["127.0.0.1:\(port)", scratch.path("go")])
    try #require(eventually { client.standardOutput.contains("begun") }, "\(client.standardError)")
    let raw = scratch.path("raw.pcapng")
    let capture = try LiveCapture(
      ports: [port], to: scratch.path("s.umbra"), ["--h2-assume-table", "--raw", raw])
    try scratch.write("go", "")
    let result = client.wait()
    #expect(result.status == 0, "\(result.error)")
    _ = capture.end()
    // No call is lost but the first ones, by which frame boundaries are found.
    let recorded = longest(try capture.exchanges())
    let shares = [1, 10, 100].map { Shares(recorded, first: $0) }
    #expect(recorded.count >= 108 && shares[1].seen >= 0.8 && shares[2].seen >= 0.98, "\(shares)")
    // A channel sends its path by reference for as long as it lives: what was not seen stays unknown, and is not guessed.
    for exchange in recorded where target(exchange) == "" {
      #expect((exchange["anomalies"] as? [String] ?? []).contains("h2.unresolved-index"))
    }
    // The other channel has shown the table: what follows is known, and says from where.
    for exchange in recorded.suffix(8) {
      #expect(target(exchange) == "/shop.Shop/Get", "\(exchange)")
      #expect((exchange["anomalies"] as? [String] ?? []).contains("h2.assumed-index"))
    }
    // Read again from the packets, it is known from the beginning.
    let again = scratch.path("again.umbra")
    let reading = try UmbraProcess.run(["capture", "-r", raw, "-w", again, "--h2-assume-table"])
    #expect(reading.status == 0, "\(reading.error)")
    let assumed = longest(try shown(again))
    let assumedShares = [1, 10, 100].map { Shares(assumed, first: $0) }
    #expect(assumedShares[2].known >= 0.98 && assumedShares[1].known >= 0.8, "\(assumedShares)")
    for exchange in assumed where target(exchange) != "/shop.Shop/Get" {
      // Where frame boundaries were still being looked for.
      #expect(target(exchange) == "", "\(exchange)")
      #expect((exchange["anomalies"] as? [String] ?? []).contains("h2.unresolved-index"), "\(exchange)")
    }
    // Without asking for it, nothing is assumed.
    let plain = scratch.path("plain.umbra")
    _ = try UmbraProcess.run(["capture", "-r", raw, "-w", plain])
    let unknown = longest(try shown(plain))
    #expect(unknown.allSatisfy { !($0["anomalies"] as? [String] ?? []).contains("h2.assumed-index") })
    print("gRPC channel joined, after 1, 10, 100:", shares, "with tables assumed:", assumedShares)
  }

  @Test(
    .enabled(if: program("nginx") != nil, "nginx is not installed"),
    .enabled(if: program("h2load") != nil, "h2load is not installed"))
  func loadInProgress() throws {
    let scratch = try Scratch()
    let primary = try Nginx(locations: "location / { return 200 'hello'; }", protocols: "http2")
    let load = try Child(
      try #require(program("h2load")),
      ["-D", "3", "-c", "1", "-m", "10", "--rps", "300", "http://127.0.0.1:\(primary.port)/joined"])
    usleep(700_000)
    let capture = try LiveCapture(ports: [primary.port], to: scratch.path("s.umbra"))
    _ = load.wait()
    _ = capture.end()
    let recorded = try capture.exchanges()
    let shares = [1, 10, 100].map { Shares(recorded, first: $0) }
    // Ten may be under way when the capture begins: their answers come without requests.
    #expect(shares[2].seen >= 0.85, "\(shares)")
    #expect(recorded.count > 200)
    print("h2load joined, after 1, 10, 100:", shares)
  }
}
