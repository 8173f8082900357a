// What the shells offer behind a flag: bash runs the script that was generated for it.

import Foundation
import Testing

@Suite(.enabled(if: program("bash") != nil, "bash is not installed"))
struct CompletionTests {
  /// The words that bash has for the last one of a command line.
  private func offers(_ words: [String]) throws -> [String] {
    let script = """
      PATH="$1:$PATH"; shift
      source <(umbra --generate-completion-script bash)
      function=$(complete -p umbra | sed 's/.*-F \\([^ ]*\\).*/\\1/')
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
      "$function" umbra "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    let folder = UmbraProcess.binary.deletingLastPathComponent().path
    let result = try Child(try #require(program("bash")), ["-c", script, "bash", folder] + words).wait()
    #expect(result.status == 0, "\(result.error)")
    return result.output.split(separator: "\n").map(String.init)
  }

  @Test func fieldsMetricsAndEndpoints() throws {
    let scratch = try Scratch()
    let session = try Sessions.small(in: scratch)
    #expect(try offers(["umbra", "show", session, "--where", "stat"]) == ["status=", "status>=500"])
    #expect(
      try offers(["umbra", "cut", session, "out.umbra", "--where", "endpoint="])
        == ["endpoint=", #"endpoint="GET /one""#, #"endpoint="GET /two""#])
    #expect(
      try offers(["umbra", "report", session, "--gate", "error"])
        == [
          "error.rate < 1%", #"error.rate{endpoint="GET /one"} < 1%"#, #"error.rate{endpoint="GET /two"} < 1%"#,
        ])
    // A file that can't be read has no endpoints, and says nothing into the command line.
    #expect(try offers(["umbra", "report", "none.umbra-run", "--gate", "error"]) == ["error.rate < 1%"])
    #expect(try offers(["umbra", "capture", "--interface", "l"]).contains("lo"))
  }
}
