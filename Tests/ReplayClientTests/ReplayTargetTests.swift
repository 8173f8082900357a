import ReplayClient
import Testing

@Suite struct ReplayTargetTests {
  @Test(arguments: [
    ("http://canary", "canary", 80, "", "canary"), ("http://Canary:8080", "canary", 8080, "", "canary:8080"),
    ("HTTP://10.0.0.1:80/", "10.0.0.1", 80, "", "10.0.0.1"), ("http://a/v2/x/", "a", 80, "/v2/x", "a"),
    ("http://[::1]:8080", "::1", 8080, "", "[::1]:8080"), ("http://[::1]", "::1", 80, "", "[::1]"),
    ("http://a:", "a", 80, "", "a"),
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
    "ftp://a", "http://ä", "http://a\r\nb",
  ])
  func whatIsNoTargetIsNamed(_ url: String) {
    #expect {
      try ReplayTarget(url: url)
    } throws: { error in
      if case .targetNotUnderstood(url, _)? = error as? ReplayError { true } else { false }
    }
  }

  @Test(arguments: ["https://canary", "h2c://canary:8080"])
  func schemesOfLaterVersionsAreRefusedByName(_ url: String) {
    #expect {
      try ReplayTarget(url: url)
    } throws: { error in
      "\(error)".contains("not in this version") && "\(error)".contains("http://")
    }
  }
}
