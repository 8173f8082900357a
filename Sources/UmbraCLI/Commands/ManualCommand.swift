// `umbra manual`: the section 1 pages, made from the same definitions as --help. For the project's `make man`.

import ArgumentParser
import FoundationEssentials

struct Manual: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual", abstract: "Write the manual pages of section 1.", shouldDisplay: false)

  @Option(help: ArgumentHelp("The folder to write to.", valueName: "folder"), completion: .directory)
  var directory = "man"

  @OptionGroup(title: "Standard error") var log: LogOptions

  func run() throws {
    let tool = try JSONDecoder().decode(ToolDescription.self, from: Data(Umbra._dumpHelp().utf8))
    let commands = (tool.command.subcommands ?? []).filter { $0.shouldDisplay != false && $0.commandName != "help" }
    try write(ManualPage(root: tool.command, commands: commands), to: "umbra.1")
    for command in commands {
      try write(ManualPage(command: command, siblings: commands), to: "umbra-\(command.commandName).1")
    }
  }

  private func write(_ page: ManualPage, to name: String) throws {
    let file = try Output(path: "\(directory)/\(name)")
    try file.write(page.text)
    try file.flush()
  }
}

/// What ArgumentParser tells of a tool (its dump-help format, serialization version 0).
struct ToolDescription: Decodable {
  var command: CommandDescription
}

struct CommandDescription: Decodable {
  var commandName: String
  var abstract: String?
  var discussion: String?
  var shouldDisplay: Bool?
  var subcommands: [CommandDescription]?
  var arguments: [ArgumentDescription]?
}

struct ArgumentDescription: Decodable {
  struct Name: Decodable {
    var kind: String
    var name: String

    var text: String { kind == "long" ? "--\(name)" : "-\(name)" }
  }

  var kind: String
  var sectionTitle: String?
  var shouldDisplay: Bool
  var isOptional: Bool
  var isRepeating: Bool
  var names: [Name]?
  var valueName: String?
  var defaultValue: String?
  var abstract: String?

  /// What every command takes; the synopsis leaves it out.
  var isEverywhere: Bool { names?.contains { $0.name == "help" || $0.name == "version" } ?? false }
}

/// One page in mdoc(7).
struct ManualPage {
  let text: String

  /// When the pages' wording last changed; a page must not change with the day on which it is made.
  private static let date = "November 21, 2026"

  init(root: CommandDescription, commands: [CommandDescription]) {
    var page = Self.head(name: "umbra", abstract: root.abstract)
    page += ".Nm\n.Ar command\n.Op Ar options\n"
    page += ".Sh DESCRIPTION\n" + Self.prose(root.discussion)
    page += ".Sh COMMANDS\n.Bl -tag -width Ds\n"
    for command in commands {
      page += ".It Xr umbra-\(command.commandName) 1\n\(Self.sentences(command.abstract ?? ""))\n"
    }
    page += ".El\n" + Self.options(root.arguments ?? [])
    page += ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n"
    page += ".It Ev NO_COLOR\nNo colour in text output, where set to anything.\n"
    page += ".It Ev TMPDIR\nWhere sessions that are read from a pipe are kept while they are read.\n.El\n"
    text = page + Self.exitStatus + Self.seeAlso(commands.map { "umbra-\($0.commandName) 1" } + ["umbra-session 5"])
  }

  init(command: CommandDescription, siblings: [CommandDescription]) {
    let name = "umbra-\(command.commandName)"
    let arguments = (command.arguments ?? []).filter(\.shouldDisplay)
    var page = Self.head(name: name, abstract: command.abstract)
    page += ".Nm umbra \(command.commandName)\n"
    for argument in arguments where argument.kind != "positional" && !argument.isEverywhere {
      page += Self.synopsis(argument)
    }
    for argument in arguments where argument.kind == "positional" {
      page += argument.isOptional ? ".Op Ar \(argument.valueName ?? "")\n" : ".Ar \(argument.valueName ?? "")\n"
    }
    page += ".Sh DESCRIPTION\n" + Self.prose(command.discussion ?? command.abstract)
    page += Self.options(arguments)
    if command.commandName == "capture" { page += Self.readingTLS }
    let related = siblings.map(\.commandName).filter { $0 != command.commandName }.map { "umbra-\($0) 1" }
    text = page + Self.exitStatus + Self.seeAlso(["umbra 1"] + related + ["umbra-session 5"])
  }

  /// A worked example, and what it risks.
  private static var readingTLS: String {
    let example = """
      Let the server or the client log its secrets to a file that only you can read, capture with it, and remove it:

        install -m 600 /dev/null /run/keys.log
        umbra capture -i eth0 -p 443 --tls-keylog /run/keys.log -w day.umbra &
        SSLKEYLOGFILE=/run/keys.log curl https://shop.example/cart
        kill -INT %1; wait
        umbra show day.umbra
        rm /run/keys.log

      The log is followed as it grows, is rotated or cut short. Secrets may come later than the packets, by --tls-wait: \
      ciphertext is held for them, up to --tls-hold for a connection. Connections without secrets are counted by the \
      name of the server that the client asked for; umbra stats lists them. A pcapng file may bring its own secrets.

      """
    return ".Sh READING TLS\n" + prose(example + "\n" + KeyLogAdvice.risks)
      + KeyLogAdvice.all.map { ".Ss \(escaped($0.program))\n" + prose($0.text) }.joined()
  }

