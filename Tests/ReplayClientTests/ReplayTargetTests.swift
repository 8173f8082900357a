import ReplayClient
import Testing

@Suite struct ReplayTargetTests {
  @Test(arguments: [
    ("http://canary", "canary", 80, "", "canary"), ("http://Canary:8080", "canary", 8080, "", "canary:8080"),
    ("HTTP://10.0.0.1:80/", "10.0.0.1", 80, "", "10.0.0.1"), ("http://a/v2/x/", "a", 80, "/v2/x", "a"),
    ("http://[::1]:8080", "::1", 8080, "", "[::1]:8080"), ("http://[::1]", "::1", 80, "", "[::1]"),
    ("http://a:", "a", 80, "", "a"), ("https://a", "a", 443, "", "a"), ("https://a:80", "a", 80, "", "a:80"),
    ("h2c://a:50051/x", "a", 50051, "/x", "a:50051"), ("http+unix:///run/a.sock", "localhost", 80, "", "localhost"),
    ("https+unix:///run/a", "localhost", 443, "", "localhost"),
  ])
  func urls(_ url: String, _ host: String, _ port: Int, _ path: String, _ authority: String) throws {
    let target = try ReplayTarget(url: url)
    #expect(target.host == host && target.port == UInt16(port) && target.basePath == path)
    #expect(target.authority == authority)
    #expect(try ReplayTarget(url: target.description) == target)
  }

  @Test(arguments: [
    "", "canary:8080", "://a", "http://", "http:///a", "http://a:0", "http://a:65536", "http://a:+1", "http://a:b",
    "http://u:p@a", "http://a?b", "http://a/#b", "http://::1", "http://[::1", "http://[::1]8080", "http://a b",
    "ftp://a", "http+unix://run/a", "http+unix:///", "ws+unix:///a", "http://ä", "http://a\r\nb",
  ])
  func whatIsNoTargetIsNamed(_ url: String) {
    #expect {
      try ReplayTarget(url: url)
    } throws: { error in
      if case .targetNotUnderstood(url, _)? = error as? ReplayError { true } else { false }
    }
  }

  @Test func socketsAreKept() throws {
    var target = try ReplayTarget(url: "http://canary:8080/v2")
    #expect(target.socketPath == nil && !target.isTLS)
    target.socketPath = "/run/a"
    #expect(target.description == "http://canary:8080/v2 (at /run/a)")
    #expect(try ReplayTarget(url: "https+unix:///run/a.sock").socketPath == "/run/a.sock")
    #expect(try ReplayTarget(url: "https+unix:///run/a.sock").isTLS)
  }
}
