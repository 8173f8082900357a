// What a replay plans, keeps and says: dry runs, shards, profiles at the server, run files, reasons.

import Foundation
import Testing

@Suite struct ReplayPlanTests {
  private func json(_ run: String, _ more: [String] = []) throws -> [String: Any] {
    let result = try UmbraProcess.run(["report", run, "--format", "json"] + more)
    return try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }

  private func reasons(_ report: [String: Any]) -> [String] {
    (report["verdict"] as? [String: Any])?["reasons"] as? [String] ?? []
  }

  /// A session of `GET /item/n`, one on each connection, answered `ok`.
  private func session(_ count: Int, in scratch: Scratch) throws -> String {
    let name = UUID().uuidString
    let capture = scratch.path("\(name).pcap")
    try Data(shortConversations(count)).write(to: URL(fileURLWithPath: capture))
    let session = scratch.path("\(name).umbra")
    let made = try UmbraProcess.run(["capture", "-r", capture, "-w", session])
    #expect(made.status == 0, "\(made.error)")
    return session
  }

  private let answering = "location / { return 200 'ok'; default_type text/plain; }"

  @Test func aDryRunPrintsThePlanAndSendsNothing() throws {
    let scratch = try Scratch()
    let port = try freePort()
    let result = try UmbraProcess.run([
      "replay", try session(40, in: scratch), "--target", "http://127.0.0.1:\(port)", "--dry-run", "--rate",
      "ramp:0/s..100/s,10s;100/s,2s",
    ])
    #expect(result.status == 0, "\(result.error)")
    #expect(result.output.contains("700 requests in 11.99s, going round the session 18 times"))
    #expect(result.output.contains("ramp:0/s..100/s,10s;100/s,2s"))
    #expect(result.output.contains("GET /item/{id}") && result.output.contains("Nothing was sent."))
    // The session's path is as long as it is.
    let lines = result.output.split(separator: "\n").filter { !$0.contains("  session ") }
    #expect(lines.allSatisfy { $0.count <= 80 })
    let withheld = try UmbraProcess.run([
      "replay", try session(40, in: scratch), "--target", "http://127.0.0.1:\(port)", "--dry-run", "--methods", "POST",
    ])
    #expect(withheld.output.contains("0 requests") && withheld.output.contains("40  unsafe-method"))
  }

