// `show` and `stats` with the real binary: filters, order, columns, following, bodies set out for a person.

import Foundation
import Testing

@Suite struct InspectTests {
  private func show(_ session: String, _ arguments: String...) throws -> [String] {
    let result = try UmbraProcess.run(["show", session] + arguments)
    #expect(result.status == 0 || result.error.contains("none of"), "\(arguments): \(result.error)")
    return result.output.split(separator: "\n").map(String.init)
  }

  /// The identifiers that a filter lets through.
  private func matching(_ session: String, _ filter: String) throws -> [String] {
    try show(session, "--columns", "id", "--where", filter).dropFirst().map { $0.trimmingCharacters(in: .whitespaces) }
      .map { $0.replacingOccurrences(of: " !", with: "") }
  }

  @Test("The conditions of --where")
  func filters() throws {
    let scratch = try Scratch()
    let session = try ConvertTests.shop(in: scratch)
    let cases: [(String, [String])] = [
      ("method=POST", ["1-1"]), ("method!=POST", ["1-2"]), ("status=5xx", ["1-2"]), ("status>=200 status<300", ["1-1"]),
      ("path=/orders", ["1-1"]), ("target=/orders?id=7", ["1-1"]), ("query=id=7", ["1-1"]),
      ("path~^/(slow|fast)$", ["1-2"]),
      ("path!~^/o", ["1-2"]), ("host=SHOP", ["1-1", "1-2"]), ("method=POST or status=500", ["1-1", "1-2"]),
      ("not method=POST", ["1-2"]), ("(method=GET or method=POST) and not status=500", ["1-1"]),
      ("type=application/json", ["1-1"]), ("response.header:content-type=application/json", ["1-1"]),
      ("header:Set-Cookie~^sid=", ["1-1"]), ("request.header:set-cookie~.", []), ("response.body=abcde", ["1-2"]),
      (#"body~"\"item\": \"ä\"""#, ["1-1"]), ("size>=8B", ["1-1"]), ("request.size=14", ["1-1"]),
      ("latency<1h", ["1-1", "1-2"]),
      ("start>=2023-11-14T22:13 start<2023-11-15", ["1-1", "1-2"]), ("start=2023-11-14T22:13:20Z id=1-2", ["1-2"]),
      ("endpoint=\"GET /slow\"", ["1-2"]), ("protocol=http/1.1 tls=no complete=yes connection=1", ["1-1", "1-2"]),
      ("anomaly~.", []),
    ]
    for (filter, expected) in cases { #expect(try matching(session, filter) == expected, "\(filter)") }
  }

  @Test("A wrong filter is pointed at")
  func wrongFilters() throws {
    let scratch = try Scratch()
    let session = try Sessions.small(in: scratch)
    let cases = [
      ("status>>5", 8, "'>5' is no status"), ("method=GET colour=red", 12, "'colour' is no field"),
      ("(method=GET", 1, "the bracket is not closed"), ("method=GET)", 11, "this bracket closes nothing"),
      ("path~[", 6, "no regular expression"), ("path>5", 5, "> compares"), ("status", 7, "expected one of"),
      ("path=\"a", 6, "the quote is not closed"), ("latency>fast", 9, "time such as"),
      ("not", 4, "a condition is missing"),
      ("header:=1", 8, "the name of a header field"), ("a=1 or", 1, "'a' is no field"),
      ("method=GET or ", 15, "missing"),
    ]
    for (filter, column, problem) in cases {
      let result = try UmbraProcess.run(["show", session, "--where", filter])
      #expect(result.status == 64, "\(filter)")
      #expect(
        result.error.contains("column \(column):") && result.error.contains(problem), "\(filter): \(result.error)")
      let pointer = result.error.split(separator: "\n").last ?? ""
      #expect(pointer.count == column + 2 && pointer.hasSuffix("^"), "\(filter): \(result.error)")
    }
  }

  @Test("--head, --tail, --sort, --reverse, --columns")
  func order() throws {
    let scratch = try Scratch()
    let session = try ConvertTests.shop(in: scratch)
    #expect(try show(session, "--head", "1", "--columns", "id,status").last == "1-1           201")
    #expect(try show(session, "--tail", "1", "--columns", "id").last == "1-2")
    #expect(
      try show(session, "--sort", "status", "--columns", "status,id").dropFirst().map { $0.suffix(3) } == [
        "1-2", "1-1",
      ])
    #expect(try show(session, "--sort", "path", "--reverse", "--head", "1", "--columns", "path").last == "/slow")
    #expect(try show(session, "--sort", "start", "--reverse", "--columns", "id").last == "1-1")
    for (arguments, part) in [
      (["--head", "1", "--tail", "1"], "exclude each other"), (["--columns", "id,colour"], "colour"),
      (["--follow", "--sort", "size"], "exclude each other"), (["--sort", "colour"], "colour"),
    ] {
      let result = try UmbraProcess.run(["show", session] + arguments)
      #expect(result.status == 64 && result.error.contains(part), "\(arguments): \(result.error)")
    }
  }

