// How replays end that do not go well: a target that hangs or closes, an interrupt; and the demo, which does.

import Foundation
import Testing

@Suite struct ReplayEndTests {
  /// Listens and takes connections in the kernel, but never reads or answers.
  private final class SilentServer {
    let port: Int
    private let descriptor: Int32

    init() throws {
      port = try freePort()
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = UInt16(port).bigEndian
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      let bound = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 && listen(descriptor, 64) == 0
        }
      }
      guard bound else { throw ServerFailure(text: "port \(port) could not be bound") }
    }

    deinit { close(descriptor) }
  }

  private func report(_ run: String) throws -> [String: Any] {
    let result = try UmbraProcess.run(["report", run, "--format", "json"])
    return try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }

  @Test func aHangingTargetIsATimeoutForEachRequest() throws {
    let scratch = try Scratch()
    let session = try Sessions.small(in: scratch)
    let server = try SilentServer()
    let run = scratch.path("hang.umbra-run")
    let result = try UmbraProcess.run([
      "replay", session, "--target", "http://127.0.0.1:\(server.port)", "--speed", "max", "--timeout", "200ms", "-o",
      run,
    ])
    #expect(result.status == 1, "\(result.output)\(result.error)")
    let totals = try #require(try report(run)["totals"] as? [String: Any])
    #expect((totals["errors"] as? [String: Any])?["timeout"] as? Int == 2)
  }

  @Test func anInterruptedReplayLeavesAValidRun() throws {
    let scratch = try Scratch()
    let session = try Sessions.small(in: scratch)
    let server = try SilentServer()
    let run = scratch.path("interrupted.umbra-run")
    let replaying = try Child(
      UmbraProcess.binary.path,
      [
        "replay", session, "--target", "http://127.0.0.1:\(server.port)", "--loop", "1000", "--progress", "plain", "-o",
        run,
      ])
    try #require(eventually { FileManager.default.fileExists(atPath: run) })
    usleep(300_000)
    replaying.interrupt()
    let result = replaying.wait()
    #expect(result.status == 1 || result.status == 3, "\(result.output)\(result.error)")
    let report = try report(run)
    #expect((report["schedule"] as? [String: Any])?["skipped"] as? [String: Any] != nil)
    #expect((report["verdict"] as? [String: Any])?["outcome"] as? String != "pass")
  }

  @Test(arguments: [[], ["--no-capture"]])
  func theDemoFindsWhatWasPlanted(_ more: [String]) throws {
    let scratch = try Scratch()
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    // From the source tree, where the shipped capture stands.
    let demo = try Child(
      UmbraProcess.binary.path, ["demo", "--directory", scratch.path("demo")] + more, folder: root)
    let result = demo.wait()
    #expect(result.status == 0, "\(result.output)\(result.error)")
    #expect(result.output.contains("VERDICT: FAIL"))
    #expect(result.output.contains("6 were found"))
    #expect(
      result.output.split(separator: "\n").filter { !$0.contains(scratch.url.lastPathComponent) }.allSatisfy {
        $0.count <= 80
      })
    let html = try String(contentsOfFile: scratch.path("demo/report.html"), encoding: .utf8)
    #expect(html.contains("/stock/warehouse"))
    // Nothing but the planted faults.
    let report = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: scratch.url.appendingPathComponent("demo/report.json")))
        as? [String: Any])
    let clusters = try #require(report["clusters"] as? [[String: Any]])
    #expect(clusters.filter { $0["severity"] as? String != "info" }.count == 6, "\(clusters)")
  }
}
