// A live capture as an operator runs it: rows of files, several threads and interfaces, no more rights than needed.

import Foundation
import Testing

@Suite(
  .serialized, .enabled(if: program("nginx") != nil, "nginx is not installed"),
  .enabled(if: program("curl") != nil, "curl is not installed"),
  .enabled(if: geteuid() == 0, "live capture is for root"))
struct LiveOperationTests {
  private func capture(_ arguments: [String]) throws -> Child {
    let child = try Child(UmbraProcess.binary.path, ["capture", "--progress", "plain"] + arguments)
    try #require(eventually { child.standardError.contains("capturing on") }, "\(child.standardError)")
    return child
  }

  /// One connection for each target.
  private func ask(_ targets: [String]) throws {
    for target in targets {
      let result = try Child(try #require(program("curl")), ["-s", "--max-time", "10", target]).wait()
      #expect(result.status == 0, "\(result.error)")
    }
  }

  private func targets(_ session: String) throws -> [String] {
    let shown = try UmbraProcess.run(["show", session, "--format", "jsonl"])
    return try shown.output.split(separator: "\n").map {
      let line = try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
      return try #require((line["request"] as? [String: Any])?["target"] as? String)
    }
  }

  @Test func threadsShareTheConnections() throws {
    let scratch = try Scratch()
    let primary = try Nginx(locations: "location / { return 200 'x'; }")
    let session = scratch.path("s.umbra")
    let capturing = try capture(["-i", "lo", "-p", "\(primary.port)", "--fanout", "3", "-w", session])
    try ask((1...30).map { "http://127.0.0.1:\(primary.port)/\($0)" })
    usleep(300_000)
    capturing.interrupt()
    let result = capturing.wait()
    #expect(result.status == 0)
    #expect(result.error.contains("30 exchanges"), "\(result.error)")
    #expect(try Set(targets(session)) == Set((1...30).map { "/\($0)" }))
    // No two threads give one number to a connection.
    let shown = try UmbraProcess.run(["show", session, "--format", "jsonl"]).output
    let connections = shown.split(separator: "\n").compactMap { line in
      (try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["connection"] as? Int
    }
    #expect(Set(connections).count == 30)
  }

  @Test func filesFollowEachOtherAndTheOldestGo() throws {
    let scratch = try Scratch()
    let primary = try Nginx(locations: "location / { return 200 'x'; }")
    let foreign = try scratch.write("cap-000000.umbra", "not a session")
    let capturing = try capture([
      "-i", "lo", "-p", "\(primary.port)", "-w", scratch.path("cap.umbra"), "--rotate", "1s", "--keep", "2",
    ])
    for part in 1...4 {
      try ask(["http://127.0.0.1:\(primary.port)/\(part)"])
      usleep(1_100_000)
    }
    capturing.interrupt()
    let result = capturing.wait()
    #expect(result.status == 0, "\(result.error)")
    #expect(result.error.contains("4 exchanges"), "\(result.error)")
    let files = try FileManager.default.contentsOfDirectory(atPath: scratch.url.path).filter { $0.hasSuffix(".umbra") }
    #expect(files.count == 3, "two sessions, and the file that is none: \(files)")
    #expect(FileManager.default.fileExists(atPath: foreign), "a file of another kind is never deleted")
    let kept = files.sorted().filter { $0 != "cap-000000.umbra" }
    for file in kept {
      let stats = try UmbraProcess.run(["stats", scratch.path(file), "--format", "json"])
      #expect(stats.status == 0 && !stats.error.contains("incomplete"), "each file is whole: \(stats.error)")
    }
  }

  @Test func noRequestIsLostOrDoubledBetweenFiles() throws {
    let scratch = try Scratch()
    // Answers take longer than a file lives.
    let primary = try Nginx(
      locations: "location / { limit_rate 1000; }", files: ["slow": String(repeating: "x", count: 2500)])
    let capturing = try capture([
      "-i", "lo", "-p", "\(primary.port)", "-w", scratch.path("cap.umbra"), "--rotate", "1s",
    ])
    try ask(["http://127.0.0.1:\(primary.port)/slow"])
    usleep(300_000)
    capturing.interrupt()
    #expect(capturing.wait().status == 0)
    let files = try FileManager.default.contentsOfDirectory(atPath: scratch.url.path).filter { $0.hasPrefix("cap-") }
    #expect(files.count > 1)
    let whole = try files.sorted().filter {
      let shown = try UmbraProcess.run(["show", scratch.path($0), "--format", "jsonl"])
      return shown.output.contains("\"status\":200")
    }
    #expect(whole.count == 1, "the exchange is whole in the file in which it ended, and in no other: \(whole)")
  }

  @Test func rootIsGivenUp() throws {
    let scratch = try Scratch()
    chmod(scratch.url.path, 0o777)
    let primary = try Nginx(locations: "location / { return 200 'x'; }")
    let session = scratch.path("s.umbra")
    let capturing = try capture(["-i", "lo", "-p", "\(primary.port)", "--user", "nobody", "-w", session])
    let status = try String(contentsOfFile: "/proc/\(capturing.identifier)/status", encoding: .utf8)
    let nobody = try #require(getpwnam("nobody")).pointee.pw_uid
    #expect(status.contains("Uid:\t\(nobody)\t\(nobody)\t\(nobody)\t\(nobody)"))
    #expect(status.contains("CapPrm:\t0000000000000000"))
    try ask(["http://127.0.0.1:\(primary.port)/"])
    usleep(300_000)
    capturing.interrupt()
    #expect(capturing.wait().error.contains("1 exchange"))
    #expect(try FileManager.default.attributesOfItem(atPath: session)[.ownerAccountName] as? String == "nobody")

    // Without a user named: root, but with one capability only.
    let plain = try capture(["-i", "lo", "-p", "\(primary.port)", "-w", scratch.path("t.umbra")])
    let kept = try String(contentsOfFile: "/proc/\(plain.identifier)/status", encoding: .utf8)
    #expect(kept.contains("CapEff:\t0000000000000002"))
    plain.interrupt()
    #expect(plain.wait().status == 0)

    let unknown = try UmbraProcess.run(["capture", "-i", "lo", "--user", "no-such-user"])
    #expect(unknown.status == 2 && unknown.error.contains("no user 'no-such-user'"), "\(unknown.error)")
  }

  @Test func aSignalPrintsTheFigures() throws {
    let primary = try Nginx(locations: "location / { return 200 'x'; }")
    let capturing = try capture(["-i", "lo", "-p", "\(primary.port)"])
    try ask(["http://127.0.0.1:\(primary.port)/"])
    usleep(300_000)
    capturing.signal(SIGUSR1)
    #expect(eventually { capturing.standardError.contains("1 exchanges (") }, "\(capturing.standardError)")
    #expect(capturing.isRunning)
    capturing.interrupt()
    #expect(capturing.wait().status == 0)
  }

  @Test(.enabled(if: program("ip") != nil, "iproute2 is not installed"))
  func aMissingInterfaceIsWaitedFor() throws {
    let ip = try #require(program("ip"))
    let name = "umbra\(getpid() % 10_000)"
    defer { _ = try? Child(ip, ["link", "del", name]).wait() }
    func add() throws {
      #expect(try Child(ip, ["link", "add", name, "type", "veth", "peer", "name", "\(name)p"]).wait().status == 0)
      #expect(try Child(ip, ["link", "set", name, "up"]).wait().status == 0)
    }
    let capturing = try Child(
      UmbraProcess.binary.path, ["capture", "-i", name, "--wait", "--progress", "plain"])
    try #require(eventually { capturing.standardError.contains("waiting for interface \(name)") })
    try add()
    try #require(eventually { capturing.standardError.contains("capturing on \(name)") })
    _ = try Child(ip, ["link", "del", name]).wait()
    usleep(300_000)
    #expect(capturing.isRunning, "an interface that goes away is waited for")
    try add()
    usleep(700_000)
    capturing.interrupt()
    let result = capturing.wait()
    #expect(result.status == 0)
    #expect(result.error.contains("interface \(name) came back"), "\(result.error)")
  }

  @Test(.enabled(if: program("ip") != nil, "iproute2 is not installed"))
  func anInterfaceThatGoesAwayEndsTheCapture() throws {
    let ip = try #require(program("ip"))
    let name = "umbrb\(getpid() % 10_000)"
    #expect(try Child(ip, ["link", "add", name, "type", "veth", "peer", "name", "\(name)p"]).wait().status == 0)
    #expect(try Child(ip, ["link", "set", name, "up"]).wait().status == 0)
    let scratch = try Scratch()
    let capturing = try capture(["-i", name, "-w", scratch.path("s.umbra")])
    _ = try Child(ip, ["link", "del", name]).wait()
    let result = capturing.wait()
    #expect(result.status == 0)
    #expect(result.error.contains("interface \(name) went away"), "\(result.error)")
    #expect(FileManager.default.fileExists(atPath: scratch.path("s.umbra")))
  }

  @Test func twoInterfacesAreOneCapture() throws {
    let primary = try Nginx(locations: "location / { return 200 'x'; }")
    // The same packets come twice: by loopback's name and by that of all interfaces.
    let capturing = try capture(["-i", "lo", "-i", "any", "-p", "\(primary.port)"])
    try ask((1...5).map { "http://127.0.0.1:\(primary.port)/\($0)" })
    usleep(300_000)
    capturing.interrupt()
    let result = capturing.wait()
    #expect(result.error.contains("5 exchanges from interfaces lo, any"), "\(result.error)")
    #expect(result.error.contains("complete: 100%"), "\(result.error)")
  }

  /// Ethernet's MTU and segmentation offload: the kernel hands over segments larger than any frame.
  @Test(.enabled(if: program("ip") != nil, "iproute2 is not installed"))
  func bodiesBetweenNetworkNamespacesAreWhole() throws {
    let ip = try #require(program("ip"))
    let (server, client) = ("umbras\(getpid())", "umbrac\(getpid())")
    let (near, far) = ("us\(getpid() % 100_000)", "uc\(getpid() % 100_000)")
    func run(_ line: String) throws -> UmbraProcess.Result {
      try Child(ip, line.split(separator: " ").map(String.init)).wait()
    }
    defer { for name in [server, client] { _ = try? run("netns del \(name)") } }
    for line in [
      "netns add \(server)", "netns add \(client)", "link add \(near) type veth peer name \(far)",
      "link set \(near) netns \(server)", "link set \(far) netns \(client)",
      "-n \(server) addr add 10.98.0.1/24 dev \(near)", "-n \(client) addr add 10.98.0.2/24 dev \(far)",
      "-n \(server) link set \(near) up", "-n \(client) link set \(far) up",
    ] {
      let result = try run(line)
      try #require(result.status == 0, "ip \(line): \(result.error)")
    }
    let scratch = try Scratch()
    let body = String(repeating: "0123456789abcdef", count: 8192)
    try scratch.write("big", body)
    let configuration = try scratch.write(
      "nginx.conf",
      """
      daemon off; pid \(scratch.path("pid")); error_log \(scratch.path("error.log")); user root;
      events {} http { access_log off; server { listen 10.98.0.1:80; root \(scratch.url.path); } }
      """)
    let nginx = try Child(
      ip, ["netns", "exec", server, try #require(program("nginx")), "-c", configuration, "-p", scratch.url.path])
    defer { nginx.terminate() }
    try #require(eventually { access(scratch.path("pid"), R_OK) == 0 })
    let session = scratch.path("s.umbra")
    let capturing = try Child(
      ip,
      [
        "netns", "exec", server, UmbraProcess.binary.path, "capture", "-i", near, "-p", "80", "-w", session,
        "--progress", "plain",
      ])
    try #require(eventually { capturing.standardError.contains("capturing on") }, "\(capturing.standardError)")
    let asked = try Child(
      ip,
      ["netns", "exec", client, try #require(program("curl")), "-s", "--max-time", "20", "-o", "/dev/null"]
        + ["http://10.98.0.1/big?[1-100]"]
    ).wait()
    #expect(asked.status == 0, "\(asked.error)")
    usleep(300_000)
    capturing.interrupt()
    let result = capturing.wait()
    #expect(result.error.contains("100 exchanges"), "\(result.error)")
    #expect(result.error.contains("complete: 100%"), "\(result.error)")
    let shown = try UmbraProcess.run(["show", session, "--format", "jsonl"])
    #expect(shown.output.split(separator: "\n").filter { $0.contains("\"size\":\(body.utf8.count)") }.count == 100)
  }
}