  @Test("One exchange whole: JSON set out, forms as lists, bytes in hexadecimal, or as sent")
  func whole() throws {
    let scratch = try Scratch()
    var conversation = Packets()
    conversation.fromClient(
      "POST /f HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 13\r\n\r\na=1+2&b=%C3%A4"
    )
    conversation.fromServer(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"a\":[1,{}]}   ")
    conversation.fromClient("GET /b HTTP/1.1\r\nHost: a\r\n\r\n")
    conversation.fromServer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\u{0}\u{1}AB")
    let session = scratch.path("w.umbra")
    #expect(
      try UmbraProcess.run(["capture", "-r", try Sessions.write(conversation, in: scratch), "-w", session]).status == 0)
    let first = try show(session, "--id", "1-1")
    #expect(first.contains("a = 1 2"))
    #expect(first.contains { $0.hasPrefix("  \"a\": [") })
    #expect(try show(session, "--id", "1-1", "--body", "raw").contains("{\"a\":[1,{}]}   "))
    #expect(try show(session, "--id", "1-2").contains { $0.hasPrefix("0000  00 01 41 42") && $0.hasSuffix("..AB") })
  }

  @Test("HAR is one file, also where nothing stands between its entries")
  func har() throws {
    let scratch = try Scratch()
    let output = try UmbraProcess.run(["show", try Sessions.small(in: scratch), "--format", "har"]).output
    let file = try #require(JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
    #expect(((file["log"] as? [String: Any])?["entries"] as? [Any])?.count == 2)
  }

  @Test("--follow prints what is added to a session, and ends with it")
  func follow() throws {
    let scratch = try Scratch()
    let capture = scratch.path("grows.pcap")
    let whole = try Data(contentsOf: URL(fileURLWithPath: try Sessions.capture(in: scratch)))
    let half = 24 + (whole.count - 24) / 2
    try whole.prefix(half).write(to: URL(fileURLWithPath: capture))
    let session = scratch.path("grows.umbra")
    let writer = try Child(UmbraProcess.binary.path, ["capture", "-r", capture, "--follow", "-w", session])
    #expect(
      eventually { FileManager.default.fileExists(atPath: session) && Self.size(session) > 200 },
      "\(writer.standardError)")
    let follower = try Child(UmbraProcess.binary.path, ["show", session, "--follow", "--columns", "id,status"])
    let file = try #require(FileHandle(forWritingAtPath: capture))
    file.seekToEndOfFile()
    file.write(whole.dropFirst(half))
    try file.close()
    #expect(eventually { follower.standardOutput.contains("404") }, "\(follower.standardOutput)")
    writer.interrupt()
    #expect(writer.wait().status == 0)
    #expect(eventually { !follower.isRunning })
    let result = follower.wait()
    #expect(result.status == 0)
    #expect(result.output.split(separator: "\n").dropFirst().map { $0.prefix(3) } == ["1-1", "1-2"])
  }

  private static func size(_ path: String) -> Int {
    (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
  }

  @Test("stats: endpoints with bars, latencies, the ledger in words; JSON; a filter")
  func statistics() throws {
    let scratch = try Scratch()
    let session = try ConvertTests.shop(in: scratch)
    let text = try UmbraProcess.run(["stats", session]).output
    for part in ["POST /orders", "GET /slow", "█", "complete: 100%", "201 1, 500 1", "p99"] {
      #expect(text.contains(part), "\(part): \(text)")
    }
    // The source's name is as long as it is.
    let lines = text.split(separator: "\n").filter { !$0.contains(".pcap") }
    #expect(lines.allSatisfy { $0.count <= 80 }, "\(text)")
    let json = try UmbraProcess.run(["stats", session, "--format", "json", "--where", "status=500"]).output
    let figures = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    #expect(figures["exchanges"] as? Int == 1)
  }

  @Test("Endpoints are learned from the session: values in paths, gRPC methods, GraphQL operations")
  func learnedEndpoints() throws {
    let scratch = try Scratch()
    var lines = ""
    func add(_ method: String, _ target: String, _ headers: [[String]] = [], _ body: String = "") throws {
      let number = lines.count { $0 == "\n" }
      let exchange: [String: Any] = [
        "id": "1-\(number + 1)", "protocol": "http/1.1", "connection": 1, "client": "192.0.2.9:50000",
        "server": "192.0.2.1:80", "tls": false,
        "start": "2026-11-21T00:00:00.\(String(1000 + number).dropFirst())000000Z",
        "request": [
          "method": method, "target": target, "headers": [["Host", "shop"]] + headers,
          "body": ["text": body, "complete": true],
        ],
        "response": ["status": 200, "reason": "OK", "headers": [[String]](), "body": ["text": "", "complete": true]],
        "timing": ["request_us": 1, "first_byte_us": 2, "total_us": 3],
      ]
      lines += String(decoding: try JSONSerialization.data(withJSONObject: exchange), as: UTF8.self) + "\n"
    }
    for number in 0..<120 {
      // Names, not numbers: only the traffic shows that they are values.
      let name = String("\(number)".map { Character(UnicodeScalar($0.asciiValue! + 49)) }) + "son"
      try add("GET", "/users/\(name)/posts?page=\(number)")
    }
    try add("POST", "/shop.Shop/Get", [["Content-Type", "application/grpc"]])
    try add(
      "POST", "/graphql", [["Content-Type", "application/json"]],
      #"{"query":"query Cart { cart { id } }","operationName":"Cart"}"#)
    let session = scratch.path("learned.umbra")
    let made = try UmbraProcess.run(["convert", try scratch.write("learned.jsonl", lines), session])
    try #require(made.status == 0, "\(made.error)")
    let expected = ["GET /users/{name}/posts", "POST /graphql Cart", "POST /shop.Shop/Get"]

    let figures = try UmbraProcess.run(["stats", session, "--format", "json"]).output
    let statistics = try #require(JSONSerialization.jsonObject(with: Data(figures.utf8)) as? [String: Any])
    let endpoints = try #require(statistics["endpoints"] as? [[String: Any]])
    #expect(endpoints.compactMap { $0["endpoint"] as? String }.sorted() == expected)
    #expect(endpoints.first?["exchanges"] as? Int == 120)

    let listed = try show(session, "--columns", "endpoint").dropFirst()
    #expect(listed.count == 122 && Set(listed) == Set(expected))
    #expect(try show(session, "--sort", "endpoint", "--columns", "endpoint", "--head", "1").last == expected[0])
    let json = try show(session, "--format", "jsonl").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])["endpoint"] as? String ?? ""
    }
    #expect(json.count == 122 && json.first == expected[0] && Set(json) == Set(expected))
    #expect(try matching(session, "endpoint=\"GET /users/{name}/posts\"").count == 120)
    #expect(try matching(session, "not endpoint~users").count == 2)
    // Through a pipe as well, and where a session is cut.
    let piped = try UmbraProcess.run(
      ["stats", "-", "--format", "json"], input: Data(contentsOf: URL(fileURLWithPath: session)))
    #expect(piped.output == figures)
    let cut = try UmbraProcess.run(
      ["cut", session, scratch.path("cut.umbra"), "--where", "endpoint=\"POST /graphql Cart\""])
    #expect(cut.error.contains("1 of 122 exchanges"), "\(cut.error)")
  }
}
