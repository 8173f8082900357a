// Conversions with the real binary: what one direction writes the other reads, and each way out can be taken back.

import Foundation
import Testing

@Suite struct ConvertTests {
  /// A session with a POST, an answer with a cookie, credentials, and a chunked answer.
  static func shop(in scratch: Scratch, keepingCredentials: Bool = false) throws -> String {
    var conversation = Packets()
    conversation.fromClient(
      "POST /orders?id=7 HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\nAuthorization: Bearer s3cret\r\nContent-Length: 14\r\n\r\n{\"item\": \"ä\"}"
    )
    conversation.fromServer(
      "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nSet-Cookie: sid=abc; Path=/\r\nContent-Length: 8\r\n\r\n{\"ok\":1}"
    )
    conversation.fromClient("GET /slow HTTP/1.1\r\nHost: shop\r\n\r\n")
    conversation.fromServer("HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    let capture = try Sessions.write(conversation, in: scratch)
    let session = scratch.path("shop-\(UUID().uuidString).umbra")
    try umbra(["capture", "-r", capture, "-w", session] + (keepingCredentials ? ["--keep-credentials"] : []))
    return session
  }

  @discardableResult
  private static func umbra(_ arguments: [String], input: Data? = nil) throws -> UmbraProcess.Result {
    let result = try UmbraProcess.run(arguments, input: input)
    try #require(result.status == 0, "\(arguments): \(result.error)")
    return result
  }

  private func lines(_ session: String) throws -> [[String: Any]] {
    let output = try Self.umbra(["show", session, "--format", "jsonl", "--body", "inline"]).output
    return try output.split(separator: "\n").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  /// What every format keeps of an exchange.
  private func essence(_ session: String) throws -> [String] {
    try lines(session).map { line in
      let request = line["request"] as? [String: Any]
      let response = line["response"] as? [String: Any]
      let parts: [Any?] = [
        request?["method"], request?["target"], request?["authority"], request?["headers"], request?["body"],
        response?["status"], response?["headers"], response?["body"],
      ]
      return try parts.map { part in
        let data = try JSONSerialization.data(withJSONObject: [part ?? NSNull()], options: [.sortedKeys])
        return String(decoding: data, as: UTF8.self)
      }.joined(separator: " ")
    }
  }

  @Test(
    "There and back, by every format that can be read",
    arguments: ["har", "gor", "jsonl", "har.gz", "gor.gz", "jsonl.gz"])
  func thereAndBack(_ format: String) throws {
    let scratch = try Scratch()
    let session = try Self.shop(in: scratch)
    let between = scratch.path("between.\(format)")
    let back = scratch.path("back.umbra")
    try Self.umbra(["convert", session, between])
    try Self.umbra(["convert", between, back, "--keep-credentials"])
    #expect(try essence(back) == essence(session))
    let ledger = try Self.umbra(["stats", back, "--format", "json"]).output
    #expect(ledger.contains("\"exchanges_complete\": 2"))
  }

  @Test("Packets straight to another format; standard input and output")
  func packets() throws {
    let scratch = try Scratch()
    let capture = try Sessions.capture(in: scratch)
    let har = try Self.umbra(
      ["convert", "-", "-", "--to", "har"], input: Data(contentsOf: URL(fileURLWithPath: capture)))
    let file = try #require(JSONSerialization.jsonObject(with: Data(har.output.utf8)) as? [String: Any])
    let entries = try #require((file["log"] as? [String: Any])?["entries"] as? [[String: Any]])
    #expect(entries.count == 2)
    let lines = try Self.umbra(["convert", "-", "-", "--to", "jsonl", "-q"], input: Data(har.output.utf8))
    #expect(lines.output.split(separator: "\n").count == 2)
    #expect(lines.error.isEmpty)
  }

  @Test("Credentials of a file become tokens, and are said to")
  func credentials() throws {
    let scratch = try Scratch()
    let har = try scratch.write(
      "a.har",
      #"{"log":{"entries":[{"startedDateTime":"2026-11-21T08:00:00Z","request":{"method":"GET","url":"http://a/","headers":[{"name":"Authorization","value":"Basic c2VjcmV0"}]}}]}}"#
    )
    for name in ["a.umbra", "a.jsonl"] {
      let result = try Self.umbra(["convert", har, scratch.path(name)])
      #expect(result.error.contains("credentials of 1 exchange became tokens"))
    }
    #expect(try Self.umbra(["show", scratch.path("a.umbra"), "--format", "curl"]).output.contains("Basic "))
    for name in ["a.umbra", "a.jsonl"] {
      #expect(try Data(contentsOf: URL(fileURLWithPath: scratch.path(name))).range(of: Data("c2VjcmV0".utf8)) == nil)
    }
    try Self.umbra(["convert", har, scratch.path("b.jsonl"), "--keep-credentials"])
    #expect(try String(contentsOfFile: scratch.path("b.jsonl"), encoding: .utf8).contains("Basic c2VjcmV0"))
  }

  @Test("A curl script is one that a shell can read")
  func curl() throws {
    let scratch = try Scratch()
    let script = scratch.path("day.sh")
    try Self.umbra(["convert", try Self.shop(in: scratch), script, "--where", "method=POST"])
    #expect(try Child("/bin/sh", ["-n", script]).wait().status == 0)
    let text = try String(contentsOfFile: script, encoding: .utf8)
    #expect(text.hasPrefix("#!/bin/sh\n"))
    #expect(text.contains("--data-raw '{\"item\": \"ä\"}'"))
  }

  @Test("A stored session is selected from and hidden in by rules", arguments: ["clean.umbra", "clean.jsonl"])
  func rules(name: String) throws {
    let scratch = try Scratch()
    let rules = try scratch.write(
      "rules.yaml",
      """
      version: 1
      select: [{ include: { method: POST } }]
      redact: { json: [/item] }

      """)
    let day = try Self.shop(in: scratch)
    let clean = scratch.path(name)
    let said = try Self.umbra(["convert", day, clean, "--rules", rules]).error
    #expect(said.contains("1 exchange"), "\(said)")
    let shown =
      name.hasSuffix("jsonl")
      ? try String(contentsOfFile: clean, encoding: .utf8)
      : try Self.umbra(["show", clean, "--format", "jsonl", "--body", "inline"]).output
    #expect(shown.contains("POST") && !shown.contains("\"GET\""))
    #expect(!shown.contains("ä"))
    #expect(try Self.umbra(["show", day, "--format", "jsonl", "--body", "inline"]).output.contains("ä"))
  }

  @Test("Files of one kind are joined; what is damaged in them is told with its place")
  func severalFiles() throws {
    let scratch = try Scratch()
    let record = "1 1f0000010203040506070809 1 0\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n\n🐵🙈🙉\n"
    let one = try scratch.write("x_0.gor", record)
    let two = try scratch.write("x_1.gor", "garbage\n🐵🙈🙉\n" + record)
    let out = scratch.path("x.umbra")
    let result = try Self.umbra(["convert", one, two, out])
    #expect(result.error.contains("x_1.gor, byte 0: this belongs to no record"))
    #expect(try lines(out).compactMap { $0["id"] as? String } == ["1-1", "2-1"])
  }

  @Test("What a format cannot carry is said once, with a count")
  func losses() throws {
    let scratch = try Scratch()
    let lines = try scratch.write(
      "h2.jsonl",
      #"{"id":"1-1","protocol":"h2","stream":1,"start":"2026-11-21T08:00:00Z","request":{"method":"GET","target":"/","scheme":"http","authority":"a","headers":[],"trailers":[],"body":{"size":0}},"response":{"status":200,"headers":[],"trailers":[["x","y"]],"informational":[103],"body":{"size":2,"text":"ok"}}}"#
        + "\n{\"id\":\"1-2\"\n")
    let session = scratch.path("h2.umbra")
    let read = try Self.umbra(["convert", lines, session])
    #expect(
      read.error.contains("h2.jsonl, line 2, byte 301: the text ends inside a value") || read.error.contains("line 2"))
    #expect(read.error.contains("1 entry that could not be read left out"))
    let written = try Self.umbra(["convert", session, scratch.path("h2.gor")]).error
    #expect(written.contains("1 HTTP/2 exchange written as HTTP/1.1"))
    #expect(written.contains("1 trailer section left out"))
    #expect(written.contains("1 interim (1xx) response left out"))
  }

  @Test("Merge, cut and split keep every exchange")
  func parts() throws {
    let scratch = try Scratch()
    let one = try Self.shop(in: scratch)
    let two = try Self.shop(in: scratch)
    let all = scratch.path("all.umbra")
    try Self.umbra(["merge", one, two, all])
    #expect(try lines(all).compactMap { $0["id"] as? String }.sorted() == ["1-1", "1-2", "2-1", "2-2"])
    let cut = scratch.path("cut.umbra")
    let said = try Self.umbra(["cut", all, cut, "--where", "status>=500"])
    #expect(said.error.contains("2 of 4 exchanges"))
    #expect(try lines(cut).count == 2)
    #expect(try Self.umbra(["stats", cut, "--format", "json"]).output.contains("\"exchanges_filtered\": 2"))
    for (rule, parts) in [
      ("time:1s", ["all-20231114T221320Z.umbra"]), ("size:1", ["all-0001.umbra", "all-0002.umbra"]),
      ("endpoint", ["all-get-slow.umbra", "all-post-orders.umbra"]),
    ] {
      let folder = scratch.path("by-\(rule)")
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Self.umbra(["split", all, "--by", rule, "--directory", folder])
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(names.starts(with: parts), "\(rule): \(names)")
      #expect(try names.map { try lines("\(folder)/\($0)").count }.reduce(0, +) == 4)
    }
  }

  @Test("What an operator can get wrong")
  func mistakes() throws {
    let scratch = try Scratch()
    func fails(_ arguments: [String], _ status: Int32, _ part: String) throws {
      let result = try UmbraProcess.run(arguments)
      #expect(result.status == status && result.error.contains(part), "\(arguments): \(result.error)")
    }
    let har = try scratch.write("bad.har", #"{"log":{"entries":[{"request":{"url":"http://a/"}}]}}"#)
    try fails(["convert", har, scratch.path("x.umbra")], 2, "bad.har, line 1, byte 19: startedDateTime is missing")
    try fails(["convert", har], 64, "a file to write")
    try fails(["convert", har, scratch.path("x.doc")], 64, "say --to")
    try fails(["convert", har, scratch.path("x.pcap")], 64, "can be read only")
    try fails(["convert", har, har], 64, "read and written at once")
    try fails(["convert", scratch.path("none.har"), scratch.path("x.umbra")], 2, "none.har")
    try fails(["convert", try scratch.write("empty.har", ""), scratch.path("x.umbra")], 2, "is empty")
    try fails(["convert", try scratch.write("flows", "1234:6:method"), scratch.path("x.umbra")], 2, "ends within")
    try fails(["convert", try Sessions.small(in: scratch), har], 2, "--overwrite")
    try fails(["split", try Sessions.small(in: scratch), "--by", "colour"], 64, "colour")
  }
}
