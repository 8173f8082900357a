import Foundation
import HTTPModel
import SessionFile
import Testing

@testable import UmbraCLI

struct SessionNamingTests {
  @Test(
    arguments: [
      ("1GiB", 1 << 30, nil), ("1h", nil, 3600), ("10MB,5m", 10_000_000, 300), ("5m,10MB", 10_000_000, 300),
    ] as [(String, UInt64?, Int64?)])
  func rule(_ text: String, _ bytes: UInt64?, _ seconds: Int64?) {
    let rule = RotationRule(argument: text)
    #expect(rule?.bytes == bytes)
    #expect(rule?.interval == seconds.map { $0 * 1_000_000_000 })
  }

  @Test(arguments: ["", "x", "1h,2h", "1GB,2GB", "10ms", "5", "1GB,", "-1h"]) func notARule(_ text: String) {
    #expect(RotationRule(argument: text) == nil)
  }

  @Test func names() {
    let timed = SessionNamePattern(pattern: "/var/cap.d/cap-%Y.umbra")
    #expect(timed.name(seconds: 1_000_000_000, ordinal: 1, isRow: true) == "/var/cap.d/cap-2001.umbra")
    #expect(timed.name(seconds: 1_000_000_000, ordinal: 2, isRow: true) == "/var/cap.d/cap-2001-2.umbra")
    let plain = SessionNamePattern(pattern: "day.umbra")
    #expect(plain.name(seconds: 0, ordinal: 7, isRow: true) == "day-000007.umbra")
    #expect(plain.name(seconds: 0, ordinal: 1, isRow: false) == "day.umbra")
    #expect(SessionNamePattern(pattern: "a.b/day").name(seconds: 0, ordinal: 1, isRow: true) == "a.b/day-000001")
  }

  @Test func onlyOwnSessionsAreOfTheRow() throws {
    let scratch = try Scratch()
    for name in ["cap-20260101.umbra", "cap-20260102-2.umbra", "other-20260101.umbra", "cap-20260101.txt"] {
      let writer = try SessionWriter(
        .path(scratch.path(name), overwrite: false), kind: .session, created: .init(nanoseconds: 0))
      try writer.finish()
    }
    try scratch.write("cap-20260103.umbra", "text")
    let pattern = SessionNamePattern(pattern: scratch.path("cap-%Y%m%d.umbra"))
    #expect(Set(pattern.existingFiles()) == [scratch.path("cap-20260101.umbra"), scratch.path("cap-20260102-2.umbra")])
  }
}
