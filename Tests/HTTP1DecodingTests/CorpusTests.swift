// Cases of other parsers' test suites, where the corpus is present.
//
// Where this decoder means to differ: llhttp takes RTSP and ICE for HTTP, which they are not; llhttp's strict errors
// (bare LF, odd lengths, unknown codings, spaces before colons …) are anomalies here and the message is decoded.
// gunicorn answers a request with `Connection: close` and ignores what follows; a sniffer goes on.

import Foundation
import HTTP1Decoding
import HTTPModel
import Testing

enum Corpus {
  static let folder: URL = {
    if let path = ProcessInfo.processInfo.environment["UMBRA_CORPUS"] { return URL(fileURLWithPath: path) }
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return root.deletingLastPathComponent().appendingPathComponent("shared/corpus")
  }()
  static let cases = folder.appendingPathComponent("http1-cases")
  static let isPresent = FileManager.default.fileExists(atPath: cases.path)

  static func objects(_ name: String) throws -> [[String: Any]] {
    try Data(contentsOf: cases.appendingPathComponent(name)).split(separator: 0x0a).map {
      try #require(try JSONSerialization.jsonObject(with: $0) as? [String: Any])
    }
  }

  static func bytes(_ object: [String: Any]) throws -> [UInt8] {
    let encoded = try #require(object["input_b64"] as? String)
    return Array(try #require(Data(base64Encoded: encoded)))
  }
}

/// One message as another parser tells it.
private struct Told: Equatable {
  var startLine: [String] = []
  var fields: [String] = []
  var body = ""
  var isComplete = false
}

@Suite(.enabled(if: Corpus.isPresent, "no corpus at \(Corpus.folder.path)"))
struct CorpusTests {
  /// Reads llhttp's callback log, whose spans are offsets into the input.
  private func told(_ log: [String], _ input: [UInt8]) -> [Told] {
    var messages: [Told] = []
    var spans: [String: [UInt8]] = [:]
    func take(_ name: String) -> String { text(spans.removeValue(forKey: name) ?? []) }
    for line in log {
      let words = line.split(separator: " ", maxSplits: 2).map(String.init)
      if words.count == 3, words[1].hasPrefix("len="), words[2].hasPrefix("span["),
        let from = Int(words[0].dropFirst(4)), let length = Int(words[1].dropFirst(4)), from + length <= input.count
      {
        let name = words[2].dropFirst(5).prefix { $0 != "]" }
        spans[String(name), default: []] += input[from..<(from + length)]
        continue
      }
      let what = words.dropFirst().joined(separator: " ")
      switch what {
      case "message begin": messages.append(Told())
      case "method complete": messages[messages.count - 1].startLine.append(take("method"))
      case "url complete": messages[messages.count - 1].startLine.append(take("url"))
      case "header_value complete":
        messages[messages.count - 1].fields.append(
          "\(take("header_field")): \(take("header_value").trimmingCharacters(in: .whitespaces))")
      case "message complete":
        messages[messages.count - 1].isComplete = true
        messages[messages.count - 1].body = take("body")
      case _ where what.hasPrefix("headers complete"):
        if let status = what.split(separator: " ").first(where: { $0.hasPrefix("status=") }) {
          messages[messages.count - 1].startLine.append(String(status.dropFirst(7)))
        }
      default: break
      }
    }
    if !messages.isEmpty, !messages[messages.count - 1].isComplete { messages[messages.count - 1].body = take("body") }
    return messages
  }

  private func told(_ transcript: Transcript) -> [Told] {
    var messages: [Told] = []
    var heads = transcript.heads[...]
    for item in transcript.items {
      switch item {
      case .head:
        let head = heads.removeFirst()
        var message = Told(fields: lines(head.fields))
        switch head.startLine {
        case .request(let method, let target):
          message.startLine = [method, target].map {
            text(head.fields.storage[Int($0.lowerBound)..<Int($0.upperBound)])
          }
        case .response(let status, _): message.startLine = [String(status)]
        }
        messages.append(message)
      case .body(let bytes): messages[messages.count - 1].body += text(bytes)
      case .trailers(let fields): messages[messages.count - 1].fields += fields
      case .end: messages[messages.count - 1].isComplete = true
      default: break
      }
    }
    return messages
  }

