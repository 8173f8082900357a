// `umbra demo`: the three jobs on built-in servers and real traffic over loopback.

import ArgumentParser
import Glibc
import HTTPModel
import PcapCapture
import ReplayClient
import ReplaySchedule
import Reporting
import ResponseDiff

struct Demo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Capture, replay and compare on two built-in servers, to see how it works.",
    discussion: """
      Starts a small shop and a canary of it with planted faults, sends real traffic over loopback, captures it \
      live (or takes a shipped capture where live capture is not permitted), replays it against the canary and \
      writes a report. Exit status 0 where every planted fault was found.
      """)

  @Option(
    help: ArgumentHelp("Where the session, the run and the reports go.", valueName: "folder"), completion: .directory)
  var directory = "umbra-demo"

  @Option(help: ArgumentHelp("Requests that the demo's client sends.", valueName: "n"))
  var requests = 400

  @OptionGroup(title: "Standard error") var log: LogOptions

  @Flag(help: "Use the shipped capture even where live capture is permitted.")
  var noCapture = false

  /// The catalogue of both shops; the shipped capture was made with it.
  static let seed: UInt64 = 20_261_121

  func validate() throws {
    if !(50...100_000).contains(requests) { throw ValidationError("--requests takes 50 to 100000") }
  }

  func run() async throws {
    Interruption.install()
    if mkdir(directory, 0o755) != 0, errno != EEXIST {
      throw CommandFailure("can't make the folder \(directory): \(systemError()). Name another with --directory.")
    }
    let session = "\(directory)/shop.umbra"
    let run = "\(directory)/canary.umbra-run"
    try await record(to: session)
    let report = try await replay(session, to: run)
    let html = "\(directory)/report.html"
    try ReportFile.write(report, to: html, as: .html, runFile: run)
    try ReportFile.write(report, to: "\(directory)/report.json", as: .json, runFile: run)
    let output = try Output()
    try output.write(summary(report, run: run, html: html))
    try output.flush()
    let missed = DemoVerdict.missed(by: report)
    if let first = missed.first {
      throw CommandFailure(
        "\(counted(missed.count, "planted fault")) not found, the first: \(first.endpoint) at \(first.location)")
    }
  }

  // MARK: Capture

  private func record(to session: String) async throws {
    if !noCapture, case .granted = CapturePrivilege.check() {
      let primary = try await DemoShop(variant: .primary, seed: Demo.seed)
      say("1  a shop serves on 127.0.0.1:\(primary.port); \(requests) requests are captured on loopback")
      var plan = CapturePlan(origin: .interfaces([Demo.loopbackInterface]), destination: session, overwrite: true)
      plan.ports = PortSet(argument: "\(primary.port)")
      // The demo's servers and its replay run on in this process.
      plan.privileges = .user("root")
      plan.isQuiet = true
      plan.progress = .none
      let capture = CaptureSession(plan)
      async let summary = onThread { try capture.run() }
      try await untilTrue { capture.isCapturing }
      let tally = try await DemoShopper(seed: Demo.seed, requests: requests).run(port: primary.port)
      // The last packets are in the kernel's ring for a moment more.
      try await Task.sleep(for: .milliseconds(300))
      capture.stop()
      let captured = try await summary
      await primary.stop()
      if tally.wrong > 0 {
        throw CommandFailure("the demo's own shop answered wrongly: \(tally.complaints.first ?? "")")
      }
      say(
        "   \(counted(captured.exchanges, "exchange")) of \(grouped(tally.requests)) captured, "
          + "\(counted(captured.ledger[.packetsSeen], "packet")), complete: \(percentage(captured.ledger.completeness))"
      )
    } else {
      let fixture = try Demo.fixture()
      say(
        noCapture
          ? "1  a shipped capture of the shop's traffic is read"
          : "1  live capture is not permitted here ('umbra doctor' says why):\n   a shipped capture is read")
      var plan = CapturePlan(origin: .files([fixture]), destination: session, overwrite: true)
      plan.isQuiet = true
      plan.progress = .none
      let capture = CaptureSession(plan)
      let captured = try await onThread { try capture.run() }
      say("   \(counted(captured.exchanges, "exchange")) read from \(fixture)")
    }
  }

  // MARK: Replay

  private func replay(_ session: String, to run: String) async throws -> RunReport {
    let canary = try await DemoShop(variant: .canary, seed: Demo.seed)
    say("2  its canary serves on 127.0.0.1:\(canary.port); the session is replayed against it")
    var options = ReplayOptions()
    // Unsafe methods too: the canary is the demo's own.
    options.methods = nil
    let plan = ReplayPlan(
      session: session, target: try ReplayTarget(url: "http://127.0.0.1:\(canary.port)"), options: options,
      marker: .standard, runFile: run, overwrite: true,
      ignore: DemoShop.noiseLocations.map { IgnoredLocation("\($0)")! }, progress: .none, isQuiet: true)
    let report = try await onThread { try ReplaySession(plan).run() }
    await canary.stop()
    say("   \(counted(report.totals.answered, "answer")) of \(counted(report.totals.attempts, "request"))")
    return report
  }

  // MARK: Report

  private func summary(_ report: RunReport, run: String, html: String) -> String {
    var text = "3  the answers are compared with the recorded ones\n\n"
    text += "VERDICT: \(report.verdict.outcome.rawValue.uppercased())"
    text += " - \(wrapped(report.verdict.reasons.first ?? "", to: 80, indent: 15))\n\n"
    text += "WHAT DIFFERS\n"
    for cluster in report.clusters.prefix(12) {
      let share = "\(cluster.count) of \(cluster.compared)".leftPadded(to: 10)
      text +=
        "\(cluster.severity.rawValue.padded(to: 7))\(share)  \(shortened(cluster.endpoint, to: 28).padded(to: 28)) "
      text += "\(shortened("\(cluster.location)", to: 22)) \(cluster.kind.rawValue)\n"
    }
    if report.clusters.count > 12 { text += "and \(report.clusters.count - 12) more\n" }
    text += "\nThe canary was built with \(DemoShop.plantedRegressions.count) faults; "
    text += "\(DemoShop.plantedRegressions.count - DemoVerdict.missed(by: report).count) were found.\n"
    text += "\nThe report:  \(Demo.absolute(html))\n"
    let ignored = DemoShop.noiseLocations.map { "--ignore \($0)" }.joined(separator: " ")
    text += "Next:        umbra show \(directory)/shop.umbra\n"
    text += "             umbra report \(run) \\\n               \(ignored)\n"
    return text
  }

  private static func absolute(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  private func say(_ text: String) { StandardError.write(text + "\n") }

  private static let loopbackInterface =
    (try? CaptureInterfaces.list().first { $0.isLoopback && $0.isUp }?.name).flatMap { $0 } ?? "lo"

  /// The capture that ships: beside an installed binary, or in the source tree that it was built in.
  private static func fixture() throws -> String {
    var name = [CChar](repeating: 0, count: 4096)
    let length = max(0, readlink("/proc/self/exe", &name, name.count - 1))
    let binary = String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var folder = Substring(binary)
    var places = ["fixtures/pcap/demo-shop.pcap"]
    for _ in 0..<5 {
      guard let slash = folder.lastIndex(of: "/") else { break }
      folder = folder[..<slash]
      places += ["\(folder)/share/umbra/demo-shop.pcap", "\(folder)/fixtures/pcap/demo-shop.pcap"]
    }
    guard let found = places.first(where: { access($0, R_OK) == 0 }) else {
      throw CommandFailure(
        "the shipped capture demo-shop.pcap was not found: run the demo in the source tree or from an installed umbra, "
          + "or allow live capture: \(CapturePrivilege.setcapCommand)")
    }
    return found
  }
}

