// GoReplay's middleware protocol with programs of the system as the middleware.

import Foundation
import Testing

@Suite struct MiddlewareTests {
  /// Replays GET /one and GET /two through middleware; the targets that the server saw, in order.
  private func replay(_ middleware: [String], in scratch: Scratch) throws -> (seen: [String], said: String) {
    let log = scratch.path("seen-\(UUID().uuidString).log")
    let nginx = try Nginx(
      locations: "location / { access_log \(log); return 200 'ok'; default_type text/plain; }")
    let result = try UmbraProcess.run(
      ["replay", try Sessions.small(in: scratch), "--target", "http://127.0.0.1:\(nginx.port)", "--speed", "max"]
        + middleware.flatMap { ["--middleware", $0] })
    #expect([0, 1, 3].contains(result.status), "\(result.error)")
    // As in: … "GET /one HTTP/1.1" 200 2 …
    let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
    return (text.split(separator: "\n").map { String($0.split(separator: " ")[6]) }, result.error)
  }

  private static let isPossible = program("nginx") != nil && program("sed") != nil && program("grep") != nil

  @Test("Requests pass, change, stay away; a chain does one after the other", .enabled(if: isPossible))
  func passing() throws {
    let scratch = try Scratch()
    #expect(try replay(["cat"], in: scratch).seen == ["/one", "/two"])
    // /one as /six, in hexadecimal digits.
    let change = "sed -u 's/2f6f6e65/2f736978/'"
    #expect(try replay([change], in: scratch).seen == ["/six", "/two"])
    let dropped = try replay(["grep --line-buffered -v 2f74776f", change], in: scratch)
    #expect(dropped.seen == ["/six"])
    #expect(dropped.said.contains("the middleware kept 1 request to itself"), "\(dropped.said)")
  }

  @Test("Recorded and replayed responses are shown to it", .enabled(if: isPossible))
  func responses() throws {
    let scratch = try Scratch()
    let seen = scratch.path("lines")
    _ = try replay(["tee '\(seen)'"], in: scratch)
    let lines = try String(contentsOfFile: seen, encoding: .utf8).split(separator: "\n")
    // The first digit of each is the type's, in hexadecimal.
    let types = lines.map { $0.prefix(2) }.sorted()
    #expect(types == ["31", "31", "32", "32", "33", "33"], "\(types)")
  }

  @Test("A middleware that crashes is said to, and the replay goes on", .enabled(if: isPossible))
  func crash() throws {
    let scratch = try Scratch()
    let crashed = try replay(["exit 7"], in: scratch)
    #expect(crashed.seen == ["/one", "/two"])
    #expect(
      crashed.said.contains("the middleware 'exit 7' ended with status 7; requests go on as recorded"),
      "\(crashed.said)")
    let killed = try replay(["cat", "head -n 1 >/dev/null; kill -9 $$"], in: scratch)
    #expect(killed.seen == ["/one", "/two"])
    #expect(killed.said.contains("signal 9"), "\(killed.said)")
  }

  @Test("What is no answer is counted and does no harm", .enabled(if: isPossible))
  func nonsense() throws {
    let scratch = try Scratch()
    let result = try replay(["sed -u 'p;s/.*/hello/'"], in: scratch)
    #expect(result.seen == ["/one", "/two"])
    #expect(result.said.contains("answer no request"), "\(result.said)")
  }
}
