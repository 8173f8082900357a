// Replays whose requests need what the shadow itself made: logins, form tokens, ids.

import Foundation
import Testing

@Suite(.enabled(if: program("python3") != nil, "python3 is not installed"))
struct CorrelationTests {
  private static let clients = 6
  /// Login page, login, cart, profile, three items made and looked at, order made and looked at.
  private static let requests = 12 * clients

  private func replay(_ session: String, to port: Int, _ more: [String]) throws -> UmbraProcess.Result {
    try UmbraProcess.run(
      ["replay", session, "--target", "http://127.0.0.1:\(port)", "--allow-unsafe", "--progress", "none"] + more)
  }

  private func report(_ run: String) throws -> [String: Any] {
    let result = try UmbraProcess.run(["report", run, "--format", "json"])
    return try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }

  private func record(in scratch: Scratch) throws -> String {
    let primary = try SessionShop(in: scratch)
    return try primary.record(clients: CorrelationTests.clients, to: "day", in: scratch)
  }

  @Test(
    arguments: [
      ["--speed", "1x"], ["--speed", "max"], ["--speed", "max", "--connections", "3"], ["--rate", "400/s"],
      ["--speed", "0.5x", "--connections", "8"],
    ])
  func theShadowsOwnValuesTakeTheRecordedOnesPlaces(_ pacing: [String]) throws {
    let scratch = try Scratch()
    let session = try record(in: scratch)
    let run = scratch.path("auto.umbra-run")
    let shadow = try SessionShop(in: scratch)
    let result = try replay(session, to: shadow.port, ["--correlate", "auto", "-o", run] + pacing)
    let answers = try shadow.answers(in: scratch)
    #expect(answers.good == CorrelationTests.requests, "\(answers) \(result.output)\(result.error)")
    #expect(answers.bad == 0)
    let totals = try #require(try report(run)["totals"] as? [String: Any])
    #expect((totals["errors"] as? [String: Any])?.isEmpty ?? true)
  }

  @Test func withoutThemMostRequestsFail() throws {
    let scratch = try Scratch()
    let session = try record(in: scratch)
    let shadow = try SessionShop(in: scratch)
    let result = try replay(session, to: shadow.port, ["--speed", "max"])
    let answers = try shadow.answers(in: scratch)
    #expect(answers.good + answers.bad == CorrelationTests.requests, "\(result.error)")
    #expect(answers.bad >= CorrelationTests.requests * 3 / 4, "\(answers)")
  }

  @Test func eachRoundHasValuesOfItsOwn() throws {
    let scratch = try Scratch()
    let session = try record(in: scratch)
    let shadow = try SessionShop(in: scratch)
    let result = try replay(session, to: shadow.port, ["--correlate", "auto", "--speed", "max", "--loop", "3"])
    let answers = try shadow.answers(in: scratch)
    #expect(answers.good == 3 * CorrelationTests.requests && answers.bad == 0, "\(answers) \(result.error)")
  }

  @Test func whatNeedsAFailedAnswerIsBlocked() throws {
    let scratch = try Scratch()
    let session = try record(in: scratch)
    let run = scratch.path("blocked.umbra-run")
    let shadow = try SessionShop(in: scratch, breaks: "login")
    let result = try replay(
      session, to: shadow.port, ["--correlate", "auto", "--speed", "max", "--breaker", "off", "-o", run])
    #expect(result.status == 1, "\(result.output)\(result.error)")
    #expect(result.output.contains("\(10 * CorrelationTests.clients) requests were not sent"), "\(result.output)")
    let totals = try #require(try report(run)["totals"] as? [String: Any])
    #expect((totals["errors"] as? [String: Any])?["blocked"] as? Int == 10 * CorrelationTests.clients, "\(totals)")
    let answers = try shadow.answers(in: scratch)
    #expect(answers.good == CorrelationTests.clients && answers.bad == CorrelationTests.clients)
  }

  @Test func whatNeedsARequestThatIsNotSentIsBlocked() throws {
    let scratch = try Scratch()
    let session = try record(in: scratch)
    let shadow = try SessionShop(in: scratch)
    let result = try UmbraProcess.run([
      "replay", session, "--target", "http://127.0.0.1:\(shadow.port)", "--progress", "none", "--correlate", "auto",
      "--speed", "max",
    ])
    let answers = try shadow.answers(in: scratch)
    #expect(answers.good == CorrelationTests.clients && answers.bad == 0, "\(answers) \(result.output)\(result.error)")
    #expect(result.output.contains("--allow-unsafe"))
  }

  @Test func suggestOnlySays() throws {
    let scratch = try Scratch()
    let session = try record(in: scratch)
    let shadow = try SessionShop(in: scratch)
    let result = try replay(session, to: shadow.port, ["--correlate", "suggest", "--speed", "max"])
    #expect(result.error.contains("POST /login  cookie:sid"), "\(result.error)")
    #expect(try shadow.answers(in: scratch).bad > 0)
  }

  @Test func showPrintsTheGraph() throws {
    let scratch = try Scratch()
    let session = try record(in: scratch)
    let shown = try UmbraProcess.run(["show", "--dependencies", session])
    #expect(shown.status == 0, "\(shown.error)")
    for line in [
      "GET /login  form:csrf_token", "POST /login  cookie:sid", "POST /login  body:/csrf_token",
      "GET /cart  body:/cart/id",
      "GET /profile  query:state, in base64",
    ] { #expect(shown.output.contains(line), "\(line) is not in \(shown.output)") }
    let lines = try UmbraProcess.run(["show", "--dependencies", session, "--format", "jsonl"])
    let edges = try lines.output.split(separator: "\n").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: String])
    }
    // Each client: the form's token; 10 cookies; the session's token four times and its handle; the cart's id four
    // times; three items; an order.
    #expect(edges.count == CorrelationTests.clients * 24, "\(shown.output)")
    #expect(edges.allSatisfy { $0["producer"] != $0["dependant"] })
  }
}
