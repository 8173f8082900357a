import HTTPModel
import Testing

/// What tshark says that captures of other projects hold is what comes out, but for what is understood.
///
/// Of deliberately malformed answers tshark's is one opinion among many, so that there only the bytes are checked.
@Suite(.enabled(if: AdversarialCase.folder != nil, "the shared corpus is not here; set UMBRA_CORPUS"))
struct TruthCorpusTests {
  static let groups = [
    "encap", "formats", "http1", "http2", "lab/encap", "lab/http1", "lab/http2", "lab/tls", "other", "tcp", "tls",
  ]

  @Test(arguments: groups.flatMap(TruthCase.cases)) func agrees(_ truth: TruthCase) throws {
    let (exchanges, ledger) = try truth.decoded()
    #expect(ledger.isBalanced, "every payload byte is accounted for, of each connection")
    var found = exchanges.flatMap(MessageFacts.messages)
    let expected = try truth.truth().flatMap(MessageFacts.messages)
    var missing: [MessageFacts] = []
    for message in expected {
      if let match = found.firstIndex(where: { $0.agrees(with: message) }) {
        found.remove(at: match)
      } else {
        missing.append(message)
      }
    }
    var differences = missing.map { "-\($0.line)" } + found.map { "+\($0.line)" }
    switch UnderstoodDifference.all[truth.name]?.extent {
    case .everything:
      #expect(missing.count == expected.count && found.isEmpty, "only a part of it differs")
    case .messages(let understood):
      for line in understood {
        let match = try #require(differences.firstIndex { $0.hasPrefix(line) }, "\(line) does not differ any more")
        differences.remove(at: match)
      }
      #expect(differences.isEmpty)
    case nil: #expect(differences.isEmpty, "\((missing + found).map(\.description))")
    }
  }

  @Test(arguments: TruthCase.cases("http1-malformed")) func survives(_ truth: TruthCase) throws {
    let (exchanges, ledger) = try truth.decoded()
    #expect(ledger.isBalanced)
    #expect(!exchanges.isEmpty, "the request at least is a good one")
  }
}
