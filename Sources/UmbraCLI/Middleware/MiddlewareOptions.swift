// The flag of GoReplay's middleware protocol.

import ArgumentParser

struct MiddlewareOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Send requests as this command gives them back (GoReplay's middleware protocol, umbra-formats(7)), repeatable: a \
      chain. A dry run does without.
      """, valueName: "command"))
  var middleware: [String] = []
}
