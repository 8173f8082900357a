// Arrivals over time, counted in bounded memory, and drawn in text.

/// Counts of arrivals in equal stretches of time, as long as it takes for all of them to fit.
struct ArrivalHistogram {
  /// Nanoseconds of a bin; doubled whenever an arrival lies behind the last one.
  private(set) var width: Int64 = 1_000_000
  private(set) var bins = [UInt64](repeating: 0, count: 512)
  private(set) var count: UInt64 = 0
  /// The latest arrival; nil before the first.
  private(set) var last: Int64?

  mutating func add(_ time: Int64) {
    while time / width >= Int64(bins.count) {
      for index in bins.indices {
        bins[index] = 2 * index < bins.count ? bins[2 * index] + bins[2 * index + 1] : 0
      }
      width *= 2
    }
    bins[Int(time / width)] += 1
    count += 1
    last = max(last ?? 0, time)
  }

  /// The mean rate between two times, per second; bins that are partly in count by their share.
  func rate(from start: Double, to end: Double) -> Double {
    var sum = 0.0
    let first = max(0, Int(start / Double(width)))
    for index in first..<min(bins.count, max(first, Int((end / Double(width)).rounded(.up)))) {
      let low = max(start, Double(index) * Double(width))
      let high = min(end, Double(index + 1) * Double(width))
      if high > low { sum += Double(bins[index]) * (high - low) / Double(width) }
    }
    return end > start ? sum / (end - start) * 1e9 : 0
  }
}

/// A histogram as columns of block characters over a time axis.
struct ArrivalPlot {
  private let histogram: ArrivalHistogram
  private let width: Int

  private static let rows = 8
  private static let labels = 10
  private static let eighths: [Character] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

  init(_ histogram: ArrivalHistogram, width: Int) {
    self.histogram = histogram
    self.width = width
  }

  /// Lines of at most the width, each ended by a line feed.
  var text: String {
    let columns = width - ArrivalPlot.labels - 4
    let end = Double((histogram.last ?? 0) + 1)
    let rates = (0..<columns).map { column in
      histogram.rate(
        from: end * Double(column) / Double(columns), to: end * Double(column + 1) / Double(columns))
    }
    let top = max(rates.max() ?? 0, 1e-9)
    var text = ""
    for row in 0..<ArrivalPlot.rows {
      let level = ArrivalPlot.rows - row
      let label = row == 0 ? rate(top) : row == ArrivalPlot.rows / 2 ? rate(top / 2) : ""
      text += "  " + label.leftPadded(to: ArrivalPlot.labels) + " │"
      var line = ""
      for rate in rates {
        let filled = rate / top * Double(ArrivalPlot.rows * 8) - Double((level - 1) * 8)
        line.append(ArrivalPlot.eighths[max(0, min(8, Int(filled.rounded())))])
      }
      while line.last == " " { line.removeLast() }
      text += line + "\n"
    }
    text += "  " + "0".leftPadded(to: ArrivalPlot.labels) + " └" + String(repeating: "─", count: columns) + "\n"
    let endLabel = shortDuration(histogram.last ?? 0)
    text +=
      String(repeating: " ", count: ArrivalPlot.labels + 4) + "0s"
      + endLabel.leftPadded(to: columns - 2) + "\n"
    return text
  }

  private func rate(_ perSecond: Double) -> String {
    perSecond >= 10 ? grouped(Int(perSecond.rounded())) + "/s" : fixed(perSecond, 2) + "/s"
  }
}
