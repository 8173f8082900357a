import ContentCoding
import ContentTree
import HTTPModel
import Testing

@testable import ResponseDiff

/// Bodies that are compared by what they mean: gRPC, protobuf, XML, HTML, other character encodings.
@Suite struct BodyMeaningTests {
  private func grpc(
    _ messages: [[UInt8]], status: String? = "0", message: String? = nil, coding: String? = nil,
    inHeader: Bool = false
  ) -> HTTPResponse {
    var answer = response(200, [("content-type", "application/grpc+proto")])
    var framed: [UInt8] = []
    for message in messages {
      let content = coding == nil ? message : ContentCoding.gzip(message)
      framed += [coding == nil ? 0 : 1, 0, 0, UInt8(content.count >> 8), UInt8(content.count & 255)] + content
    }
    if let coding { answer.fields.append(name: "grpc-encoding".utf8, value: coding.utf8) }
    answer.body = body(framed)
    let list = [status.map { ("grpc-status", $0) }, message.map { ("grpc-message", $0) }].compactMap { $0 }
    for (name, value) in list {
      if inHeader {
        answer.fields.append(name: name.utf8, value: value.utf8)
      } else {
        answer.trailers.append(name: name.utf8, value: value.utf8)
      }
    }
    return answer
  }

  private func differences(_ a: HTTPResponse, _ b: HTTPResponse) -> [String] {
    lines(ResponseComparator().compare(expected: a, actual: b, method: "POST".utf8))
  }

  @Test func grpcStatus() {
    #expect(differences(grpc([[8, 1]]), grpc([], status: "13")) == ["trailer:grpc-status changed high"])
    #expect(differences(grpc([], status: "5"), grpc([], status: "13")) == ["trailer:grpc-status changed medium"])
    #expect(differences(grpc([], status: "5", inHeader: true), grpc([], status: "5")) == [])
    #expect(differences(grpc([], status: "5", message: "a%20b"), grpc([], status: "5", message: "a b")) == [])
    #expect(
      differences(grpc([], status: "5", message: "a"), grpc([], status: "5", message: "b")) == [
        "trailer:grpc-message changed medium"
      ])
    #expect(differences(grpc([]), grpc([], status: nil)) == ["trailer:grpc-status removed high"])
    let found = ResponseComparator().compare(expected: grpc([]), actual: grpc([], status: "14"), method: "POST".utf8)
    #expect(found.first?.expected == "0 OK" && found.first?.actual == "14 UNAVAILABLE")
  }

  @Test func grpcMessagesByWireType() {
    #expect(differences(grpc([[8, 1]]), grpc([[8, 2]])) == ["body:/1:varint/* changed medium"])
    #expect(differences(grpc([[8, 1, 16, 1]]), grpc([[8, 1]])) == ["body:/2:varint removed high"])
    #expect(differences(grpc([[8, 1, 16, 1]]), grpc([[16, 1, 8, 1]])) == [])
    #expect(differences(grpc([[8, 1]], coding: "gzip"), grpc([[8, 1]])) == ["header:grpc-encoding removed high"])
    #expect(differences(grpc([[8, 1], [8, 2]]), grpc([[8, 1]])) == ["body length medium"])
    // A string that stops reading as text is no other type: that it was one is a guess.
    #expect(differences(grpc([[10, 2, 97, 98]]), grpc([[10, 2, 8, 1]])) == ["body:/1:len/* changed medium"])
  }

  @Test func brokenFramesAreBytes() {
    var broken = grpc([[8, 1]])
    broken.body = body([0, 0, 0, 9, 9, 9])
    #expect(differences(grpc([[8, 1]]), broken) == ["body changed medium"])
  }

  private func xml(_ text: String) -> HTTPResponse { response(200, [("Content-Type", "application/xml")], body: text) }

  @Test(
    arguments: [
      ("<a><b>1</b> </a>", "<a>\n <b>1</b><!-- c --></a>", []), ("<a x='1' y='2'/>", "<a y=\"2\" x=\"1\"></a>", []),
      ("<a><b>1</b></a>", "<a><b>2</b></a>", ["body:/a/b changed medium"]),
      ("<a><b/><c/></a>", "<a><b/></a>", ["body:/a/c removed high"]),
      ("<a><b/></a>", "<a><b/><b/></a>", ["body:/a/b added low"]),
      ("<a x='1'/>", "<a/>", ["body:/a/@x removed high"]),
      ("<a><i>1</i><i>2</i><i>3</i></a>", "<a><i>2</i><i>3</i></a>", ["body:/a/i removed high"]),
      ("<a/>", "<a", ["body type high"]), ("<a", "<b", ["body changed medium"]),
    ] as [(String, String, [String])])
  func xmlByStructure(a: String, b: String, expected: [String]) { #expect(differences(xml(a), xml(b)) == expected) }

  @Test func htmlByStructure() {
    func html(_ text: String) -> HTTPResponse { response(200, [("Content-Type", "text/html")], body: text) }
    #expect(differences(html("<P>a  b<br>"), html("<p>a b<BR></p>")) == [])
    #expect(
      differences(html("<body><p class=x>a<p>b"), html("<body><p class=y>a<p>c")) == [
        "body:/body/p/@class changed medium", "body:/body/p changed medium",
      ])
    let options = ComparisonOptions(ignore: [IgnoredLocation("body:/body/p")!])
    let found = ResponseComparator(options: options).compare(
      expected: html("<body><p>a</p><i>1</i>"), actual: html("<body><p>b</p><i>2</i>"), method: "GET".utf8)
    #expect(lines(found) == ["body:/body/i changed medium"])
  }

  @Test func charsets() {
    func text(_ bytes: [UInt8], _ charset: String) -> HTTPResponse {
      var answer = response(200, [("Content-Type", "text/plain;charset=\(charset)")])
      answer.body = body(bytes)
      return answer
    }
    let type = "header:content-type changed medium"
    #expect(differences(text([0x61, 0xe9], "iso-8859-1"), text(Array("aé".utf8), "utf-8")) == [type])
    #expect(
      differences(text([0x61, 0xe9], "iso-8859-1"), text(Array("aè".utf8), "utf-8")) == [type, "body changed medium"])
    #expect(differences(text([0xff, 0xfe, 0x61, 0], "utf-16"), text([0, 0x61], "utf-16be")) == [type])
    #expect(differences(text([0xef, 0xbb, 0xbf, 0x61], "utf-8"), text([0x61], "utf-8")) == [])
  }

  @Test func arrayAndNumberRules() {
    let options = ComparisonOptions(
      arrays: [JSONArrayRule(at: JSONPointerPattern("/tags")!, order: .set)],
      numbers: [JSONNumberRule(at: JSONPointerPattern("/price")!, within: 0.01)])
    let found = ResponseComparator(options: options).compare(
      expected: json(#"{"tags":["a","b"],"price":1.00,"n":1}"#),
      actual: json(#"{"tags":["b","a"],"price":1.01,"n":2}"#),
      method: "GET".utf8)
    #expect(lines(found) == ["body:/n changed medium"])
  }
}
