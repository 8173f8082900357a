// Captured TLS connections with their key logs, against what is known of their content.

import HTTPModel
import TLSDecryption
import Testing

@Suite("The corpus of TLS captures", .enabled(if: Corpus.folder != nil, "no corpus: UMBRA_CORPUS names one"))
struct CorpusTests {
  @Test("requests and answers come out whole and in order", arguments: Corpus.captures("adversarial/tls"))
  func adversarial(path: String) throws {
    let (connections, keys) = try Corpus.load(path)
    guard let expected = Corpus.bytes(of: path + ".expected.json").map({ String(decoding: $0, as: UTF8.self) }) else {
      return
    }
    let outcomes = connections.map { $0.run(keys) }
    // The exchanges of HTTP/2 are compressed in the plaintext: there the connection preface has to do.
    let described = expected.split(separator: "\"client\": ").dropFirst().filter { $0.contains("\"tls\": ") }
    let isTunnelled = path.contains("in_connect_tunnel")
    #expect(isTunnelled || outcomes.count == described.count)
    for (text, outcome) in zip(described, outcomes) {
      let client = String(decoding: outcome.client, as: UTF8.self)
      let server = String(decoding: outcome.server, as: UTF8.self)
      if text.contains("\"protocol\": \"h2\"") {
        #expect(client.hasPrefix("PRI * HTTP/2.0") && outcome.server.count > 9)
      }
      guard text.contains("\"protocol\": \"http/1.1\"") else { continue }
      var place = client.startIndex
      for piece in text.components(after: "{\"request\": {\"method\": \"") {
        let method = piece.prefix { $0 != "\"" }
        let target = piece.components(after: "\"target\": \"").first?.prefix { $0 != "\"" } ?? ""
        let line = "\(method) \(target) HTTP/1.1\r\n"
        let found = client[place...].firstRange(of: line)
        #expect(found != nil, "\(line)")
        place = found?.upperBound ?? place
      }
      place = server.startIndex
      for piece in text.components(after: "\"response\": {\"status\": ") {
        let found = server[place...].firstRange(of: "HTTP/1.1 \(piece.prefix(3)) ")
        #expect(found != nil || outcome.gaps[.server] != nil)
        place = found?.upperBound ?? place
      }
      if let facts = outcome.facts {
        #expect(text.contains("\"version\": \"\(facts.version)\""))
        #expect(facts.serverName.map { text.contains("\"sni\": \"\($0)\"") } ?? text.contains("\"sni\": null"))
        #expect(
          facts.applicationProtocol.map { text.contains("\"alpn\": \"\($0)\"") } ?? text.contains("\"alpn\": null"))
      }
      if !path.contains("gap_"), !path.contains("one_side") {
        #expect(outcome.unreadBytes == 0 && outcome.anomalies.isEmpty && outcome.gaps.isEmpty)
      }
    }
  }

  @Test("what cannot be read says why", arguments: Corpus.captures("tls"))
  func real(path: String) throws {
    let (connections, keys) = try Corpus.load(path)
    for connection in connections {
      let outcome = connection.run(keys)
      #expect(outcome.isOrdered)
      let total = connection.stream(.client).count + connection.stream(.server).count
      #expect(outcome.unreadBytes <= total && outcome.client.count + outcome.server.count <= total)
      if outcome.unreadBytes > 0 { #expect(!outcome.unreadable.isEmpty || !outcome.anomalies.isEmpty) }
    }
  }

  @Test(
    "cut anywhere, and with secrets that come late, the plaintext is the same",
    arguments: ["early_data-d0", "key_update-d0", "tls12_ecdhe_cbc_sha384-d0", "tls13_hello_retry-d0", "resumption-d1"])
  func cuts(name: String) throws {
    let path = try #require(Corpus.captures("adversarial/tls").first { $0.hasSuffix(name + ".pcap") })
    let (connections, keys) = try Corpus.load(path)
    for connection in connections {
      let whole = connection.run(keys)
      #expect(whole.unreadBytes == 0)
      for size in [1, 2, 3, 5, 7, 64, 1000] {
        let outcome = connection.cut(into: size).run(keys)
        #expect(outcome.client == whole.client && outcome.server == whole.server, "\(size)")
      }
      for late in 0...connection.calls.count {
        let outcome = connection.run { $0 >= late ? keys : KeyLog() }
        #expect(outcome.client == whole.client && outcome.server == whole.server, "\(late)")
        #expect(outcome.unreadable.isEmpty && outcome.anomalies == whole.anomalies)
      }
    }
  }

  @Test(
    "a lost segment never makes plaintext up",
    arguments: Corpus.captures("adversarial/tls").filter { $0.contains("tls1") })
  func losses(path: String) throws {
    let (connections, keys) = try Corpus.load(path)
    for connection in connections {
      let whole = connection.run(keys)
      for (index, call) in connection.calls.enumerated() {
        guard case .receive(let side, let bytes, _, _, let time) = call else { continue }
        var cut = connection
        cut.calls[index] = .gap(side, UInt64(bytes.count), time)
        let outcome = cut.run(keys)
        for side in [TLSSide.client, .server] {
          #expect(whole[side].holdsInOrder(outcome[side]), "\(path), call \(index)")
        }
      }
    }
  }
}

extension Recording {
  /// The same bytes in smaller calls.
  func cut(into size: Int) -> Recording {
    var recording = self
    recording.calls = calls.flatMap { call -> [Call] in
      guard case .receive(let side, let bytes, let offset, let acknowledged, let time) = call else { return [call] }
      return stride(from: 0, to: bytes.count, by: size).map { start in
        .receive(
          side, Array(bytes[start..<min(bytes.count, start + size)]), offset: offset + UInt64(start),
          acknowledged: acknowledged, time)
      }
    }
    return recording
  }
}

extension [UInt8] {
  /// Whether `other` is this with pieces left out: its bytes come in the same order.
  func holdsInOrder(_ other: [UInt8]) -> Bool {
    var place = startIndex
    for byte in other {
      guard let found = self[place...].firstIndex(of: byte) else { return false }
      place = found + 1
    }
    return true
  }
}

extension Substring {
  /// What stands behind each occurrence of `marker`, up to the next.
  func components(after marker: String) -> [Substring] {
    Array(split(separator: marker, omittingEmptySubsequences: false).dropFirst())
  }
}