/// Holds a demo's report against what was planted.
enum DemoVerdict {
  static func missed(by report: RunReport) -> [PlantedRegression] {
    DemoShop.plantedRegressions.filter { planted in
      !report.clusters.contains {
        $0.endpoint == planted.endpoint && $0.location == planted.location && $0.kind == planted.kind && $0.isConfirmed
      }
    }
  }
}

/// Runs blocking work on a thread of its own, so that it takes none from Swift's concurrency pool.
func onThread<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
  try await withCheckedThrowingContinuation { continuation in
    let job = ThreadJob { continuation.resume(with: Result(catching: work)) }
    var thread = pthread_t()
    let context = Unmanaged.passRetained(job)
    let status = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<ThreadJob>.fromOpaque(argument!).takeRetainedValue().body()
        return nil
      }, context.toOpaque())
    if status == 0 {
      pthread_detach(thread)
    } else {
      context.release()
      continuation.resume(throwing: CommandFailure("no thread could be started: \(String(cString: strerror(status)))"))
    }
  }
}

private final class ThreadJob: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Waits for a condition, five seconds at most.
private func untilTrue(_ condition: () -> Bool) async throws {
  for _ in 0..<500 {
    if condition() { return }
    try await Task.sleep(for: .milliseconds(10))
  }
  throw CommandFailure("live capture on loopback did not begin within 5 s; see 'umbra doctor'")
}
