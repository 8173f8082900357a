// What an operator can get wrong: each has a message that says what to do, and its exit status.

import Foundation
import Testing

@Suite struct BadInputTests {
  private func fails(_ arguments: [String], _ status: Int32, _ parts: String..., input: Data? = nil) throws {
    let result = try UmbraProcess.run(arguments, input: input)
    #expect(result.status == status, "\(arguments): \(result.error)")
    for part in parts { #expect(result.error.contains(part), "\(arguments): \(result.error)") }
    #expect(!result.error.contains("Fatal error"))
  }

  @Test func unknownInterface() throws {
    guard geteuid() == 0 else { return }
    try fails(["capture", "-i", "loo"], 2, "there is no interface 'loo'", "lo")
  }

  @Test func noPrivilege() throws {
    guard geteuid() == 0, let setpriv = program("setpriv") else { return }
    let child = try Child(
      setpriv,
      ["--bounding-set=-net_raw,-net_admin", "--inh-caps=-all", UmbraProcess.binary.path, "capture", "-i", "lo"])
    let result = child.wait()
    #expect(result.status == 2)
    #expect(result.error.contains("CAP_NET_RAW"), "\(result.error)")
    #expect(result.error.contains("sudo setcap cap_net_raw"), "\(result.error)")
    #expect(result.error.split(separator: "\n").count == 1, "one message: \(result.error)")
  }

  @Test func filesThatAreNoCapture() throws {
    let scratch = try Scratch()
    try fails(["capture", "-r", scratch.path("none.pcap")], 2, "none.pcap")
    try fails(["capture", "-r", try scratch.write("empty.pcap", "")], 2, "empty")
    try fails(["capture", "-r", try scratch.write("text.pcap", "hello, this is no capture")], 2, "text.pcap")
    try fails(["capture", "-r", scratch.url.path], 2, scratch.url.lastPathComponent)
  }

  @Test func aCaptureThatIsDamagedInItsMiddle() throws {
    let scratch = try Scratch()
    var conversation = Packets()
    for number in 0..<40 {
      conversation.fromClient("GET /\(number) HTTP/1.1\r\nHost: shop\r\n\r\n")
      conversation.fromServer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    }
    let path = try Sessions.write(conversation, in: scratch)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    // Two records or so; the damage begins within one.
    bytes.replaceSubrange(2000..<2200, with: Data(repeating: 0xff, count: 200))
    try bytes.write(to: URL(fileURLWithPath: path))
    let session = scratch.path("s.umbra")
    let captured = try UmbraProcess.run(["capture", "-r", path, "-w", session])
    #expect(captured.status == 0 && captured.error.contains("is damaged at byte"), "\(captured.error)")
    let shown = try UmbraProcess.run(["show", session, "--format", "jsonl"]).output.split(separator: "\n")
    #expect(shown.count > 30 && shown.count <= 40)
    let stats = try UmbraProcess.run(["stats", session, "--format", "json"]).output
    let ledger =
      (try JSONSerialization.jsonObject(with: Data(stats.utf8)) as? [String: Any])?["ledger"] as? [String: Any]
    #expect((ledger?["file_bytes_skipped"] as? Int ?? 0) > 100, "\(stats)")
    let text = try UmbraProcess.run(["stats", session]).output
    #expect(text.contains("bytes of a damaged capture file"), "\(text)")
  }

  @Test func filesThatAreNoSession() throws {
    let scratch = try Scratch()
    for command in ["show", "stats"] {
      try fails([command, scratch.path("none.umbra")], 2, "none.umbra")
      try fails([command, try scratch.write("text.umbra", "hello, this is no session")], 2, "not an umbra session")
      try fails([command, try scratch.write("empty.umbra", "")], 2, "empty")
    }
    try fails(["report", try scratch.write("x.umbra-run", "nothing like a run file at all")], 2, "not an umbra")
  }

  @Test func usage() throws {
    try fails(["capture"], 64, "name a source")
    try fails(["capture", "-i", "lo", "-r", "x"], 64, "exclude each other")
    try fails(["capture", "-r", "x", "-p", "99999"], 64, "99999")
    try fails(["capture", "-r", "x", "--body-limit", "lots"], 64, "lots")
    try fails(["nonsense"], 64)
    try fails(["replay", "x.umbra", "--target", "ftp://canary"], 64, "ftp")
    try fails(["replay", "x.umbra", "--target", "http://c", "--rate", "fast"], 64, "fast")
    try fails(["replay", "x.umbra", "--target", "http://c", "--gate", "nonsense < 1"], 64, "nonsense")
    try fails(["replay", "x.umbra", "--target", "http://c", "--report", "x.pdf"], 64, "x.pdf")
    try fails(["report", "x.umbra-run", "--format", "pdf"], 64, "pdf")
  }

  @Test func badFilter() throws {
    let scratch = try Scratch()
    let session = try Sessions.empty(in: scratch)
    try fails(["capture", "-r", session.capture, "-f", "tcp prt 80"], 2, "tcp prt 80")
    try fails(["show", session.session, "--where", "status>>5"], 64, "column")
    try fails(["show", session.session, "--where", "colour=red"], 64, "colour", "method")
  }

  @Test func sessionsWithoutExchanges() throws {
    let scratch = try Scratch()
    let session = try Sessions.empty(in: scratch)
    try fails(["show", session.session], 2, "no exchanges")
    try fails(["replay", session.session, "--target", "http://127.0.0.1:1"], 3, "nothing to replay")
    #expect(try UmbraProcess.run(["stats", session.session]).status == 0)
  }

  @Test func aFilterThatMatchesNothing() throws {
    let scratch = try Scratch()
    let session = try Sessions.small(in: scratch)
    try fails(["show", session, "--where", "status=599"], 2, "none of 2 exchanges", "status=599")
    try fails(["show", session, "--id", "9-9"], 2, "no exchange 9-9")
  }

  @Test func existingFilesAreNotOverwritten() throws {
    let scratch = try Scratch()
    let capture = try Sessions.empty(in: scratch).capture
    let foreign = try scratch.write("notes.txt", "precious")
    try fails(["capture", "-r", capture, "-w", foreign, "--overwrite"], 2, "notes.txt")
    #expect(try String(contentsOfFile: foreign, encoding: .utf8) == "precious")
    let session = try Sessions.small(in: scratch)
    try fails(["capture", "-r", capture, "-w", session], 2, "--overwrite")
  }

  @Test func diskFull() throws {
    let scratch = try Scratch()
    let session = try Sessions.small(in: scratch)
    guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
    let capture = try Sessions.capture(in: scratch)
    try fails(["capture", "-r", capture, "-w", "/dev/full"], 2, "full")
    let shown = try Child("/bin/sh", ["-c", "\"$0\" show \"$1\" > /dev/full", UmbraProcess.binary.path, session]).wait()
    #expect(shown.status == 2)
    #expect(shown.error.contains("No space left"))
  }

  @Test func aClosedPipeIsNoFailure() throws {
    let scratch = try Scratch()
    let session = try Sessions.small(in: scratch)
    let piped = try Child("/bin/sh", ["-c", "\"$0\" show \"$1\" | true", UmbraProcess.binary.path, session]).wait()
    #expect(piped.status == 0)
    #expect(piped.error.isEmpty)
  }

  @Test func aTargetThatRefuses() throws {
    let scratch = try Scratch()
    let session = try Sessions.small(in: scratch)
    let port = try freePort()
    try fails(["replay", session, "--target", "http://127.0.0.1:\(port)"], 2, "127.0.0.1:\(port)", "refused")
    try fails(["replay", session, "--target", "http://no.such.name.invalid"], 2, "no.such.name.invalid")
  }
}
