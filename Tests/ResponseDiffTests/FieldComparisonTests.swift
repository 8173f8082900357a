import HTTPModel
import Testing

@testable import ResponseDiff

/// One line a difference: `place kind severity`.
func lines(_ differences: [Difference]) -> [String] {
  differences.map { "\($0.location) \($0.kind.rawValue) \($0.severity.rawValue)" }
}

@Suite struct FieldComparisonTests {
  private func differences(_ a: [(String, String)], _ b: [(String, String)], ignore: [String] = []) -> [String] {
    let options = ComparisonOptions(ignore: ignore.map { IgnoredLocation($0)! })
    return lines(
      ResponseComparator(options: options).compare(
        expected: response(200, a), actual: response(200, b), method: "GET".utf8))
  }

  @Test(
    arguments: [
      ([("X-A", "1")], [("x-a", "1")]), ([("Date", "a")], [("Date", "b")]), ([("Date", "a")], []),
      ([("Age", "1")], [("Age", "2")]), ([("Connection", "close")], []), ([("Transfer-Encoding", "chunked")], []),
      ([("Keep-Alive", "timeout=5")], [("Keep-Alive", "timeout=4")]),
      ([("Content-Length", "1")], [("Content-Length", "2")]),
      ([("Connection", "X-Hop"), ("X-Hop", "1")], []), ([("Vary", "a, B")], [("Vary", "b"), ("Vary", "A")]),
      ([("Cache-Control", "no-store, max-age=5")], [("Cache-Control", "Max-Age=5,no-store,no-store")]),
      ([("Allow", "GET, POST")], [("Allow", "POST,GET")]),
      ([("X-B", "1"), ("X-A", "2")], [("X-A", "2"), ("X-B", "1")]),
      ([("X", "a"), ("X", "b")], [("X", "a, b")]),
      ([("Content-Type", "text/html; charset=UTF-8")], [("content-type", "Text/HTML;charset=\"utf-8\"")]),
      (
        [("Set-Cookie", "a=1; Path=/; Secure"), ("Set-Cookie", "b=2")],
        [("Set-Cookie", "b=2"), ("Set-Cookie", "a=1;secure;path=/")]
      ),
      (
        [("Set-Cookie", "a=redacted.13034969180517b8; Path=/")], [("Set-Cookie", "a=redacted.0a6dced1a7422654; Path=/")]
      ),
      (
        [("Set-Cookie", "a=1; Expires=Mon, 01 Jan 2029 00:00:00 GMT")],
        [("Set-Cookie", "a=1; expires=Tue, 02 Jan 2029 00:00:00 GMT")]
      ),
      (
        [("Date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("Expires", "Sun, 06 Nov 1994 08:59:37 GMT")],
        [("Date", "Mon, 07 Nov 1994 23:59:59 GMT"), ("Expires", "Tue, 08 Nov 1994 00:09:58 GMT")]
      ),
      ([(":status", "200")], []),
      (
        [("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")], [("Last-Modified", "Sunday, 06-Nov-94 08:49:37 GMT")]
      ),
      ([("Last-Modified", "Sun Nov  6 08:49:37 1994")], [("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")]),
      ([("Accept-Encoding", "gzip, br")], [("Accept-Encoding", "br,gzip")]),
      (
        [("Strict-Transport-Security", "max-age=5; includeSubDomains")],
        [("Strict-Transport-Security", "includeSubdomains;max-age=5")]
      ),
    ] as [([(String, String)], [(String, String)])])
  func mean(a: [(String, String)], theSame b: [(String, String)]) {
    #expect(differences(a, b) == [])
    #expect(differences(b, a) == [])
  }

  @Test(
    arguments: [
      ([("X-A", "1")], [("X-A", "2")], ["header:x-a changed medium"]),
      ([("X-A", "1")], [], ["header:x-a removed high"]),
      ([], [("X-A", "")], ["header:x-a added low"]),
      ([("Vary", "a")], [("Vary", "a, b")], ["header:vary changed medium"]),
      ([("Allow", "GET")], [("Allow", "get")], ["header:allow changed medium"]),
      ([("X", "a"), ("X", "b")], [("X", "b"), ("X", "a")], ["header:x changed medium"]),
      ([("ETag", "\"a\"")], [("ETag", "W/\"a\"")], ["header:etag changed medium"]),
      ([("Content-Encoding", "gzip")], [], ["header:content-encoding removed info"]),
      ([("Content-Type", "text/html")], [("Content-Type", "text/plain")], ["header:content-type changed medium"]),
      ([("Set-Cookie", "a=1")], [("Set-Cookie", "a=1; HttpOnly")], ["header:set-cookie/a/httponly added low"]),
      (
        [("Set-Cookie", "a=redacted.13034969180517b8")], [("Set-Cookie", "a=")], ["header:set-cookie/a changed medium"]
      ),
      (
        [("Set-Cookie", "a=1"), ("Set-Cookie", "b=1")], [("Set-Cookie", "b=2")],
        ["header:set-cookie/a removed high", "header:set-cookie/b changed medium"]
      ),
      (
        [("Set-Cookie", "a=1; Secure; SameSite=Lax; Max-Age=5")], [("Set-Cookie", "a=2; samesite=none; max-age=5")],
        [
          "header:set-cookie/a changed medium", "header:set-cookie/a/samesite changed medium",
          "header:set-cookie/a/secure removed high",
        ]
      ),
      (
        [("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")], [("Last-Modified", "Sun, 06 Nov 1994 08:49:38 GMT")],
        ["header:last-modified changed medium"]
      ),
      ([("Set-Cookie", "a=1; Expires=x")], [("Set-Cookie", "a=1")], ["header:set-cookie/a/expires removed high"]),
      ([("Expires", "0")], [("Expires", "-1")], ["header:expires changed medium"]),
      (
        [("Cache-Control", "private=\"a,b\"")], [("Cache-Control", "private=\"a\",b")],
        ["header:cache-control changed medium"]
      ),
    ] as [([(String, String)], [(String, String)], [String])])
  func differ(a: [(String, String)], b: [(String, String)], expected: [String]) {
    #expect(differences(a, b) == expected)
  }

  @Test func ignoredFields() {
    #expect(
      differences([("X-A", "1"), ("X-B", "1")], [("X-A", "2"), ("X-B", "2")], ignore: ["header:X-A"]) == [
        "header:x-b changed medium"
      ])
    #expect(differences([("X-A", "1")], [], ignore: ["header:*"]) == [])
    #expect(differences([("X-A", "1")], [], ignore: ["trailer:x-a"]) == ["header:x-a removed high"])
  }

  @Test func trailersAreComparedApart() {
    let a = response(200, [], body: "x", trailers: [("grpc-status", "0")])
    let b = response(200, [], body: "x", trailers: [("grpc-status", "13")])
    #expect(
      lines(ResponseComparator().compare(expected: a, actual: b, method: "POST".utf8)) == [
        "trailer:grpc-status changed medium"
      ])
  }

  @Test(
    arguments: [
      ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
      ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777), ("", nil),
      ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Sun, 99 Nov 1994 08:49:37 GMT", nil),
      ("Sun, 06 Nov 1994 08:49:37 UTC", nil),
      ("Sun, 06 Xxx 1994 08:49:37 GMT", nil),
    ] as [(String, Int64?)])
  func httpDates(text: String, seconds: Int64?) { #expect(httpDateSeconds(Array(text.utf8)[...]) == seconds) }
}
