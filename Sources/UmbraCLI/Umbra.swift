// The command line's root: dispatch, and the one place that turns an outcome into an exit status.

public import ArgumentParser
import Glibc

/// `umbra`: captures HTTP off the wire, replays it against a shadow, reports where the shadow differs.
public struct Umbra: AsyncParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "umbra",
    abstract: "Capture HTTP traffic off the wire, replay it against a shadow, report where the shadow differs.",
    discussion: """
      Nothing sits in the request path: capture reads copies of packets, so production can't be slowed or broken by it.

        umbra capture -i lo -p 8080 -w day.umbra
        umbra replay day.umbra --target http://canary:8080 -o run.umbra-run
        umbra report run.umbra-run --format html -o report.html

      Exit status: 0 passed, 1 a gate was crossed, 2 the command failed, 3 inconclusive, 64 wrong usage.
      """,
    version: umbraVersion,
    subcommands: [
      Capture.self, Replay.self, Mirror.self, Report.self, Show.self, Stats.self, Convert.self, Merge.self, Split.self,
      Cut.self,
      Rules.self, Scan.self, Interfaces.self, Doctor.self,
      Demo.self,
      Manual.self,
    ])

  public init() {}

  /// Runs the command that the process was started with, and exits with its status.
  ///
  /// Not asynchronous itself: an asynchronous main ends the first thread, whose rights nothing can take away then.
  public static func run() -> Never {
    signal(SIGPIPE, SIG_IGN)
    StandardError.configure(StandardError.Format(commandLine: CommandLine.arguments), from: .info)
    do {
      var command = try parseAsRoot()
      if let asynchronous = command as? any AsyncParsableCommand {
        Task {
          do {
            var command = asynchronous
            try await command.run()
            Glibc.exit(0)
          } catch { finish(with: error) }
        }
        while true { pause() }
      }
      try command.run()
      Glibc.exit(0)
    } catch { finish(with: error) }
  }

  private static func finish(with error: any Error) -> Never {
    switch error {
    case is BrokenPipe:
      // The reader of our output has had enough: `umbra show … | head`.
      Glibc.exit(0)
    case let failure as CommandFailure:
      // Of several problems each is a message.
      let messages = StandardError.isJSON ? failure.message.split(separator: "\numbra: ") : [failure.message[...]]
      for message in messages {
        StandardError.say(String(message), .error, ["exit_status": .number(Int(failure.status.rawValue))])
      }
      Glibc.exit(failure.status.rawValue)
    default:
      let status = exitCode(for: error).rawValue
      let message = message(for: error)
      guard StandardError.isJSON, status != 0, !message.isEmpty else { exit(withError: error) }
      StandardError.say(message, .error, ["exit_status": .number(Int(status))])
      Glibc.exit(status)
    }
  }
}

/// What a command's exit tells a script.
enum ExitStatus: Int32 {
  case passed = 0
  case gateCrossed = 1
  case failed = 2
  case inconclusive = 3
  case usage = 64
}

/// A failure that the operator can mend; the message says what failed, on what, and what to do.
struct CommandFailure: Error {
  var message: String
  var status = ExitStatus.failed

  init(_ message: String, status: ExitStatus = .failed) {
    self.message = message
    self.status = status
  }
}
