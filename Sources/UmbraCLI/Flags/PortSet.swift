import ArgumentParser

/// TCP ports as `-p` takes them: `80`, `80,8080`, `8000-8100`.
struct PortSet: ExpressibleByArgument, Equatable, CustomStringConvertible {
  var ranges: [ClosedRange<UInt16>]

  var description: String {
    ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
  }

  init?(argument: String) {
    ranges = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
      switch ends.count {
      case 1:
        guard let port = ends[0], port > 0 else { return nil }
        ranges.append(port...port)
      case 2:
        guard let low = ends[0], let high = ends[1], low > 0, low <= high else { return nil }
        ranges.append(low...high)
      default: return nil
      }
    }
  }
}

/// Where a live line is shown on standard error.
enum ProgressMode: String, ExpressibleByArgument, CaseIterable {
  /// A line that is rewritten on a terminal, nothing elsewhere.
  case auto
  /// A line of its own every few seconds, also where standard error is no terminal.
  case plain
  case none
}
