// Sessions and runs that are encrypted, through every command that writes or reads them.

import Foundation
import Testing

@Suite struct EncryptionAtRestTests {
  private func umbra(_ arguments: String...) throws -> UmbraProcess.Result { try UmbraProcess.run(arguments) }

  private func holdsPlaintext(_ path: String) throws -> Bool {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    return bytes.range(of: Data("shop".utf8)) != nil
  }

  @Test(.enabled(if: program("nginx") != nil, "nginx is not installed"))
  func everyCommandWritesAndReadsWithTheKey() throws {
    let scratch = try Scratch()
    let key = try scratch.write("key", String(repeating: "k", count: 32))
    let other = try scratch.write("other", String(repeating: "o", count: 32))
    let short = try scratch.write("short", "k")
    let session = scratch.path("s.umbra")
    let packets = try Sessions.capture(in: scratch)
    let open = try umbra("capture", "-r", packets, "-w", session, "--encrypt-to", key)
    #expect(open.status == 2 && open.error.contains("everyone on this machine can read the key"), "\(open.error)")
    for path in [key, other, short] { chmod(path, 0o600) }
    #expect(try umbra("capture", "-r", packets, "-w", session, "--encrypt-to", short).error.contains("16 or more"))
    let made = try umbra("capture", "-r", packets, "-w", session, "--encrypt-to", key)
    #expect(made.status == 0, "\(made.error)")
    #expect(try !holdsPlaintext(session))

    let refused = try umbra("show", session)
    #expect(refused.status == 2 && refused.error.contains("is encrypted: name the file of its key (--key"))
    let wrong = try umbra("show", session, "--key", other)
    #expect(wrong.status == 2 && wrong.error.contains("the key is not that of \(session)"), "\(wrong.error)")
    #expect(try umbra("show", session, "--key", key).output.contains("/two"))
    #expect(try umbra("stats", session, "--key", key).output.contains("GET /one"))
    #expect(try umbra("scan", session, "--key", key).status == 0)

    let nginx = try Nginx(locations: "location / { return 200 'ok'; default_type text/plain; }")
    let (run, target) = (scratch.path("r.umbra-run"), "http://127.0.0.1:\(nginx.port)")
    #expect(try umbra("replay", session, "--target", target, "--dry-run").status == 2)
    let replayed = try umbra(
      "replay", session, "--session-key", key, "--target", target, "--speed", "max", "-o", run, "--encrypt-to", other)
    #expect([0, 1, 3].contains(replayed.status), "\(replayed.error)")
    #expect(try !holdsPlaintext(run))
    #expect(try umbra("report", run).status == 2)
    #expect(try umbra("report", run, "--key", other).output.contains("GET /one"))
    #expect(try umbra("show", run, "--key", other).output.contains("/one"))

    let (cut, all, copy) = (scratch.path("cut.umbra"), scratch.path("all.umbra"), scratch.path("copy.umbra"))
    let one = try umbra("cut", session, cut, "--where", "path=/one", "--key", key, "--encrypt-to", key)
    #expect(one.status == 0, "\(one.error)")
    #expect(try umbra("merge", cut, session, all, "--key", key, "--encrypt-to", other).status == 0)
    #expect(try umbra("convert", all, copy, "--key", other).status == 0)
    #expect(try !holdsPlaintext(cut) && !holdsPlaintext(all))
    #expect(try umbra("show", copy).output.components(separatedBy: "/one").count == 3)
    #expect(
      try umbra("split", all, "--by", "endpoint", "--key", other, "--encrypt-to", key, "--directory", scratch.path("d"))
        .status == 0)
    for part in try FileManager.default.contentsOfDirectory(atPath: scratch.path("d")) {
      #expect(try !holdsPlaintext(scratch.path("d/\(part)")))
      #expect(try umbra("show", scratch.path("d/\(part)"), "--key", key).status == 0)
    }
  }
}