  @Test(.enabled(if: program("nginx") != nil)) func shardsOfRealProcessesMakeTheWhole() throws {
    let scratch = try Scratch()
    let nginx = try Nginx(locations: answering)
    let session = try session(120, in: scratch)
    func replay(_ shard: String) throws -> (sent: Int, schedule: Set<String>) {
      let run = scratch.path("shard-\(shard.filter(\.isNumber)).umbra-run")
      let result = try UmbraProcess.run([
        "replay", session, "--target", "http://127.0.0.1:\(nginx.port)", "--rate", "poisson:400/s", "--loop", "2",
        "--shard", shard, "--ignore", "header:*", "-o", run,
      ])
      // 3 where this machine was too busy to keep the schedule, which is not what is tested.
      #expect([0, 3].contains(result.status), "\(result.output)\(result.error)")
      let schedule = try #require(try json(run)["schedule"] as? [String: Any])
      let shown = try UmbraProcess.run(["show", run, "--format", "jsonl"])
      let ids = shown.output.split(separator: "\n").map { line in
        String(line.split(separator: "\"", maxSplits: 4)[3])
      }
      return (try #require(schedule["sent"] as? Int), Set(ids))
    }
    let whole = try replay("1/1")
    #expect(whole.sent == 240)
    let parts = try ["1/3", "2/3", "3/3"].map(replay)
    #expect(parts.map(\.sent).reduce(0, +) == whole.sent)
    #expect(parts.allSatisfy { $0.sent > 20 })
    #expect(parts.reduce(into: Set()) { $0.formUnion($1.schedule) } == whole.schedule)
    #expect(parts.map(\.schedule.count).reduce(0, +) == whole.schedule.count)
  }

  @Test func aRefusingTargetLeavesNoRunFile() throws {
    let scratch = try Scratch()
    let session = try Sessions.small(in: scratch)
    let run = scratch.path("none.umbra-run")
    for target in ["http://127.0.0.1:\(try freePort())", "http://no.such.name.invalid"] {
      let result = try UmbraProcess.run(["replay", session, "--target", target, "-o", run])
      #expect(result.status == 2, "\(result.error)")
      #expect(!FileManager.default.fileExists(atPath: run))
    }
  }

  @Test(.enabled(if: program("nginx") != nil)) func whatReplayWasToldToIgnoreHoldsInReports() throws {
    let scratch = try Scratch()
    let nginx = try Nginx(locations: "location / { return 200 'other'; default_type text/plain; }")
    let run = scratch.path("ignored.umbra-run")
    let ignored = [
      "--ignore", "body", "--ignore", "header:*", "--gate", "error.rate < 1%", "--gate", "regressions < 1",
    ]
    let result = try UmbraProcess.run(
      [
        "replay", try session(30, in: scratch), "--target", "http://127.0.0.1:\(nginx.port)", "--speed", "max", "-o",
        run,
      ]
        + ignored)
    #expect(result.status == 0, "\(result.output)\(result.error)")
    let again = try UmbraProcess.run(["report", run])
    #expect(again.status == 0, "\(again.output)")
    let gates = try #require(try json(run)["gates"] as? [[String: Any]])
    #expect(gates.compactMap { $0["gate"] as? String } == ["error.rate < 1%", "regressions < 1"])
    #expect(try UmbraProcess.run(["report", run, "--ignore", "none"]).status == 1)
    #expect(try UmbraProcess.run(["report", run, "--gate", "diff.rate == 0"]).status == 0)
    #expect(try UmbraProcess.run(["report", run, "--ignore", "nonsense"]).status == 64)
  }

  @Test(.enabled(if: program("nginx") != nil)) func quietRunsSayInOneLineWhyTheyDidNotPass() throws {
    let scratch = try Scratch()
    let nginx = try Nginx(locations: "location / { return 500 'no'; }")
    let target = ["--target", "http://127.0.0.1:\(nginx.port)", "--speed", "max", "-q"]
    let failed = try UmbraProcess.run(["replay", try session(30, in: scratch)] + target)
    #expect(failed.status == 1 && failed.output.isEmpty)
    #expect(failed.error.hasPrefix("umbra: fail: Gate crossed: regressions == 0"), "\(failed.error)")
    #expect(failed.error.split(separator: "\n").count == 1)
    let unsure = try UmbraProcess.run(
      ["replay", try session(30, in: scratch)] + target + ["--gate", "latency.p99.9 < 1s"])
    #expect(unsure.status == 3 && unsure.error.hasPrefix("umbra: inconclusive: "), "\(unsure.error)")
    let passed = try UmbraProcess.run(
      ["replay", try session(30, in: scratch)] + target + ["--gate", "error.rate < 1%"])
    #expect(passed.status == 0 && passed.error.isEmpty)
  }

  @Test(.enabled(if: program("nginx") != nil)) func lagAboveTheLimitIsInconclusiveAndNamesWhatLimited() throws {
    let scratch = try Scratch()
    let nginx = try Nginx(locations: "location / { return 200 'ok'; }")
    let run = scratch.path("lag.umbra-run")
    let limited = try UmbraProcess.run([
      "replay", try session(40, in: scratch), "--target", "http://127.0.0.1:\(nginx.port)", "--rate", "100000/s",
      "--concurrency", "1", "--max-lag", "1us", "--gate", "error.rate < 1%", "-o", run, "-q",
    ])
    #expect(limited.status == 3, "\(limited.error)")
    #expect(limited.error.contains("over --max-lag 1us"), "\(limited.error)")
    // The run file remembers it.
    #expect(try UmbraProcess.run(["report", run]).status == 3)
    #expect(reasons(try json(run)).contains { $0.contains("over --max-lag 1us") })
  }

  @Test(.enabled(if: program("nginx") != nil)) func aFailingShadowIsSparedAndTheRunSaysSo() throws {
    let scratch = try Scratch()
    let nginx = try Nginx(locations: "location / { return 503; }")
    let run = scratch.path("breaker.umbra-run")
    let arguments = [
      "replay", try session(100, in: scratch), "--target", "http://127.0.0.1:\(nginx.port)", "--rate", "2000/s", "-q",
      "--gate", "error.rate < 50%", "--concurrency", "1",
    ]
    let spared = try UmbraProcess.run(arguments + ["-o", run])
    #expect(spared.status == 3, "\(spared.error)")
    #expect(spared.error.contains("The breaker opened"), "\(spared.error)")
    let schedule = try #require(try json(run)["schedule"] as? [String: Any])
    let skipped = try #require((schedule["skipped"] as? [String: Any])?["breaker-open"] as? Int)
    #expect(skipped > 0 && (schedule["sent"] as? Int ?? 0) + skipped == 100)
    let unprotected = try UmbraProcess.run(arguments + ["--breaker", "off", "-o", run, "--overwrite"])
    #expect(!unprotected.error.contains("breaker"), "\(unprotected.error)")
    #expect((try json(run)["schedule"] as? [String: Any])?["sent"] as? Int == 100)
  }

  @Test(.enabled(if: program("nginx") != nil)) func targetsAndFaultsAreTold() throws {
    let scratch = try Scratch()
    let (one, two) = (try Nginx(locations: answering), try Nginx(locations: answering))
    let run = scratch.path("faults.umbra-run")
    let result = try UmbraProcess.run([
      "replay", try session(100, in: scratch), "--target", "http://127.0.0.1:\(one.port)=3", "--target",
      "http://127.0.0.1:\(two.port)", "--speed", "max", "--fault", "abort:20%:503", "--fault", "delay:50%:1ms..5ms",
      "-o", run,
    ])
    #expect(result.status == 1, "\(result.output)\(result.error)")
    let report = try json(run)
    let statuses = try #require((report["totals"] as? [String: Any])?["statuses"] as? [String: Any])
    #expect((5...45).contains(statuses["503"] as? Int ?? 0), "\(statuses)")
    #expect(reasons(report).contains { $0.contains("Faults were made on purpose") })
    #expect(
      reasons(report).contains { $0.hasPrefix("http://127.0.0.1:\(one.port): 75 attempts") }, "\(reasons(report))")
  }