  private static func head(name: String, abstract: String?) -> String {
    let summary = (abstract ?? "").trimmingSuffix { $0 == "." }
    return """
      .\\" Made by 'umbra manual' from the command's own definitions: change those.
      .Dd \(date)
      .Dt \(name.uppercased()) 1
      .Os
      .Sh NAME
      .Nm \(name)
      .Nd \(escaped(summary.prefix(1).lowercased() + summary.dropFirst()))
      .Sh SYNOPSIS

      """
  }

  private static func synopsis(_ argument: ArgumentDescription) -> String {
    guard let name = (argument.names ?? []).min(by: { $0.text.count < $1.text.count }) else { return "" }
    let value = argument.kind == "option" ? " Ar \(argument.valueName ?? "value")" : ""
    return argument.isOptional ? ".Op Fl \(flag(name))\(value)\n" : ".Fl \(flag(name))\(value)\n"
  }

  /// mdoc writes the first hyphen itself.
  private static func flag(_ name: ArgumentDescription.Name) -> String {
    name.kind == "long" ? "-\(escaped(name.name))" : escaped(name.name)
  }

  private static func options(_ arguments: [ArgumentDescription]) -> String {
    let shown = arguments.filter(\.shouldDisplay)
    guard !shown.isEmpty else { return "" }
    var page = ".Sh OPTIONS\n"
    var sections: [String?] = []
    for argument in shown where !sections.contains(argument.sectionTitle) { sections.append(argument.sectionTitle) }
    for section in sections {
      if let section { page += ".Ss \(escaped(section))\n" }
      page += ".Bl -tag -width Ds\n"
      for argument in shown where argument.sectionTitle == section {
        if argument.kind == "positional" {
          page += ".It Ar \(argument.valueName ?? "")\n"
        } else {
          let names = (argument.names ?? []).map { "Fl \(flag($0))" }.joined(separator: " , ")
          page += ".It \(names)\(argument.kind == "option" ? " Ar \(argument.valueName ?? "value")" : "")\n"
        }
        page += sentences(argument.abstract ?? "") + "\n"
        if argument.isRepeating { page += "May be given more than once.\n" }
        if let value = argument.defaultValue, !value.isEmpty, argument.kind != "flag" {
          page += "The default is\n.Ql \(escaped(value)) .\n"
        }
      }
      page += ".El\n"
    }
    return page
  }

  /// Paragraphs as they are; lines that begin with two blanks are examples.
  private static func prose(_ text: String?) -> String {
    var page = ""
    var isLiteral = false
    for (index, line) in (text ?? "").split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let isExample = line.hasPrefix("  ")
      if isExample != isLiteral {
        page += isExample ? ".Bd -literal -offset indent\n" : ".Ed\n"
        isLiteral = isExample
      }
      if line.isEmpty {
        let rest = (text ?? "").split(separator: "\n", omittingEmptySubsequences: false).dropFirst(index + 1)
        if rest.first?.hasPrefix("  ") == false { page += ".Pp\n" }
      } else {
        page += (isExample ? escaped(String(line.dropFirst(2))) : sentences(String(line))) + "\n"
      }
    }
    return page + (isLiteral ? ".Ed\n" : "")
  }

  /// Escaped text in lines of at most 80 columns, each sentence on a new one, as mdoc wants it.
  private static func sentences(_ text: String) -> String {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ").map({ escaped(String($0)) }) {
      if !line.isEmpty, line.hasSuffix(".") || line.count + 1 + word.count > 80 {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return (lines + [line]).joined(separator: "\n")
  }

  private static func escaped(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      var line = String(line).replacing("\\", with: "\\e").replacing("-", with: "\\-")
      if line.hasPrefix(".") || line.hasPrefix("'") { line = "\\&" + line }
      return line
    }.joined(separator: "\n")
  }

  private static let exitStatus = """
    .Sh EXIT STATUS
    .Bl -tag -width Ds
    .It 0
    All went well; of a run: all gates passed.
    .It 1
    A gate was crossed.
    .It 2
    The command failed; the message says what to do.
    .It 3
    Inconclusive: the evidence is not good enough to say.
    .It 64
    Wrong usage.
    .El

    """

  private static func seeAlso(_ pages: [String]) -> String {
    let sorted = pages.sorted { ($0.suffix(1), $0) < ($1.suffix(1), $1) }
    return ".Sh SEE ALSO\n"
      + sorted.enumerated().map { index, page in
        ".Xr \(page)\(index == sorted.count - 1 ? "" : " ,")\n"
      }.joined()
  }
}

extension StringProtocol {
  fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
    var text = String(self)
    while let last = text.last, predicate(last) { text.removeLast() }
    return text
  }
}
