import Foundation
import ResponseDiff
import Testing

@testable import Reporting

@Suite struct HTMLReportTests {
  private func page(_ report: RunReport, runFile: String = "RUN") -> String {
    String(decoding: report.rendered(as: .html, options: ReportOptions(runFile: runFile)), as: UTF8.self)
  }

  /// The page's tags in order, without texts and attributes' values.
  private func skeleton(_ page: String) -> [String] {
    var tags: [String] = []
    var rest = page.utf8[...]
    while let start = rest.firstIndex(of: UInt8(ascii: "<")) {
      var quoted = false
      var tag: [UInt8] = []
      var end = start
      for index in rest.indices[start...] {
        let byte = rest[index]
        if byte == UInt8(ascii: "\"") { quoted.toggle() } else if !quoted { tag.append(byte) }
        end = index
        if byte == UInt8(ascii: ">"), !quoted { break }
      }
      tags.append(String(decoding: tag, as: UTF8.self))
      rest = rest[page.utf8.index(after: end)...]
      // A script's and a style's content is no markup.
      for name in ["script", "style"] where tags.last == "<\(name)>" {
        guard let close = String(Substring(rest)).range(of: "</\(name)>") else { break }
        let text = String(Substring(rest))
        rest = rest.dropFirst(text[..<close.lowerBound].utf8.count)
      }
    }
    return tags
  }

  @Test func nothingOffTheWireBecomesMarkup() {
    let hostile = page(SampleReports.filled(with: SampleReports.hostileText), runFile: SampleReports.hostileText)
    let harmless = page(SampleReports.filled(with: "harmless"), runFile: "two words")
    #expect(skeleton(hostile) == skeleton(harmless))
    for raw in [
      "<script>alert", "<img", "onerror=alert(1)>", "]]>", "<!--{{", "--><", "\"'>", "\"\u{301}", "'\u{301}",
      "<\u{301}",
    ] {
      #expect(!hostile.unicodeScalars.contains(raw.unicodeScalars), "\(raw.debugDescription)")
    }
    #expect(!hostile.unicodeScalars.contains { isInvisible($0) && $0 != "\n" && $0 != "\t" })
    #expect(hostile.contains("{{x}}{{{y}}}{{/z}}"), "a value is never taken for a template")
    #expect(hostile.contains("\\u{202E}"), "what cannot be seen is shown")
  }

  @Test(arguments: 0..<5) func everyTagIsClosedInItsPlace(_ index: Int) {
    let reports = [
      SampleReports.failing, SampleReports.green, SampleReports.inconclusive, SampleReports.empty,
      SampleReports.filled(with: SampleReports.hostileText),
    ]
    let void = ["meta", "input", "!DOCTYPE"]
    var open: [String] = []
    for tag in skeleton(page(reports[index])) {
      let name = tag.drop { $0 == "<" || $0 == "/" }.prefix { $0 != " " && $0 != ">" && $0 != "/" }
      if tag.hasPrefix("</") {
        #expect(open.popLast() == String(name))
      } else if !tag.hasSuffix("/>"), !void.contains(String(name)) {
        open.append(String(name))
      }
    }
    #expect(open.isEmpty)
  }

  @Test func aPageLoadsNothingAndAdmitsOnlyItsOwnScriptAndStyle() throws {
    let page = page(SampleReports.failing)
    #expect(page.contains("default-src 'none'"))
    for attribute in ["src=", "href=\"http", "@import", "url(", "<link", "<iframe", " style=\"", " onclick"] {
      #expect(!page.contains(attribute), "\(attribute)")
    }
    for (name, hash, text) in [
      ("style", PageStyle.hash, PageStyle.text), ("script", PageScript.hash, PageScript.text),
    ] {
      let right = "sha256-" + (try sha256(text).base64EncodedString())
      #expect(hash == right, "the page's \(name) was changed: its hash is now \(right)")
      #expect(page.contains("<\(name)>\(text)</\(name)>") && page.contains("\(name)-src '\(right)'"))
    }
  }

  private func sha256(_ text: String) throws -> Data {
    let file = FileManager.default.temporaryDirectory.appending(path: "umbra-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(text.utf8).write(to: file)
    let digits = Array(try output(of: "/usr/bin/env", ["sha256sum", file.path]).prefix(64))
    return Data(
      stride(from: 0, to: digits.count - 1, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) })
  }

  private func output(of program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }

  @Test func linksLeadToPlacesOnThePage() throws {
    for report in [SampleReports.failing, SampleReports.green, SampleReports.empty] {
      let page = page(report)
      for link in page.matches(of: try Regex("href=\"#([^\"]*)\"", as: (Substring, Substring).self)) {
        #expect(page.contains("id=\"\(link.output.1)\""), "\(link.output.1)")
      }
    }
  }

  @Test func theVerdictIsSaidInWords() {
    #expect(page(SampleReports.failing).contains("<h1>Fail</h1>"))
    #expect(page(SampleReports.green).contains("<h1>Pass</h1>"))
    #expect(page(SampleReports.inconclusive).contains("<h1>Inconclusive</h1>"))
    #expect(page(SampleReports.green).contains("No difference in 12,004 compared pairs."))
    #expect(page(SampleReports.empty).contains("Nothing was compared"))
  }

  @Test func aPageOfManyFindingsStaysSmallAndSaysWhatItLeavesOut() {
    let page = page(SampleReports.large(clusters: 1000))
    #expect(page.utf8.count < 4_000_000)
    #expect(page.utf8.count { $0 == UInt8(ascii: "<") } < 200_000)
    #expect(page.contains("The worst findings quote their answers in full."))
    #expect(page.contains("<p class=\"quiet\">Further examples: 1000-2, 1000-3</p>"))
  }

  private static let chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  @Test(.enabled(if: chromium != nil, "no Chromium here"))
  func aBrowserRunsThePagesScriptAndNoOther() throws {
    let browser = try #require(HTMLReportTests.chromium)
    let folder = FileManager.default.temporaryDirectory.appending(path: "umbra-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "report.html")
    try Data(page(SampleReports.filled(with: SampleReports.hostileText)).utf8).write(to: file)
    let dom = try output(
      of: "/usr/bin/env",
      [
        "timeout", "120", browser, "--headless", "--no-sandbox", "--disable-gpu",
        "--user-data-dir=\(folder.path)/profile", "--dump-dom", "file://\(file.path)",
      ])
    #expect(
      dom.contains("<button type=\"button\" id=\"theme\" class=\"plain\" data-next=\"light\">Theme: auto</button>"))
    #expect(dom.contains("<div class=\"tools\" role=\"search\">"))
    #expect(!dom.contains("<img"))
    #expect(dom.components(separatedBy: "<script").count == 2)
  }
}
