// Connections of a script: secrets early, late, wrong and missing; gaps; KeyUpdate; limits; damage.

import HTTPModel
import Testing

@testable import TLSDecryption

@Suite("A TLS 1.3 connection")
struct TLSConnectionTests {
  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  private var exchange: ScriptedPeers {
    var peers = ScriptedPeers()
    peers.send("GET / HTTP/1.1\r\n\r\n", .client)
    peers.sendTicket(.server, inRecordsOf: 30)
    peers.send(Array("HTTP/1.1 204 None\r\n\r\n".utf8), .server, padding: 100)
    peers.updateKey(.client)
    peers.send("GET /2 HTTP/1.1\r\n\r\n", .client)
    peers.updateKey(.server)
    peers.updateKey(.server)
    peers.send("HTTP/1.1 404 No\r\n\r\n", .server)
    peers.close(.server)
    return peers
  }

  private func expectExchange(_ outcome: Outcome, _ comment: Comment? = nil) {
    #expect(text(outcome.client) == "GET / HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", comment)
    #expect(text(outcome.server) == "HTTP/1.1 204 None\r\n\r\nHTTP/1.1 404 No\r\n\r\n", comment)
    #expect(outcome.closed == [.server] && outcome.ended == [.client, .server], comment)
    #expect(outcome.anomalies.isEmpty && outcome.gaps.isEmpty && outcome.unreadBytes == 0, comment)
    #expect(outcome.isOrdered, comment)
  }

