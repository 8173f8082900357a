import Testing

@testable import ResponseDiff

/// Planted regressions among noise: every one is found as one cluster at the right place, and nothing else is.
@Suite struct ProofTests {
  @Test(arguments: 1...20) func everyRegressionIsFoundAndNothingElse(seed: UInt64) throws {
    var servers = PlantedServers(seed: seed)
    let report = analysed(servers.answers())
    let confirmed = report.clusters.filter(\.isConfirmed)
    for planted in PlantedServers.regressions {
      let found = confirmed.filter { $0.endpoint == planted.endpoint }
      let cluster = try #require(found.first, "\(planted.endpoint) was not found")
      #expect(found.count == 1, "\(found.map { "\($0.location) \($0.kind)" })")
      // A gRPC message is shown by its fields where they can be told.
      let isInBody = planted.location == .body && "\(cluster.location)".hasPrefix("body")
      #expect(cluster.location == planted.location || isInBody, "\(cluster.explanation)")
      #expect(cluster.kind == planted.kind, "\(cluster.explanation)")
    }
    let endpoints = Set(PlantedServers.regressions.map(\.endpoint))
    #expect(confirmed.allSatisfy { endpoints.contains($0.endpoint) }, "\(confirmed.map(\.explanation))")
    #expect(report.verdict.outcome == .fail && report.gates[0].value == Double(endpoints.count))

    func features(_ endpoint: String) -> [String] {
      confirmed.first { $0.endpoint == endpoint }?.features.map(\.text) ?? []
    }
    #expect(
      features("GET /items/{id}") == ["currency=JPY"] && features("GET /users/{id}") == ["header x-view: compact"])
  }

  @Test(arguments: 1...10) func twoInstancesOfThePrimaryPass(seed: UInt64) {
    var servers = PlantedServers(seed: seed)
    // The shadow gets the control's place: it is one more primary.
    let answers = servers.answers().map { answer in
      var answer = answer
      answer.shadow = answer.recorded
      swap(&answer.times.shadow, &answer.controlTime!)
      return answer
    }
    let report = analysed(answers)
    #expect(report.verdict.outcome == .pass, "\(report.clusters.filter(\.isConfirmed).map(\.explanation))")
  }
}
