// A RunReport as one self-contained HTML page: no network, no font, no script but its own. Bounds: `FindingViews`
// limits what is quoted of answers, so that a page of a thousand findings stays quick to open.

import Mustache
import ResponseDiff

enum HTMLReport {
  static func write(_ report: RunReport, options: ReportOptions) -> [UInt8] {
    let page = library.render(PageView(report, options: options).fields, withTemplate: "page") ?? ""
    return Array(page.utf8)
  }

  /// The page's templates, parsed once.
  private static let library: MustacheLibrary = {
    MustacheContentTypes.register(MarkupEscaping(), named: MarkupEscaping.name)
    let templates = [
      "page": PageTemplate.page, "verdict": PageTemplate.verdict, "gates": PageTemplate.gates,
      "findings": FindingTemplate.list, "finding": FindingTemplate.finding, "comparison": FindingTemplate.comparison,
      "suppressions": PageTemplate.suppressions, "endpoints": PageTemplate.endpoints, "latency": PageTemplate.latency,
      "time": PageTemplate.time,
      "totals": PageTemplate.totals,
      "schedule": PageTemplate.schedule, "capture": PageTemplate.capture, "run": PageTemplate.run,
    ]
    var library = MustacheLibrary()
    for (name, text) in templates {
      do {
        try library.register("{{% CONTENT_TYPE: \(MarkupEscaping.name)}}\n" + text, named: name)
      } catch {
        preconditionFailure("the template '\(name)' does not parse: \(error)")
      }
    }
    return library
  }()
}
