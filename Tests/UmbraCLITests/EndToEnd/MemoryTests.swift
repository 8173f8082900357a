// Memory that does not grow: with the length of a mirror, with the size of a body.

import Foundation
import Testing

@Suite(.serialized) struct MemoryTests {
  private func resident(_ child: Child) -> Int {
    let text = (try? String(contentsOfFile: "/proc/\(child.identifier)/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return (line.flatMap { Int($0.filter(\.isNumber)) } ?? 0) << 10
  }

  /// Exchanges that a capture says to have seen.
  private func exchanges(_ child: Child) -> Int {
    let said = child.standardError
    guard let end = said.range(of: " exchanges (", options: .backwards) else { return 0 }
    let digits = said[..<end.lowerBound].reversed().prefix { $0.isNumber || $0 == "," }.filter(\.isNumber)
    return Int(String(digits.reversed())) ?? 0
  }

  /// Production at full speed, a shadow that gets what it can take: from the first quarter on memory stays.
  @Test(
    .enabled(if: program("nginx") != nil && program("wrk") != nil, "nginx and wrk are not installed"),
    .enabled(if: geteuid() == 0, "live capture is for root"))
  func aLongMirrorStaysAsLargeAsItIs() throws {
    let answer = #"location / { return 200 '{"a":1,"path":"$request_uri","id":"$request_id"}'; }"#
    let (primary, shadow) = (try Nginx(locations: answer), try Nginx(locations: answer))
    let mirror = try Child(
      UmbraProcess.binary.path,
      [
        "mirror", "-i", "lo", "-p", "\(primary.port)", "--progress", "plain", "--user", "root", "--queue", "4MB",
        "--target", "http://127.0.0.1:\(shadow.port)", "--ignore", "body:/id", "--report-every", "2s",
      ])
    try #require(eventually { mirror.standardError.contains("capturing on") }, "\(mirror.standardError)")
    let load = try Child(
      try #require(program("wrk")), ["-t1", "-c16", "-d8s", "http://127.0.0.1:\(primary.port)/items/1"])
    var samples: [(exchanges: Int, bytes: Int)] = []
    while load.isRunning {
      mirror.signal(SIGUSR1)
      usleep(200_000)
      samples.append((exchanges(mirror), resident(mirror)))
    }
    mirror.interrupt()
    let result = mirror.wait()
    #expect([0, 1, 3].contains(result.status), "\(result.error)")
    let last = try #require(samples.last)
    let quarter = try #require(samples.first { $0.exchanges * 4 >= last.exchanges })
    #expect(last.exchanges > 1000, "\(samples)")
    let most = samples.drop { $0.exchanges < quarter.exchanges }.map(\.bytes).max() ?? 0
    #expect(most < quarter.bytes + 24 << 20, "\(samples)")
  }

  /// What is kept of a body is bounded by --memory-limit; all of it passes, and what is kept is without secrets.
  @Test(.enabled(if: program("python3") != nil, "python3 is not installed"), arguments: ["json", "text"])
  func aLargeBodyIsRedactedInLittleMemory(kind: String) throws {
    let scratch = try Scratch()
    let (packets, session) = (scratch.path("big.pcap"), scratch.path("s.umbra"))
    let made = try PythonPeer.start(Self.packets, ["\(160 << 20)", kind, packets]).wait()
    try #require(made.status == 0, "\(made.error)")
    let capture = try Child(
      UmbraProcess.binary.path,
      ["capture", "-r", packets, "-w", session, "--body-limit", "1GB", "--memory-limit", "64MB"])
    let (result, peak) = capture.waitWatchingMemory()
    #expect(result.status == 0 && result.error.contains("body bytes over the body limit"), "\(result.error)")
    #expect(peak < 112 << 20, "\(peak)")
    let shown = try UmbraProcess.run(["show", session, "--format", "jsonl", "--body", "inline"])
    #expect(!shown.output.contains("pl4nt") && shown.output.utf8.count > 10 << 20)
    #expect(shown.output.contains(kind == "json" ? #"\"password\":\""# : "password="))
  }

  /// Size, json or text, file: one answer in chunks of 48,000 octets, a secret every 250 or so.
  private static let packets = #"""
    import struct, sys
    size, kind, out = int(sys.argv[1]), sys.argv[2], open(sys.argv[3], "wb")
    out.write(bytes([0xd4,0xc3,0xb2,0xa1,2,0,4,0,0,0,0,0,0,0,0,0,0,0,4,0,101,0,0,0]))
    seqs, t = {True: 1000, False: 9000}, 0
    def packet(client, payload, flags=0x18):
        global t
        src, dst = (b"\xc0\0\2\1", b"\xc0\0\2\2") if client else (b"\xc0\0\2\2", b"\xc0\0\2\1")
        ports = (40000, 80) if client else (80, 40000)
        tcp = struct.pack(">HHIIBBHHH", *ports, seqs[client] & 0xffffffff, seqs[not client] & 0xffffffff, 0x50, flags, 65535, 0, 0)
        data = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(payload), 0, 0, 64, 6, 0, src, dst) + tcp + payload
        t += 20
        out.write(struct.pack("<IIII", 1700000000 + t // 1000000, t % 1000000, len(data), len(data)) + data)
        seqs[client] += len(payload) + (1 if flags & 2 else 0)
    packet(True, b"", 2)
    packet(False, b"", 0x12)
    packet(True, b"GET /big HTTP/1.1\r\nHost: shop\r\n\r\n")
    form = b"application/json" if kind == "json" else b"text/plain"
    packet(False, b"HTTP/1.1 200 OK\r\nContent-Type: " + form + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    def piece(n):
        pad = b"x" * (n % 400)
        if kind == "json": return b'{"id":%d,"password":"pl4nt%024d","pad":"%s"},' % (n, n, pad)
        return b"line %d password=pl4nt%024d %s\n" % (n, n, pad)
    sent, n, pending = 0, 0, b"[" if kind == "json" else b""
    while sent < size:
        while len(pending) < 48000:
            n += 1
            pending += piece(n)
        packet(False, b"%x\r\n" % 48000 + pending[:48000] + b"\r\n")
        sent, pending = sent + 48000, pending[48000:]
    pending += b'{"id":0}]' if kind == "json" else b"end\n"
    packet(False, b"%x\r\n" % len(pending) + pending + b"\r\n0\r\n\r\n")
    """#
}
