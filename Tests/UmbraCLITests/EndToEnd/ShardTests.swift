// Several processes replay one session together, and one report is made of what they did.

import Foundation
import Testing

@Suite(.enabled(if: program("python3") != nil, "python3 is not installed"))
struct ShardTests {
  private func report(_ runs: [String]) throws -> (report: [String: Any], result: UmbraProcess.Result) {
    let result = try UmbraProcess.run(["report"] + runs + ["--format", "json"])
    let json = try? JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
    return (json ?? [:], result)
  }

  private func number(_ report: [String: Any], _ path: String...) -> Int? {
    path.dropLast().reduce(report) { $0[$1] as? [String: Any] ?? [:] }[path.last!] as? Int
  }

  @Test func threeShardsAreReportedAsOneRun() throws {
    let scratch = try Scratch()
    let primary = try SessionShop(in: scratch)
    let session = try primary.record(clients: 12, to: "day", in: scratch)
    let shadow = try SessionShop(in: scratch)
    let common = [
      "--target", "http://127.0.0.1:\(shadow.port)", "--allow-unsafe", "--speed", "max", "--breaker", "off",
      "--progress", "none", "-q",
    ]
    let runs = (1...3).map { scratch.path("shard-\($0).umbra-run") }
    // At the same time, as workers are.
    let workers = try zip(1..., runs).map { index, run in
      try Child(UmbraProcess.binary.path, ["replay", session, "--shard", "\(index)/3", "-o", run] + common)
    }
    for worker in workers { #expect((0...3).contains(worker.wait().status)) }
    let whole = scratch.path("whole.umbra-run")
    _ = try UmbraProcess.run(["replay", session, "-o", whole] + common)

    let parts = try runs.map { try report([$0]).report }
    let merged = try report([runs[1], runs[2], runs[0]]).report
    let one = try report([whole]).report
    for key in ["planned", "sent"] {
      let sum = parts.compactMap { number($0, "schedule", key) }.reduce(0, +)
      #expect(number(merged, "schedule", key) == sum)
      #expect(number(one, "schedule", key) == sum)
    }
    #expect(number(merged, "totals", "compared") == number(one, "totals", "compared"))
    // Of the same answers: two replays of one session need not get the same.
    let different = parts.compactMap { number($0, "totals", "different") }.reduce(0, +)
    #expect(number(merged, "totals", "different") == different)
    #expect(
      try JSONSerialization.data(withJSONObject: merged["ledger"] ?? 0, options: .sortedKeys)
        == JSONSerialization.data(withJSONObject: one["ledger"] ?? 0, options: .sortedKeys))
    func endpoints(_ report: [String: Any]) -> [String: Int] {
      let list = report["endpoints"] as? [[String: Any]] ?? []
      return Dictionary(
        uniqueKeysWithValues: list.map { ($0["endpoint"] as? String ?? "", $0["compared"] as? Int ?? 0) })
    }
    #expect(endpoints(merged) == endpoints(one) && !endpoints(one).isEmpty)
    // In any order, byte for byte the same.
    let (first, second) = (try report(runs).result.output, try report(runs.reversed()).result.output)
    #expect(first == second)
    let verdict = try #require(merged["verdict"] as? [String: Any])
    #expect(!"\(verdict)".contains("shards"))
  }

  @Test func aShareIsCountedOnceAndAMissingOneIsTold() throws {
    let scratch = try Scratch()
    let primary = try SessionShop(in: scratch)
    let session = try primary.record(clients: 4, to: "day", in: scratch)
    func replay(_ more: [String], to name: String) throws -> String {
      let run = scratch.path(name)
      _ = try UmbraProcess.run(
        [
          "replay", session, "--target", "http://127.0.0.1:\(primary.port)", "--speed", "max", "--breaker", "off", "-q",
          "-o", run,
        ]
          + more)
      return run
    }
    let first = try replay(["--shard", "1/3"], to: "1.umbra-run")
    let again = try replay(["--shard", "1/3"], to: "1-again.umbra-run")
    let second = try replay(["--shard", "2/3"], to: "2.umbra-run")
    let other = try replay(["--shard", "1/2"], to: "other.umbra-run")
    let whole = try replay([], to: "whole.umbra-run")
    for (runs, reason) in [
      ([first, first], "the same run"), ([first, again], "both shard 1/3"), ([first, other], "overlap"),
      ([first, whole], "counted twice"), ([whole, again], "count its exchanges twice"),
    ] {
      let result = try report(runs).result
      #expect(result.status == 64 && result.output.isEmpty, "\(result.output)")
      #expect(result.error.contains(reason) || result.error.contains("twice"), "\(result.error)")
    }
    let partial = try report([second, first])
    #expect(partial.result.status != 0)
    #expect("\(partial.report["verdict"] ?? "")".contains("3 shards 1 is not here: 3."))
  }
}
