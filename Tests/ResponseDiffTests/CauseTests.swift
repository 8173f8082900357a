import HTTPModel
import Testing

@testable import ResponseDiff

@Suite struct CauseTests {
  private func answers(
    _ count: Int, _ make: (Int) -> HTTPRequest, isAffected: (Int) -> Bool, _ shadow: String
  ) -> [Answers] {
    (0..<count).map { n in
      let plain = "{\"price\":1,\"tax\":2}"
      return Answers(
        request: make(n), recorded: json(plain), shadow: json(isAffected(n) ? shadow : plain), control: json(plain))
    }
  }

  private func currency(_ n: Int) -> String { ["EUR", "USD", "JPY", "CHF"][n % 4] }

  @Test func theSentenceNamesWhatTheAffectedHaveInCommon() throws {
    let report = analysed(
      answers(
        400, { request("GET", "/items/\($0)?currency=\(currency($0))&page=\($0)") }, isAffected: { $0 % 4 == 2 },
        "{\"price\":\"1\",\"tax\":2}"))
    let cluster = try #require(report.clusters.first)
    #expect(
      cluster.explanation.hasPrefix(
        "/price became text in 100 of 400 answers of GET /items/{id}, as from 1 to \"1\"; all had currency=JPY, "
          + "and none of the others. The control never shows it in 400 pairs"))
    #expect(cluster.features.map(\.text) == ["currency=JPY"] && report.clusters.count == 1)
  }

  @Test(arguments: [
    ("header", "header accept-language: ja"), ("body", "body kind=\"gift\""), ("absence", "parameter debug"),
  ])
  func featuresAreOfAllParts(part: String, text: String) throws {
    let report = analysed(
      answers(
        200,
        { n in
          let isAffected = n % 5 == 0
          return switch part {
          case "header": request("GET", "/", [("Accept-Language", isAffected ? "ja" : "de"), ("X-Request-Id", "\(n)")])
          case "body":
            request(
              "POST", "/", [("Content-Type", "application/json")],
              body: "{\"kind\":\"\(isAffected ? "gift" : "sale")\",\"n\":\(n)}")
          default: request("GET", isAffected ? "/?n=\(n)" : "/?n=\(n)&debug=\(n)")
          }
        }, isAffected: { $0 % 5 == 0 }, "{\"price\":1}"))
    let feature = try #require(report.clusters.first?.features.first)
    #expect(feature.text == text && feature.affected == 1 && feature.others == 0)
    #expect(feature.isAbsent == (part == "absence"))
  }

  @Test func chanceIsNoCommonFeature() {
    let report = analysed(
      answers(
        200, { request("GET", "/?a=\($0 % 3)&b=\($0 % 7)&c=\($0)") }, isAffected: { $0 * 31 % 10 == 3 }, "{\"price\":1}"
      ))
    #expect(report.clusters.count == 1 && report.clusters[0].features.isEmpty)
  }

  @Test func whatComesTogetherIsOneFinding() throws {
    let report = analysed(
      answers(200, { request("GET", "/items/\($0)") }, isAffected: { $0 % 4 == 0 }, "{\"price\":\"1\",\"vat\":2}"))
    let cluster = try #require(report.clusters.first)
    #expect(report.clusters.count == 1 && cluster.count == 50)
    #expect(cluster.related.count == 2 && cluster.explanation.contains("With it came "))
    let ids = Set([cluster.id] + cluster.related.map(\.id))
    #expect(ids.count == 3)
  }

  @Test func whatHappensInOtherAnswersIsAnotherFinding() {
    var all = answers(200, { _ in request() }, isAffected: { $0 % 4 == 0 }, "{\"price\":\"1\",\"tax\":2}")
    for n in stride(from: 1, to: 200, by: 4) { all[n].shadow = json("{\"price\":1}") }
    #expect(Set(analysed(all).clusters.map(\.location)) == [.bodyPath("/price"), .bodyPath("/tax")])
  }

  /// All answers have both, so that they come together says nothing.
  @Test func whatConcernsAllAnswersIsApartUnlessItStandsTogether() {
    let report = analysed(
      (0..<100).map { _ in
        let headers = [("X-A", "1"), ("Content-Type", "application/json")]
        return Answers(
          request: request(), recorded: response(200, headers, body: "{\"a\":1,\"b\":{\"c\":1}}"),
          shadow: response(200, [headers[1]], body: "{\"a\":\"1\",\"b\":{\"c\":2}}"),
          control: response(200, headers, body: "{\"a\":1,\"b\":{\"c\":1}}"))
      })
    #expect(
      Set(report.clusters.map(\.location)) == [.header("x-a"), .bodyPath("/a"), .bodyPath("/b/c")])
  }

  @Test func theSmallestRequestIsShown() throws {
    let report = analysed(
      answers(
        40, { request("GET", "/items/\($0)?x=\(String(repeating: "y", count: 50 - $0))") }, isAffected: { $0 < 20 },
        "{\"price\":1}"))
    let cluster = try #require(report.clusters.first)
    #expect(cluster.curl?.contains("/items/19?x=") == true && cluster.examples[0].curl.contains("/items/0?x="))
  }

  @Test func featuresAreBounded() {
    var table = FeatureTable()
    var present: [Int] = []
    for n in 0..<2000 { table.count(request("GET", "/?k\(n)=\(n)&same=\(n)"), into: &present) }
    #expect(table.requests == 2000 && (present.max() ?? 0) < 192)
    #expect(table.separators(FeatureCounts()).isEmpty)
  }
}
