// The formats of a report and how one is chosen: a name or a file's name in, a format or a clear error out.

public import ResponseDiff

/// A form in which a run's report is written.
public enum ReportFormat: String, CaseIterable, Sendable {
  /// For a terminal: 80 columns, the worst first.
  case text
  /// For scripts: one JSON document.
  case json
  /// For a browser: one self-contained file.
  case html
  /// For a merge request: the verdict in a line, the worst findings in a table.
  case markdown
  /// For a build server: JUnit's XML, a suite for each endpoint.
  case junit

  /// The format of this name, in any case; `md` and `xml` are short for `markdown` and `junit`.
  public init(name: String) throws(ReportFormatError) {
    let short = ["md": ReportFormat.markdown, "xml": .junit][name.lowercased()]
    guard let format = short ?? ReportFormat(rawValue: name.lowercased()) else { throw .unknownName(name) }
    self = format
  }

  /// The format that a file's name asks for: `.html` or `.htm`, `.json`, `.md`, `.xml`, `.txt` or `.text`, in any
  /// case.
  public init(fileName: String) throws(ReportFormatError) {
    let last = fileName.split(separator: "/").last ?? ""
    let parts = last.split(separator: ".", omittingEmptySubsequences: false)
    switch parts.count > 1 ? parts[parts.count - 1].lowercased() : "" {
    case "html", "htm": self = .html
    case "json": self = .json
    case "md", "markdown": self = .markdown
    case "xml": self = .junit
    case "txt", "text": self = .text
    default: throw .unclearFileName(fileName)
    }
  }
}

/// Why no format could be chosen.
public enum ReportFormatError: Error, Hashable, CustomStringConvertible {
  case unknownName(String)
  case unclearFileName(String)

  public var description: String {
    switch self {
    case .unknownName(let name):
      "'\(visible(name))' is not a report format: use text, json, html, markdown or junit"
    case .unclearFileName(let name):
      "cannot tell the report's format from the file name '\(visible(name))': let it end in .html, .json, .md, .xml or .txt"
    }
  }
}

/// What a report's reader wants beside the format.
public struct ReportOptions: Hashable, Sendable {
  /// Colours by ANSI escape sequences; in text only.
  public var usesColor: Bool
  /// What hints call the run file: `umbra show RUNFILE --id 7-3`.
  public var runFile: String

  public init(usesColor: Bool = false, runFile: String = "RUN") {
    self.usesColor = usesColor
    self.runFile = runFile
  }
}

extension RunReport {
  /// The whole report as bytes of UTF-8 that end in a line break.
  ///
  /// Nothing that came off the wire can act: control and bidirectional characters are shown as escapes, markup is escaped.
  public func rendered(as format: ReportFormat, options: ReportOptions = ReportOptions()) -> [UInt8] {
    switch format {
    case .text: TextReport.write(self, options: options)
    case .json: JSONReport.write(self)
    case .html: HTMLReport.write(self, options: options)
    case .markdown: MarkdownReport.write(self, options: options)
    case .junit: JUnitReport.write(self, options: options)
    }
  }
}
