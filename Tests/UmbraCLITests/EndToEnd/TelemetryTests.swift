// What others see of running commands: scraped over HTTP, and held to promtool.

import Foundation
import Testing

@Suite(
  .serialized, .enabled(if: program("nginx") != nil, "nginx is not installed"),
  .enabled(if: program("curl") != nil, "curl is not installed"),
  .enabled(if: geteuid() == 0, "live capture is for root"))
struct TelemetryTests {
  /// The address that a command says it serves.
  private func address(_ child: Child) throws -> String {
    var found: Substring?
    let isThere = eventually {
      found =
        child.standardError.split(separator: "\n").first { $0.contains("serving http://") }?
        .split(separator: " ").last
      return found != nil
    }
    try #require(isThere, "\(child.standardError)")
    return String(found!.dropLast("/metrics".count))
  }

  private func get(_ url: String, _ arguments: [String] = []) throws -> String {
    try Child(try #require(program("curl")), ["-s", "-S", "--max-time", "10"] + arguments + [url]).wait().output
  }

  private func check(_ text: String) throws {
    guard let promtool = program("promtool") else {
      print("skipped: promtool is not installed")
      return
    }
    let result = try Child(promtool, ["check", "metrics"], input: Data(text.utf8)).wait()
    #expect(result.status == 0 && result.error.isEmpty, "\(result.output)\(result.error)")
  }

  @Test func aCaptureIsScraped() throws {
    let primary = try Nginx(locations: "location / { return 200 'x'; }")
    let child = try Child(
      UmbraProcess.binary.path,
      ["capture", "-i", "lo", "-p", "\(primary.port)", "--progress", "plain", "--metrics", "127.0.0.1:0"])
    let base = try address(child)
    try #require(eventually { (try? get(base + "/readyz"))?.hasPrefix("ready") ?? false })
    #expect(try get(base + "/healthz") == "ok\n")
    for _ in 0..<5 { _ = try get("http://127.0.0.1:\(primary.port)/a") }
    var text = ""
    let counted = eventually {
      text = (try? get(base + "/metrics")) ?? ""
      return text.contains("umbra_capture_exchanges_total{state=\"complete\"} 5\n")
    }
    #expect(counted, "\(text)")
    try check(text)
    let open = try get(base + "/metrics", ["-H", "Accept: application/openmetrics-text"])
    #expect(open.hasSuffix("# EOF\n") && open.contains("# TYPE umbra_capture_packets counter\n"))
    child.interrupt()
    #expect(child.wait().status == 0)
  }

  @Test func aMirrorIsScraped() throws {
    let primary = try Nginx(locations: "location / { return 200 'x'; }")
    let shadow = try Nginx(locations: "location / { return 404 'x'; }")
    let child = try Child(
      UmbraProcess.binary.path,
      [
        "mirror", "-i", "lo", "-p", "\(primary.port)", "--progress", "plain", "--target",
        "http://127.0.0.1:\(shadow.port)", "--metrics", "127.0.0.1:0",
      ])
    let base = try address(child)
    try #require(eventually { child.standardError.contains("capturing on") })
    for _ in 0..<5 { _ = try get("http://127.0.0.1:\(primary.port)/a") }
    var text = ""
    let line =
      "umbra_attempts_total{target=\"http://127.0.0.1:\(shadow.port)\",outcome=\"answered\",status=\"4xx\",role=\"shadow\"} 5\n"
    let counted = eventually {
      text = (try? get(base + "/metrics")) ?? ""
      return text.contains(line) && text.contains("umbra_mirror_pairs_total{fate=\"compared\"} 5\n")
    }
    #expect(counted, "\(text)")
    #expect(text.contains("umbra_mirror_requests_total{fate=\"accepted\"} 5\n"), "\(text)")
    try check(text)
    child.interrupt()
    _ = child.wait()
  }

  @Test func anAddressInUseIsTold() throws {
    let primary = try Nginx(locations: "location / { return 200 'x'; }")
    let result = try UmbraProcess.run([
      "capture", "-i", "lo", "-p", "1", "--metrics", "127.0.0.1:\(primary.port)", "--duration", "1s",
    ])
    #expect(result.status == 2)
    #expect(result.error.contains("the address is in use"), "\(result.error)")
    #expect(try UmbraProcess.run(["capture", "-i", "lo", "--metrics", "nonsense"]).status == 64)
  }
}
