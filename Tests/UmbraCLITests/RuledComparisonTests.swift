// Rules as the comparison and the client take them.

import ContentTree
import HTTPModel
import ReplayClient
import ResponseDiff
import Testing
import TrafficRules

@testable import UmbraCLI

@Suite struct RuledComparisonTests {
  private func rules(_ text: String) -> RuleSet {
    RuleReader.read([("r.yaml", Array("version: 1\n\(text)".utf8))], today: RuleDate("2026-11-21")!).rules
  }

  private func exchange(_ target: String) throws -> Exchange { try ImaginedRequest("GET \(target)").exchange }

  @Test func compareRulesBecomeOptions() throws {
    let comparison = RuledComparison(
      rules(
        """
        compare:
          ignore:
            - { at: status }
            - { at: "header:ETag", as: token, reason: cache, owner: web }
            - { at: "trailer:Grpc-Status" }
            - { at: body, match: { path: /a/** } }
            - { at: "body:/**/t", as: time, within: 1500ms, expires: 2027-03-01 }
            - { at: "body:/n", as: number, within: 0.5 }
            - { at: "body:/old", as: uuid, expires: 2026-11-21 }
          arrays: [{ at: /a, key: id }, { at: /b, as: set }, { at: /c, as: multiset }, { at: /d, as: list }]
          numbers: [{ at: /p, within: 0.01 }, { at: /q, within: 5% }]
        """
      ).compare, ignore: [.header("date")], now: Timestamp(seconds: 1_795_300_000, nanoseconds: 0))
    let options = comparison.options
    #expect(options.ignore == [.header("date")])
    #expect(
      options.suppressions.map { "\($0.at) \($0.form)" } == [
        "status any", "header:etag token", "trailer:grpc-status any", "body any", "body:/**/t time", "body:/n number",
        "body:/old uuid",
      ])
    #expect(options.suppressions[1].reason == "cache" && options.suppressions[1].owner == "web")
    #expect(options.suppressions.map(\.within) == [nil, nil, nil, nil, 1.5, 0.5, nil])
    #expect(options.suppressions[4].expires?.description == "2027-03-01T00:00:00.000000000Z")
    #expect(options.suppressions[6].isExpired(at: options.now!) && !options.suppressions[4].isExpired(at: options.now!))
    #expect(options.arrays.map(\.order) == [.key("id"), .set, .multiset, .list])
    #expect(options.numbers.map(\.within) == [0.01, 0.05] && options.numbers.map(\.isRelative) == [false, true])
    #expect(try comparison.inapplicable(to: exchange("/a/b")) == [])
    #expect(try comparison.inapplicable(to: exchange("/b")) == [3])
  }

  @Test(arguments: [
    "1970-01-01", "1972-02-29", "1999-12-31", "2000-02-29", "2000-03-01", "2027-01-01", "2100-02-28", "2261-12-31",
  ])
  func aDayBeginsAtMidnight(day: String) {
    #expect(RuleDate(day)!.midnight.description == "\(day)T00:00:00.000000000Z")
  }

  @Test func aDayBeyondTimestampsIsAsGoodAsNever() {
    #expect(
      RuleDate("2999-01-01")!.midnight.nanoseconds == .max && RuleDate("0001-01-01")!.midnight.nanoseconds == .min)
  }

  @Test func routesAndFaultsBecomeTheClients() throws {
    let set = rules(
      """
      routes:
        - { match: { path: /a }, timeout: 2s, retries: 3, backoff: none, concurrency: 4, allow_unsafe: true }
        - { match: { path: /b }, allow_unsafe: false }
      faults: [{ delay: 1ms..2ms, share: 10% }, { abort: 503 }, { reset: true }, { throttle: 64KB/s }]
      """)
    let route = try #require(set.routes[0].route(number: 7))
    #expect(route.number == 7 && route.timeout == 2_000_000_000 && route.retries == 3 && route.concurrency == 4)
    #expect(route.backoff == .none && set.routes[1].route(number: 8) == nil)
    #expect(
      set.faults.map(\.fault) == [
        .delay(share: 0.1, 1_000_000...2_000_000), .abort(share: 1, status: 503), .reset(share: 1),
        .throttle(bytesPerSecond: 64_000),
      ])
  }
}
