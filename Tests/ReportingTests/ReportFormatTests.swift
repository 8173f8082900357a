import Reporting
import Testing

@Suite struct ReportFormatTests {
  @Test(arguments: [
    ("report.html", ReportFormat.html), ("a/b.c/R.HTM", .html), ("run.json", .json), ("out.TXT", .text),
    ("x.text", .text), ("comment.md", .markdown), ("junit.xml", .junit),
  ])
  func fileNamesNameTheFormat(_ name: String, _ format: ReportFormat) throws {
    #expect(try ReportFormat(fileName: name) == format)
  }

  @Test(arguments: ["report", "report.pdf", "", ".", "html", "dir.html/report", "report.html.gz"])
  func otherFileNamesAreRefused(_ name: String) {
    #expect(throws: ReportFormatError.unclearFileName(name)) { try ReportFormat(fileName: name) }
  }

  @Test func namesNameTheFormat() throws {
    for format in ReportFormat.allCases { #expect(try ReportFormat(name: format.rawValue.uppercased()) == format) }
    #expect(throws: ReportFormatError.unknownName("pdf")) { try ReportFormat(name: "pdf") }
    #expect(try ReportFormat(name: "MD") == .markdown && ReportFormat(name: "xml") == .junit)
  }

  @Test func errorsSayWhatToDoAndShowWhatCannotBeSeen() {
    #expect(
      ReportFormatError.unclearFileName("a\u{1b}[2J.pdf").description
        == "cannot tell the report's format from the file name 'a\\u{1B}[2J.pdf': let it end in .html, .json, .md, .xml or .txt"
    )
    #expect(ReportFormatError.unknownName("pdf").description.contains("text, json, html, markdown or junit"))
  }
}
