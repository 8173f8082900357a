// The Debian package: built twice, installed, run, removed. Takes root and dpkg; says so where it has neither.

import Foundation
import Testing

@Suite(.serialized) struct PackagingTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private func run(_ command: String, in folder: URL? = nil, _ environment: [String: String] = [:]) throws
    -> UmbraProcess.Result
  {
    try Child("/bin/sh", ["-c", command], environment: environment, folder: folder ?? Self.root).wait()
  }

  private func build(into scratch: Scratch, _ folder: String) throws -> String {
    try FileManager.default.createDirectory(atPath: scratch.path(folder), withIntermediateDirectories: true)
    let built = try run(
      "Tests/Packaging/deb '\(UmbraProcess.binary.path)' '\(scratch.path(folder))'",
      ["DEBFLAGS": "-Zgzip -z1", "SOURCE_DATE_EPOCH": "1795248000"])
    try #require(built.status == 0, "\(built.error)")
    return built.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  @Test(
    "make deb: the same bytes twice; installs, runs and goes away",
    .enabled(if: program("dpkg-deb") != nil && program("make") != nil && program("strip") != nil))
  func package() throws {
    let scratch = try Scratch()
    let package = try build(into: scratch, "one")
    let again = try build(into: scratch, "two")
    #expect(try run("cmp '\(package)' '\(again)'").status == 0, "not reproducible")
    let control = try run("dpkg-deb --info '\(package)'").output
    for library in ["libpcap", "libc6", "zlib1g", "libzstd1", "libbrotli1"] {
      #expect(control.contains(library), "\(library) is not declared: \(control)")
    }
    let contents = try run("dpkg-deb --contents '\(package)'").output
    for path in [
      "./usr/bin/umbra", "/man1/umbra.1.gz", "/man5/umbra-session.5.gz", "/completions/umbra", "/_umbra", "/umbra.fish",
    ] {
      #expect(contents.contains(path), "\(path): \(contents)")
    }
    guard geteuid() == 0, try run("dpkg-query --status umbra").status != 0, program("setcap") != nil else {
      print("PackagingTests: not root, or umbra is installed here: the package is not installed.")
      return
    }
    let installed = try run("dpkg --force-confnew --install '\(package)'", ["DEBIAN_FRONTEND": "noninteractive"])
    defer { _ = try? run("dpkg --purge umbra") }
    if installed.error.contains("lock") {
      print("PackagingTests: dpkg is busy: the package is not installed.")
      return
    }
    try #require(installed.status == 0, "\(installed.error)")
    let version = try run("/usr/bin/umbra --version")
    #expect(version.status == 0, "\(version.error)")
    #expect(version.output.hasPrefix("0."))
    let capability = try run("getcap /usr/bin/umbra; stat -c '%U:%G %a' /usr/bin/umbra").output
    #expect(capability.contains("cap_net_raw") || installed.error.contains("no capabilities"), "\(capability)")
    #expect(capability.contains("root:umbra 750"))
    #expect(try run("/usr/bin/umbra show '\(Sessions.small(in: scratch))'").status == 0)
    #expect(try run("dpkg --purge umbra").status == 0)
    #expect(access("/usr/bin/umbra", F_OK) != 0)
  }
}
