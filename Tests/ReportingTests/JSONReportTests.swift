import Foundation
import Reporting
import Testing

@Suite struct JSONReportTests {
  private func parsed(_ bytes: [UInt8]) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
  }

  @Test func printsWhatWasApproved() throws {
    try expectGolden(SampleReports.failing.rendered(as: .json), "failing.json")
    try expectGolden(SampleReports.empty.rendered(as: .json), "empty.json")
  }

  @Test func namesAreThePromisedOnes() throws {
    let report = try parsed(SampleReports.failing.rendered(as: .json))
    #expect(
      Set(report.keys) == [
        "run", "verdict", "gates", "ledger", "schedule", "totals", "latency", "endpoints", "clusters", "suppressions",
        "comparison", "timeline",
      ])
    let cluster = try #require((report["clusters"] as? [[String: Any]])?[5])
    #expect(
      Set(cluster.keys).isSuperset(of: [
        "id", "endpoint", "location", "kind", "severity", "count", "compared", "noise", "p_value", "examples",
        "explain",
      ]))
    #expect(cluster["location"] as? String == "header:cache-control")
    #expect(cluster["noise"] as? Int == 4)
    #expect(cluster["p_value"] as? Double == 0.377)
    #expect(cluster["examples"] as? [String] == ["31-4"])
    let endpoint = try #require((report["endpoints"] as? [[String: Any]])?[0])
    #expect(Set(endpoint.keys).isSuperset(of: ["endpoint", "compared", "different", "statuses", "latency"]))
    let latency = try #require(endpoint["latency"] as? [String: [String: Any]])
    #expect(Set(latency.keys) == ["primary", "shadow", "ratio"])
    #expect(latency["ratio"].map { Set($0.keys) } == ["p50", "p95", "p99", "low", "high", "intervals"])
    #expect(latency["ratio"]?["low"] as? Double == 1.12)
    let verdict = try #require(report["verdict"] as? [String: Any])
    #expect(verdict["outcome"] as? String == "fail")
  }

  @Test func aRatioNeedsBothSides() throws {
    let report = try parsed(SampleReports.inconclusive.rendered(as: .json))
    let latency = try #require(report["latency"] as? [String: Any])
    #expect(latency["primary"] is NSNull)
    #expect(latency["ratio"] is NSNull)
    #expect(report["ledger"] is NSNull)
  }

  @Test func anyStringIsValidJSONOnOneLine() throws {
    let bytes = SampleReports.filled(with: SampleReports.hostileText).rendered(as: .json)
    let report = try parsed(bytes)
    let session = try #require((report["run"] as? [String: Any])?["session"] as? String)
    #expect(session.unicodeScalars.map(\.value) == SampleReports.hostileText.unicodeScalars.map(\.value))
    #expect(String(validating: bytes, as: UTF8.self) != nil)
    let text = String(decoding: bytes, as: UTF8.self).unicodeScalars
    #expect(!text.contains { $0.value < 0x20 && $0 != "\n" || $0 == "\u{202e}" || $0 == "\u{9b}" })
  }

  @Test func theSameReportGivesTheSameBytes() {
    let first = SampleReports.failing.rendered(as: .json)
    for _ in 0..<5 { #expect(SampleReports.failing.rendered(as: .json) == first) }
  }
}
