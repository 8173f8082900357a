import ResponseDiff
import Testing

@testable import Reporting

@Suite struct MarkdownReportTests {
  private func text(_ report: RunReport) -> String { String(decoding: report.rendered(as: .markdown), as: UTF8.self) }

  @Test func printsWhatWasApproved() throws {
    try expectGolden(SampleReports.failing.rendered(as: .markdown), "failing.md")
    try expectGolden(SampleReports.green.rendered(as: .markdown), "green.md")
  }

  @Test func theVerdictIsTheFirstLine() {
    #expect(text(SampleReports.green).hasPrefix("## ✅ umbra: pass – No difference in 12,004 compared pairs"))
    #expect(text(SampleReports.failing).hasPrefix("## ❌ umbra: fail – "))
    #expect(text(SampleReports.inconclusive).hasPrefix("## ⚠️ umbra: inconclusive – "))
    #expect(text(SampleReports.empty).hasPrefix("## ⚠️ umbra: inconclusive – "))
  }

  /// A comment on GitHub holds 65,536 characters; on GitLab a million.
  @Test func aCommentHoldsIt() {
    let many = text(SampleReports.large(clusters: 1000))
    #expect(many.count < 60_000 && many.contains("more, none worse"))
    let hostile = text(SampleReports.filled(with: String(repeating: "<|`*", count: 5000)))
    #expect(hostile.utf8.count < 600_000 && hostile.unicodeScalars.count < 400_000)
  }

  @Test func nothingOffTheWireIsObeyed() {
    let report = SampleReports.filled(
      with: SampleReports.hostileText + " [x](http://e.example) @all | `a` ![i](u) www.e.example")
    // Lines of code blocks stand for themselves.
    func lines(_ text: String) -> [Substring] {
      text.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("    ") }
    }
    let harmless = lines(text(SampleReports.filled(with: "harmless")))
    let hostile = lines(text(report))
    #expect(hostile.count == harmless.count, "no line is broken")
    for (line, plain) in zip(hostile, harmless) {
      let (bars, expected) = (line.count { $0 == "|" }, plain.count { $0 == "|" })
      #expect(bars == expected, "\(line)")
      for mark in ["<script", "<img", "](", "![", "@all", "http:", "www."] { #expect(!line.contains(mark), "\(line)") }
    }
    #expect(!text(report).unicodeScalars.contains { isInvisible($0) && $0 != "\n" && $0 != "\t" && $0 != "\u{fe0f}" })
  }
}