  @Test func flagsThatMakeNoSenseAreRefused() throws {
    func refuses(_ more: [String], _ hint: String) throws {
      let result = try UmbraProcess.run(["replay", "x.umbra", "--target", "http://c"] + more)
      #expect(result.status == 64 && result.error.contains(hint), "\(more): \(result.error)")
    }
    try refuses(["--rate", "ramp:1/s..x/s,5m"], "column 11")
    try refuses(["--rate", "5/s", "--max-pause", "1s"], "--rate has none")
    try refuses(["--shard", "3/2"], "3/2")
    try refuses(["--breaker", "50"], "50")
    try refuses(["--fault", "delay:10%"], "delay:10%:200ms..2s")
    try refuses(["--fault", "explode:1%"], "known: delay")
    try refuses(["--fault", "abort:101%:503"], "abort:1%:503")
    try refuses(["--target", "http://c=0"], "1 to 10000")
    try refuses(["--target", "ftp://c"], "ftp")
    try refuses(["--loop", "0"], "--loop")
    try refuses(["--retries", "101"], "--retries")
  }
}

/// A capture (raw IP, microseconds) of as many connections as asked for, a millisecond apart, with one exchange each.
private func shortConversations(_ count: Int) -> [UInt8] {
  func big(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xff), UInt8(value & 0xff)] }
  func little(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(value >> (8 * $0) & 0xff) } }
  var file: [UInt8] = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0] + little(0) + little(0) + little(0x4_0000) + little(101)
  for number in 0..<count {
    let client: [UInt8] = [192, 0, 2, 1]
    let server: [UInt8] = [192, 0, 2, 2]
    var time = number * 1000
    func append(fromClient: Bool, flags: UInt8, sequence: Int, acknowledged: Int, _ text: String = "") {
      let ports = fromClient ? big(20_000 + number) + big(80) : big(80) + big(20_000 + number)
      let tcp =
        ports + little(sequence).reversed() + little(acknowledged).reversed() + [0x50, flags, 0xff, 0xff, 0, 0, 0, 0]
        + Array(text.utf8)
      let packet =
        [0x45, 0] + big(20 + tcp.count) + [0, 0, 0, 0, 64, 6, 0, 0]
        + (fromClient ? client + server : server + client) + tcp
      file += little(1_700_000_000) + little(time) + little(packet.count) + little(packet.count) + packet
      time += 100
    }
    let request = "GET /item/\(number) HTTP/1.1\r\nHost: shop\r\n\r\n"
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
    append(fromClient: true, flags: 0x02, sequence: 999, acknowledged: 0)
    append(fromClient: false, flags: 0x12, sequence: 8999, acknowledged: 1000)
    append(fromClient: true, flags: 0x18, sequence: 1000, acknowledged: 9000, request)
    append(fromClient: false, flags: 0x18, sequence: 9000, acknowledged: 1000 + request.utf8.count, answer)
    append(
      fromClient: true, flags: 0x11, sequence: 1000 + request.utf8.count, acknowledged: 9000 + answer.utf8.count)
  }
  return file
}
