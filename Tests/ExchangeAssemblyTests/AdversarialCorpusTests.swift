import HTTPModel
import Testing

/// What the corpus says each capture holds is what comes out: nothing lost, nothing invented, nothing mispaired.
@Suite(.enabled(if: AdversarialCase.folder != nil, "the shared corpus is not here; set UMBRA_CORPUS"))
struct AdversarialCorpusTests {
  @Test(arguments: AdversarialCase.cases("http1")) func http1(_ adversarial: AdversarialCase) throws {
    try check(adversarial)
  }

  @Test(arguments: AdversarialCase.cases("tcp")) func tcp(_ adversarial: AdversarialCase) throws {
    try check(adversarial)
  }

  @Test(arguments: AdversarialCase.cases("http2")) func http2(_ adversarial: AdversarialCase) throws {
    try check(adversarial)
  }

  @Test(arguments: AdversarialCase.cases("encap")) func encap(_ adversarial: AdversarialCase) throws {
    try check(adversarial)
  }

  @Test(arguments: AdversarialCase.cases("tls")) func tls(_ adversarial: AdversarialCase) throws {
    try check(adversarial)
  }

  @Test(arguments: AdversarialCase.cases("file")) func file(_ adversarial: AdversarialCase) throws {
    try check(adversarial)
  }

  /// In these the header blocks stand in another order than that in which they were encoded, so that an index means
  /// another entry of the table than was meant; tshark and python's hpack read them as this decoder does. What the fields
  /// say is left out there.
  private static let misencoded = ["grpc_stream", "server_push"]

  private func check(_ adversarial: AdversarialCase) throws {
    let ignoresFields = Self.misencoded.contains { adversarial.path.contains("/\($0)-") }
    let (decoded, ledger) = try adversarial.decoded()
    // The same four-tuple may carry several connections: their exchanges are expected in order of time.
    var remaining = decoded
    for connection in try adversarial.expected() where ["http/1.1", "http/1.0", "http/2"].contains(connection.protocol)
    {
      let key = "\(connection.client) \(connection.server)"
      // Tenants with equal addresses come in either order.
      if let first = connection.exchanges?.first, let candidates = remaining[key],
        let begin = candidates.first(where: { first.mismatch($0, ignoresFields: ignoresFields) == nil })?.id.connection
      {
        remaining[key] =
          candidates.filter { $0.id.connection == begin } + candidates.filter { $0.id.connection != begin }
      }
      for (index, expected) in (connection.exchanges ?? []).enumerated() {
        let candidates = remaining[key] ?? []
        guard let match = candidates.firstIndex(where: { expected.mismatch($0, ignoresFields: ignoresFields) == nil })
        else {
          if expected.level == "may" { continue }
          let problem =
            candidates.first.flatMap { expected.mismatch($0, ignoresFields: ignoresFields) } ?? "nothing left"
          Issue.record("\(key) exchange \(index) (\(expected.level)): \(problem)")
          remaining[key]?.removeFirst(candidates.isEmpty ? 0 : 1)
          continue
        }
        if match > 0 {
          Issue.record("\(key) exchange \(index): \(match) unexpected before it")
        }
        remaining[key]?.removeFirst(match + 1)
      }
    }
    for (key, left) in remaining where !left.isEmpty {
      let lines = left.map { exchange in
        "\(exchange.request.map { String(decoding: $0.target, as: UTF8.self) } ?? "-") \(exchange.response?.status ?? 0)"
      }
      Issue.record("\(key): made up \(lines)")
    }
    #expect(ledger.isBalanced, "every payload byte is accounted for, of each connection")
  }
}
