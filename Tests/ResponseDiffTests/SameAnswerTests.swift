import HTTPModel
import Testing

@testable import ResponseDiff

/// What is told the same at a glance is neither compared nor searched for secrets: it must be the same in everything.
@Suite struct SameAnswerTests {
  private func answer(
    date: String = "Mon, 21 Sep 2026 14:13:20 GMT", reason: String = "OK", etag: String = "a", body text: String = "{}"
  ) -> HTTPResponse {
    var all = HeaderFields(storage: Array("HTTP/1.1 200 \(reason)\r\n".utf8))
    for (name, value) in [("Server", "s"), ("Date", date), ("ETag", etag)] {
      all.append(name: name.utf8, value: value.utf8)
    }
    return HTTPResponse(
      version: .http11, status: 200, reasonRange: 0..<0, fields: all, body: body(Array(text.utf8)), timing: timing())
  }

  @Test func onlyTheTimeOfDateMayDiffer() {
    let recorded = answer()
    #expect(recorded.isSameAnswer(as: answer()))
    #expect(recorded.isSameAnswer(as: answer(date: "Tue, 22 Sep 2026 09:00:01 GMT")))
    #expect(!recorded.isSameAnswer(as: answer(date: "l1ve-token-of-the-same-length")), "no time")
    #expect(!recorded.isSameAnswer(as: answer(reason: "KO")), "the status line")
    #expect(!recorded.isSameAnswer(as: answer(etag: "b")), "behind Date")
    #expect(!recorded.isSameAnswer(as: answer(body: "[]")), "the body")
    var hinted = answer()
    hinted.informational = [
      InformationalResponse(status: 103, fields: fields([("Set-Cookie", "s=1")]), time: moment(0))
    ]
    #expect(!recorded.isSameAnswer(as: hinted) && !hinted.isSameAnswer(as: recorded), "an interim response")
    var cut = answer()
    cut.body.isComplete = false
    #expect(!recorded.isSameAnswer(as: cut))
  }
}