  @Test("is read, with what was agreed on")
  func whole() {
    let peers = exchange
    let outcome = peers.recording().run(peers.keyLog())
    expectExchange(outcome)
    #expect(
      outcome.facts
        == TLSFacts(
          version: "TLSv1.3", suite: "TLS_AES_128_GCM_SHA256", serverName: "a.example",
          applicationProtocol: "http/1.1"))
  }

  @Test("is read the same in pieces of any size", arguments: 1...40)
  func pieces(size: Int) {
    let peers = exchange
    expectExchange(peers.recording(piece: size).run(peers.keyLog()))
  }

  @Test("is read the same when the server's direction comes first")
  func directionsOutOfStep() {
    let peers = exchange
    var recording = peers.recording()
    recording.calls.sort { a, b in
      if case .receive(.server, _, _, _, _) = a, case .receive(.client, _, _, _, _) = b { return true }
      return false
    }
    expectExchange(recording.run(peers.keyLog()))
  }

  @Test("waits for secrets that come late, whenever they come")
  func lateSecrets() {
    let peers = exchange
    let recording = peers.recording(piece: 50)
    let keys = peers.keyLog()
    for late in 0...recording.calls.count {
      expectExchange(recording.run { $0 >= late ? keys : KeyLog() }, "\(late)")
    }
  }

  @Test(
    "is read in its order where the secrets of one side come first", arguments: ["CLIENT", "SERVER"], [true, false])
  func secretsOfOneSideFirst(side: String, clientFirst: Bool) {
    let peers = exchange
    let recording = peers.recording(piece: 50, clientFirst: clientFirst)
    let keys = peers.keyLog()
    let some = peers.keyLog(["\(side)_HANDSHAKE_TRAFFIC_SECRET", "\(side)_TRAFFIC_SECRET_0"])
    for late in 0...recording.calls.count {
      let outcome = recording.run { $0 >= late ? keys : some }
      expectExchange(outcome, "\(late)")
      #expect(outcome.turns == (clientFirst ? [.client, .server] : [.server, .client]), "\(late)")
    }
  }

  @Test("is read with the application secrets alone")
  func applicationSecretsAlone() {
    let peers = exchange
    let outcome = peers.recording().run(peers.keyLog(["CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"]))
    #expect(text(outcome.client).hasPrefix("GET /") && text(outcome.server).hasPrefix("HTTP/1.1 204"))
    #expect(outcome.anomalies.isEmpty && outcome.gaps.isEmpty)
  }

  @Test("with the secrets of one side is read on that side")
  func oneSide() {
    let peers = exchange
    let outcome = peers.recording().run(peers.keyLog(["CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0"]))
    #expect(text(outcome.client) == "GET / HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n")
    #expect(outcome.server.isEmpty && outcome.unreadable == [.noSecrets] && outcome.anomalies == [.tlsNoSecrets])
  }

  @Test("with the secrets of the server is read on that side", arguments: [4 << 20, 400])
  func serverSide(heldBytes: Int) {
    let peers = exchange
    let keys = peers.keyLog(["SERVER_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0"])
    let outcome = peers.recording(clientFirst: true).run(keys, limits: TLSLimits(heldBytes: heldBytes))
    #expect(text(outcome.server) == "HTTP/1.1 204 None\r\n\r\nHTTP/1.1 404 No\r\n\r\n")
    #expect(outcome.client.isEmpty && outcome.unreadable == [heldBytes == 400 ? .holdLimit : .noSecrets])
  }

  @Test("without secrets is given up after the wait, with its server's name")
  func noSecrets() {
    let peers = exchange
    var connection = TLSConnection(limits: TLSLimits(waitNanoseconds: 5_000_000))
    for case .receive(let side, let bytes, let offset, _, let time) in peers.recording().calls {
      bytes.withUnsafeBytes {
        connection.receive($0, from: side, offset: offset, acknowledged: nil, time: time, keys: KeyLog())
      }
    }
    #expect(connection.state == .waitingForSecrets && connection.heldBytes > 0)
    connection.retry(keys: KeyLog(), time: Timestamp(nanoseconds: 100_000_000))
    #expect(connection.state == .unreadable(.noSecrets) && connection.heldBytes == 0)
    #expect(connection.nextEvent() == .anomaly(.tlsNoSecrets))
    #expect(connection.nextEvent() == .unreadable(nil, .noSecrets, serverName: "a.example"))
    #expect(connection.nextEvent() == nil)
  }

  @Test("with the secrets of another is given up")
  func wrongSecrets() {
    var peers = exchange
    for _ in 0..<4 { peers.send("more", .client) }
    let outcome = peers.recording().run(peers.keyLog(flip: 1))
    #expect(outcome.client.isEmpty && outcome.server.isEmpty)
    #expect(outcome.unreadable == [.badRecordMAC] && outcome.anomalies.contains(.tlsBadRecordMAC))
  }

  @Test("that holds more than the limit is given up")
  func holdLimit() {
    var peers = ScriptedPeers()
    for _ in 0..<20 { peers.send([UInt8](repeating: 1, count: 1000), .server) }
    let outcome = peers.recording(piece: 500).run(KeyLog(), limits: TLSLimits(heldBytes: 4000))
    #expect(outcome.unreadable == [.holdLimit])
  }

  @Test("with a damaged record loses that record alone")
  func damagedRecord() {
    var peers = ScriptedPeers()
    peers.send("one", .server)
    peers.send("two", .server)
    peers.send("three", .server)
    var recording = peers.recording()
    let place = (peers.boundaries[.server]?[5] ?? 0) + 7
    for (index, call) in recording.calls.enumerated() {
      guard case .receive(.server, var bytes, let offset, let acknowledged, let time) = call else { continue }
      bytes[place] ^= 0x40
      recording.calls[index] = .receive(.server, bytes, offset: offset, acknowledged: acknowledged, time)
    }
    let outcome = recording.run(peers.keyLog())
    #expect(text(outcome.server) == "onethree")
    #expect(outcome.anomalies == [.tlsBadRecordMAC] && outcome.gaps == [.server: 1])
  }

  @Test("that the capture joined late is told as such")
  func joined() {
    let peers = exchange
    var recording = peers.recording()
    recording.joinedMidstream = true
    recording.calls.removeFirst(2)
    let outcome = recording.run(peers.keyLog())
    #expect(outcome.unreadable == [.joinedInMidConnection])
    #expect(outcome.anomalies == [.tlsJoinedInMidConnection] && outcome.client.isEmpty)
  }

  // MARK: - Gaps

  /// Numbered lines, one a record, with a gap over `range` of the server's stream.
  private func gap(_ peers: ScriptedPeers, _ range: Range<Int>, piece: Int = 700, hole: UInt64? = nil) -> Outcome {
    var recording = peers.recording(piece: piece)
    var calls: [Call] = []
    var told = false
    for call in recording.calls {
      guard case .receive(.server, let bytes, let offset, _, let time) = call else {
        calls.append(call)
        continue
      }
      let start = Int(offset)
      let before = max(0, min(bytes.count, range.lowerBound - start))
      let after = max(0, min(bytes.count, range.upperBound - start))
      if before > 0 {
        calls.append(.receive(.server, Array(bytes[..<before]), offset: offset, acknowledged: nil, time))
      }
      if !told, start + bytes.count > range.lowerBound {
        told = true
        calls.append(.gap(.server, hole ?? UInt64(range.count), time))
      }
      if after < bytes.count {
        calls.append(
          .receive(.server, Array(bytes[after...]), offset: offset + UInt64(after), acknowledged: nil, time))
      }
    }
    recording.calls = calls
    return recording.run(peers.keyLog())
  }

  private func lines(_ count: Int, updateAt update: Int? = nil) -> ScriptedPeers {
    var peers = ScriptedPeers()
    for number in 0..<count {
      if number == update { peers.updateKey(.server) }
      peers.send("line \(number) of the answer\n", .server)
    }
    return peers
  }

  private func expectLines(_ outcome: Outcome, of count: Int, at place: Int) {
    let numbers = text(outcome.server).split(separator: "\n").compactMap { line -> Int? in
      line.hasSuffix(" of the answer") ? Int(line.split(separator: " ")[1]) : nil
    }
    let all = text(outcome.server).split(separator: "\n").count
    #expect(numbers.count == all, "only whole records come out, at \(place)")
    #expect(numbers == numbers.sorted() && Set(numbers).count == numbers.count)
    #expect(numbers.last == count - 1, "in step again, at \(place)")
  }

  @Test("finds the record boundary and number again after a gap anywhere", arguments: [1, 60, 300])
  func gapAnywhere(length: Int) {
    let count = 12
    let peers = lines(count)
    let total = peers.stream[.server]?.count ?? 0
    let first = peers.boundaries[.server]?[2] ?? 0
    let last = peers.boundaries[.server]?.last ?? 0
    #expect(total > last)
    for place in stride(from: first, to: last - length, by: 7) {
      let outcome = gap(peers, place..<place + length, piece: 90)
      expectLines(outcome, of: count, at: place)
      #expect(outcome.unreadable.isEmpty)
    }
  }

  @Test("finds the number again after thousands of lost records")
  func longGap() {
    let count = 2600
    let peers = lines(count)
    let begins = peers.boundaries[.server] ?? []
    expectLines(gap(peers, (begins[8] + 3)..<(begins[2500] + 1)), of: count, at: 8)
  }

  @Test("goes on with the next keys where the KeyUpdate was in the gap")
  func keyUpdateInGap() {
    let peers = lines(30, updateAt: 10)
    let begins = peers.boundaries[.server] ?? []
    let outcome = gap(peers, (begins[9] + 1)..<(begins[20] + 1))
    expectLines(outcome, of: 30, at: 9)
    #expect(outcome.gaps == [.server: 1] && outcome.anomalies == [.tlsRecordLost])
  }

  @Test("a hello in a gap makes the connection unreadable")
  func helloLost() {
    let peers = lines(3)
    #expect(gap(peers, 5..<20).unreadable == [.handshakeLost])
  }

  @Test("numbers are tried within the limit, and a gap without end is given up")
  func trialLimit() {
    let peers = lines(8)
    let begins = peers.boundaries[.server] ?? []
    let outcome = gap(peers, begins[6]..<begins[8], hole: .max)
    #expect(outcome.unreadable.isEmpty || outcome.unreadable == [.recordNumberLost])
    #expect(text(outcome.server).hasPrefix("line 0"))
  }

  // MARK: - Hostile input

  @Test("no mutation or truncation crashes, and what opens is what was sent")
  func mutations() {
    let peers = exchange
    let whole = peers.recording().run(peers.keyLog())
    let keys = peers.keyLog()
    var state: UInt64 = 88_172_645_463_325_252
    func random(_ bound: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(max(1, bound)))
    }
    for _ in 0..<1500 {
      var recording = peers.recording(piece: 1 + random(200))
      for _ in 0..<1 + random(4) {
        let index = random(recording.calls.count)
        guard case .receive(let side, var bytes, let offset, _, let time) = recording.calls[index] else { continue }
        switch random(4) {
        case 0: recording.calls[index] = .gap(side, UInt64(1 + random(5000)), time)
        case 1: recording.calls.insert(.end(side, time), at: index)
        case 2: bytes.removeLast(random(bytes.count))
        default: bytes[random(bytes.count)] = UInt8(random(256))
        }
        if case .receive = recording.calls[index], !bytes.isEmpty {
          recording.calls[index] = .receive(side, bytes, offset: offset, acknowledged: nil, time)
        }
      }
      let outcome = recording.run(keys)
      #expect(outcome.client.count <= whole.client.count && outcome.server.count <= whole.server.count)
      #expect(outcome.unreadable.count <= 2)
    }
  }

  @Test("bytes that are no TLS are told as malformed")
  func noise() {
    var recording = Recording(name: "noise", joinedMidstream: false)
    recording.calls = [
      .receive(.client, Array("GET / HTTP/1.1".utf8), offset: 0, acknowledged: nil, Timestamp(nanoseconds: 1))
    ]
    #expect(recording.run(KeyLog()).unreadable == [.malformed])
  }
}

@Suite("Recognising TLS")
struct RecognitionTests {
  @Test(
    "by the first six bytes",
    arguments: [
      ([22, 3, 1, 2, 0, 1], TLSRecognition.clientHello), ([22, 3, 3, 0, 90, 2], .serverHello),
      ([23, 3, 3, 0, 40, 9], .laterRecord), ([21, 3, 3, 0, 2, 2], .laterRecord), ([22, 3, 1], .needsMore),
      ([], .needsMore), ([71, 69, 84], .notTLS), ([22, 2], .notTLS), ([22, 3, 9], .notTLS),
      ([22, 3, 1, 0xff, 0, 1], .notTLS), ([22, 3, 1, 0, 0, 1], .notTLS),
    ] as [([UInt8], TLSRecognition)])
  func first(bytes: [UInt8], expected: TLSRecognition) {
    #expect(bytes.withUnsafeBytes { TLSConnection.recognise($0) } == expected)
  }
}
