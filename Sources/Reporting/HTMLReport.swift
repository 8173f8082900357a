import ResponseDiff
enum HTMLReport { static func write(_ report: RunReport, options: ReportOptions) -> [UInt8] { [] } }
