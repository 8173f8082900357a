import ReplaySchedule
import Testing

@testable import HTTPModel
@testable import ReplayClient

/// Answers that are read into the memory of others.
@Suite struct ResponseReaderTests {
  /// An answer of any kind, and what it answers.
  private static func answer(_ random: inout SplitMix64) -> (bytes: [UInt8], request: HTTPRequest?) {
    func pick(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
    var head = pick(4) == 0 ? "HTTP/1.1 103 Early Hints\r\nLink: </\(pick(1000))>\r\n\r\n" : ""
    head += "HTTP/1.\(pick(8) == 0 ? 0 : 1) \([200, 201, 404, 503][pick(4)]) \(["OK", "", "Not so"][pick(3)])\r\n"
    for _ in 0..<pick(6) {
      let name = ["Server", "Date", "Set-Cookie", "ETag", "X-Request-Id"][pick(5)]
      head += "\(name): \(String(repeating: "v", count: pick(60)))\(pick(100_000))\r\n"
    }
    let body = String(repeating: ["a", "{\"item\":1}", "\0"][pick(3)], count: [0, 1, 7, 900][pick(4)])
    switch pick(5) {
    case 0:
      let size = String(body.utf8.count, radix: 16)
      let chunk = body.isEmpty ? "" : "\(size)\r\n\(body)\r\n"
      let trailers = pick(2) == 0 ? "X-Sum: \(pick(9))\r\n" : ""
      head += "Transfer-Encoding: chunked\r\n\r\n\(chunk)\(chunk)0\r\n\(trailers)\r\n"
    case 1:
      head += "Content-Length: \(body.utf8.count)\r\n\r\n"
      return (Array(head.utf8), recorded("HEAD / HTTP/1.1\r\nHost: shop\r\n\r\n").request)
    // Cut off, or until the close.
    case 2: head += "Content-Length: \(body.utf8.count + 5)\r\n\r\n\(body)"
    case 3: head += "\r\n\(body)"
    default: head += "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
    return (Array(head.utf8), get("/").request)
  }

  /// Reads an answer in pieces that end at these places.
  private static func read(
    _ bytes: [UInt8], _ cuts: [Int], _ reader: inout ResponseReader, to request: HTTPRequest?,
    into spare: consuming HTTPResponse?, repeating recorded: [UInt8] = []
  ) -> HTTPResponse? {
    reader.begin(answering: request, into: spare, repeating: recorded)
    var start = 0
    reading: for cut in cuts + [bytes.count] {
      let piece = Array(bytes[start..<cut])
      start = cut
      let goesOn = piece.withUnsafeBytes { piece in
        var offset = 0
        while true {
          switch reader.read(piece, from: &offset, at: Timestamp(nanoseconds: Int64(cut))) {
          case .needsMore: return true
          case .interim: continue
          case .whole, .malformed: return false
          }
        }
      }
      if !goesOn { return reader.takeResponse(at: Timestamp(nanoseconds: 9999)) }
    }
    _ = reader.readEnd()
    return reader.takeResponse(at: Timestamp(nanoseconds: 9999))
  }

  /// The recorded body the same, longer, shorter, or other at one place: what is read is what came.
  @Test func aBodyThatRepeatsTheRecordedOneSharesItsMemory() throws {
    var random = SplitMix64(seed: 21)
    let memory = HeldMemory(limit: 1 << 30)
    var shared = 0
    for _ in 0..<4000 {
      let (bytes, request) = Self.answer(&random)
      let cuts = (0..<Int(random.next() % 4)).map { _ in Int(random.next() % UInt64(bytes.count + 1)) }.sorted()
      var fresh = ResponseReader(bodyLimit: 600, memory: memory)
      let expected = Self.read(bytes, cuts, &fresh, to: request, into: nil)
      var recorded = expected?.body.bytes ?? []
      let change = random.next() % 6
      if change == 0 { recorded.append(7) }
      if change == 1, !recorded.isEmpty { recorded.removeLast(Int(random.next() % UInt64(recorded.count)) + 1) }
      if change == 2, !recorded.isEmpty { recorded[Int(random.next() % UInt64(recorded.count))] ^= 1 }
      var reader = ResponseReader(bodyLimit: 600, memory: memory)
      let actual = Self.read(bytes, cuts, &reader, to: request, into: nil, repeating: recorded)
      #expect(actual == expected)
      let isShared = recorded.withUnsafeBytes { a in
        actual?.body.bytes.withUnsafeBytes { b in a.baseAddress == b.baseAddress && !b.isEmpty } ?? false
      }
      if isShared { shared += 1 }
      #expect(!isShared || reader.keptBytes < fresh.keptBytes)
    }
    #expect(shared > 600, "\(shared)")
  }

  @Test func whatIsReadIntoAnotherAnswerIsAsReadAfresh() throws {
    var random = SplitMix64(seed: 20)
    let memory = HeldMemory(limit: 1 << 30)
    var used: [HTTPResponse] = []
    // What each of them is, read apart.
    var contents: [HTTPResponse] = []
    var reader = ResponseReader(bodyLimit: 600, memory: memory)
    var (reused, kept) = (0, 0)
    for _ in 0..<4000 {
      let (bytes, request) = Self.answer(&random)
      let cuts = (0..<Int(random.next() % 4)).map { _ in Int(random.next() % UInt64(bytes.count + 1)) }.sorted()
      var fresh = ResponseReader(bodyLimit: 600, memory: memory)
      let expected = Self.read(bytes, cuts, &fresh, to: request, into: nil)
      let place = used.last.map { ObjectIdentifier($0.storage) }
      let content = contents.popLast()
      let actual: HTTPResponse?
      if random.next() % 8 == 0, let spare = used.popLast() {
        // Somebody else has it still: it stays what it is.
        actual = Self.read(bytes, cuts, &reader, to: request, into: spare)
        #expect(spare == content)
        kept += 1
      } else {
        // Nobody has.
        actual = Self.read(bytes, cuts, &reader, to: request, into: used.popLast())
        if let place, let actual, ObjectIdentifier(actual.storage) == place { reused += 1 }
      }
      #expect(actual == expected)
      if let actual, let expected {
        used.append(actual)
        contents.append(expected)
      }
      // The next answer comes on another connection.
      if actual?.body.isComplete != true || actual?.body.framing == .close {
        reader = ResponseReader(bodyLimit: 600, memory: memory)
      }
    }
    #expect(reused > 1000 && kept > 100, "\(reused), \(kept)")
  }
}
