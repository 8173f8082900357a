// Golden files: what a report printed when a person last looked at it. RECORD_GOLDENS=1 rewrites them, and that run fails.

import Foundation
import Testing

func expectGolden(
  _ bytes: [UInt8], _ name: String, file: String = #filePath, location: SourceLocation = #_sourceLocation
) throws {
  let golden = URL(fileURLWithPath: file).deletingLastPathComponent().appending(path: "Goldens").appending(path: name)
  if ProcessInfo.processInfo.environment["RECORD_GOLDENS"] == "1" {
    try Data(bytes).write(to: golden)
    Issue.record("\(name) was rewritten: look at it, then run again without RECORD_GOLDENS", sourceLocation: location)
    return
  }
  let expected = String(decoding: try Data(contentsOf: golden), as: UTF8.self).split(
    separator: "\n", omittingEmptySubsequences: false)
  let actual = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
  for (number, (was, now)) in zip(expected, actual).enumerated() where was != now {
    Issue.record("\(name), line \(number + 1): expected “\(was)”, got “\(now)”", sourceLocation: location)
    return
  }
  #expect(expected.count == actual.count, "\(name) has another number of lines", sourceLocation: location)
}
