import Foundation
import ResponseDiff
import Testing

@testable import Reporting

@Suite struct JUnitReportTests {
  private func text(_ report: RunReport) -> String { String(decoding: report.rendered(as: .junit), as: UTF8.self) }

  @Test func printsWhatWasApproved() throws {
    try expectGolden(SampleReports.failing.rendered(as: .junit), "failing.xml")
    try expectGolden(SampleReports.inconclusive.rendered(as: .junit), "inconclusive.xml")
  }

  @Test func regressionsFailAndWhatIsInconclusiveIsSkipped() {
    let failing = text(SampleReports.failing)
    #expect(
      failing.contains("<testsuite name=\"GET /orders/{id}\" tests=\"3\" failures=\"3\" errors=\"0\" skipped=\"0\""))
    #expect(failing.contains("<testcase classname=\"gates\" name=\"verdict\" time=\"0\">\n      <failure "))
    let thin = text(SampleReports.inconclusive)
    #expect(thin.contains("name=\"verdict\" time=\"0\">\n      <skipped message=\"inconclusive: The schedule"))
    let green = text(SampleReports.green)
    #expect(!green.contains("<failure") && !green.contains("<skipped"))
    #expect(green.contains("<testcase classname=\"GET /items\" name=\"no regression in 3,950 pairs\" time=\"0\"/>"))
  }

  @Test(arguments: 0..<5) func isWellFormedAndCountsRight(_ index: Int) throws {
    let reports = [
      SampleReports.failing, SampleReports.inconclusive, SampleReports.empty, SampleReports.large(clusters: 700),
      SampleReports.filled(with: SampleReports.hostileText + "\u{fffe}\u{0}]]>"),
    ]
    let written = text(reports[index])
    let parts = try Elements(written)
    #expect(parts.problems.isEmpty, "\(parts.problems)")
    for suite in parts.suites { #expect(suite.declared == suite.found) }
    #expect(!parts.suites.isEmpty)
  }

  /// As much of an XML reader as these files need.
  private struct Elements {
    var suites: [(declared: [Int], found: [Int])] = []
    var problems: [String] = []

    init(_ text: String) throws {
      var open: [String] = []
      var rest = text.unicodeScalars.dropFirst("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".unicodeScalars.count)
      while let start = rest.firstIndex(of: "<") {
        for scalar in rest[..<start] where scalar.value < 0x20 && scalar != "\n" && scalar != "\t" {
          problems.append("control")
        }
        if rest[..<start].contains(">") { problems.append("a bare >") }
        guard let end = rest[start...].firstIndex(of: ">") else {
          problems.append("unclosed")
          return
        }
        let tag = String(String.UnicodeScalarView(rest[rest.index(after: start)..<end]))
        rest = rest[rest.index(after: end)...]
        if tag.hasPrefix("/") {
          if open.popLast() != String(tag.dropFirst()) { problems.append("</\(tag) closes another") }
          continue
        }
        let name = String(tag.prefix { $0 != " " && $0 != "/" })
        if !tag.count(where: { $0 == "\"" }).isMultiple(of: 2) { problems.append("quotes in <\(tag)>") }
        func number(_ attribute: String) -> Int {
          tag.firstMatch(of: try! Regex(" \(attribute)=\"([0-9]+)\"", as: (Substring, Substring).self)).flatMap {
            Int($0.output.1)
          } ?? -1
        }
        switch name {
        case "testsuite": suites.append(([number("tests"), number("failures"), number("skipped")], [0, 0, 0]))
        case "testcase": suites[suites.count - 1].found[0] += 1
        case "failure": suites[suites.count - 1].found[1] += 1
        case "skipped": suites[suites.count - 1].found[2] += 1
        default: break
        }
        if !tag.hasSuffix("/") { open.append(name) }
      }
      if !open.isEmpty { problems.append("unclosed \(open)") }
    }
  }
}