  @Test func llhttp() throws {
    let notHTTP = ["RTSP/", "ICE/"]
    var compared = 0
    for object in try Corpus.objects("llhttp.jsonl") {
      let id = object["id"] as? String ?? ""
      let type = object["type"] as? String ?? ""
      var input = try Corpus.bytes(object)
      let log = object["log"] as? [String] ?? []
      // The corpus drops line ends at an input's end; the log still counts them.
      let seen = log.compactMap { Int($0.dropFirst(4).prefix { $0.isNumber }) }.max() ?? 0
      while input.count < seen { input.append(input.last == 0x0d ? 0x0a : 0x0d) }
      let stream = Stream(type.hasPrefix("response") ? .response : .request, [.bytes(input)], answering: [])
      let transcript = stream.everyCut(finish: false)
      guard type == "request" || type == "response", object["error"] is NSNull,
        !notHTTP.contains(where: { text(input).contains($0) })
      else { continue }
      let want = told(log, input)
      let have = told(transcript)
      // A message whose head does not end in the input is none here.
      let whole = want.filter { $0.isComplete || have.count == want.count }
      #expect(have.map(\.startLine) == whole.map(\.startLine), "\(id)")
      #expect(have.map(\.fields) == whole.map(\.fields), "\(id)")
      #expect(have.map(\.body) == whole.map(\.body), "\(id)")
      compared += 1
    }
    #expect(compared > 60)
  }

  @Test func gunicorn() throws {
    for object in try Corpus.objects("gunicorn.jsonl") {
      let id = object["id"] as? String ?? ""
      let transcript = Stream(.request, [.bytes(try Corpus.bytes(object))]).everyCut()
      guard object["valid"] as? Bool == true, let expected = object["expect"] as? [[String: Any]] else { continue }
      let messages = told(transcript)
      #expect(messages.count >= expected.count, "\(id)")
      for (have, want) in zip(messages, expected) {
        #expect(have.startLine == [want["method"] as? String ?? "", want["uri"] as? String ?? ""], "\(id)")
        let fields = (want["headers"] as? [[String]] ?? []).map { "\($0[0]): \($0[1])" }
        // Values that gunicorn unfolds keep their bytes here; names are in its upper case.
        #expect(have.fields.map { unfolded($0) }.prefix(fields.count) == fields[...], "\(id)")
        if let body = (want["body"] as? [String: Any])?["b64"] as? String {
          #expect(have.body == text(Array(try #require(Data(base64Encoded: body)))), "\(id)")
        }
      }
    }
  }

  private func unfolded(_ field: String) -> String {
    let parts = field.split(separator: ":", maxSplits: 1)
    guard let name = parts.first else { return field }
    let value = field.dropFirst(name.count).replacingOccurrences(of: "\r\n ", with: " ")
    // gunicorn reads values as Latin-1.
    return name.uppercased() + (String(bytes: value.utf8, encoding: .isoLatin1) ?? value)
  }

  /// Blocks after `>>>` (client) and `<<<` (server); the newline before the next marker is not data.
  private func conversation(_ bytes: [UInt8]) -> (client: [UInt8], server: [UInt8]) {
    var client: [UInt8] = []
    var server: [UInt8] = []
    var isClient: Bool?
    var block: [UInt8] = []
    func close() {
      while let last = block.last, last == 0x0a || last == 0x0d, block.count > 1 {
        block.removeLast()
        if last == 0x0a, block.last == 0x0d { block.removeLast() }
        break
      }
      if isClient == true { client += block } else if isClient == false { server += block }
      block = []
    }
    for line in bytes.split(separator: 0x0a, omittingEmptySubsequences: false) {
      let mark = line.starts(with: Array(">>>".utf8)) ? true : line.starts(with: Array("<<<".utf8)) ? false : nil
      if let mark {
        close()
        isClient = mark
      } else {
        block += line + [0x0a]
      }
    }
    block.removeLast()
    close()
    return (client, server)
  }

  @Test func libhtp() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Corpus.cases.appendingPathComponent("libhtp").path)
    var requests = 0
    var responses = 0
    for name in names.sorted() {
      let file = try Data(contentsOf: Corpus.cases.appendingPathComponent("libhtp").appendingPathComponent(name))
      let (client, server) = conversation(Array(file))
      for bytes in [client, server] where !bytes.isEmpty {
        for role in [HTTP1Decoder.Role.request, .response] {
          let stream = Stream(role, [.bytes(bytes)])
          #expect(stream.transcript().items == stream.transcript { _ in true }.items, "\(name)")
        }
      }
      guard name.hasSuffix(".t") else { continue }
      let asked = Stream(.request, [.bytes(client)]).transcript()
      let answered = Stream(.response, [.bytes(server)], answering: asked.heads.map(\.answered)).transcript()
      requests += asked.heads.count
      responses += answered.heads.count
      // Never more messages than start lines could stand there.
      #expect(asked.heads.count <= client.count { $0 == 0x0a }, "\(name)")
    }
    #expect(requests > 60 && responses > 40)
  }
}
