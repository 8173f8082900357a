// How every command speaks on standard error: --log-format, -v, -q.

import ArgumentParser

struct LogOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Messages on standard error: text, or json for one line of JSON each with time, level and message.",
      valueName: "format"))
  var logFormat: StandardError.Format = .text

  @Flag(name: [.short, .long], help: "Say more: what is read, written and gone by.")
  var verbose = false

  @Flag(name: [.short, .long], help: "Say nothing but warnings and errors.")
  var quiet = false

  /// From here on messages are as the flags say: this is the first that a command does with them.
  func validate() throws {
    if verbose, quiet { throw ValidationError("-v and -q exclude each other: give one") }
    StandardError.configure(logFormat, from: verbose ? .debug : quiet ? .warning : .info)
  }
}

extension StandardError.Format: ExpressibleByArgument {
  /// What the command line asks for before it is parsed, so that what is wrong with it is told so, too.
  init(commandLine arguments: [String]) {
    let words = arguments.prefix { $0 != "--" }
    let isAsked =
      words.contains("--log-format=json") || zip(words, words.dropFirst()).contains { $0 == ("--log-format", "json") }
    self = isAsked ? .json : .text
  }
}
