// Quantiles in, the coordinates of an inline SVG out. Times stand on a logarithmic axis, shares on one that gives each
// quantile the same height, so that the tail can be read.

import Glibc
import ResponseDiff

struct LatencyChart {
  /// One line of the chart.
  struct Side {
    /// The class of its marks: `primary`, `shadow`, `due`.
    var name: String
    var title: String
    var quantiles: Quantiles
  }

  private static let width = 520.0
  private static let height = 270.0
  private static let (left, right, top, bottom) = (52.0, 18.0, 14.0, 28.0)

  static func fields(_ sides: [Side]) -> Fields? {
    guard let axis = TimeAxis(sides.flatMap { $0.quantiles.named.map(\.value) }, from: left, to: width - right) else {
      return nil
    }
    let names = ["50%", "90%", "95%", "99%", "99.9%", "max"]
    func y(_ level: Int) -> Double {
      height - bottom - Double(level) * (height - bottom - top) / Double(names.count - 1)
    }
    let levels = names.enumerated().map { level, name -> Fields in
      [
        "x1": number(left), "x2": number(width - right), "y": number(y(level)), "tx": number(left - 8),
        "ty": number(y(level) + 4), "name": name,
      ]
    }
    let ticks = axis.ticks.map { tick -> Fields in
      [
        "x": number(axis.place(tick)), "y1": number(top), "y2": number(height - bottom),
        "ty": number(height - bottom + 18), "name": TimeAxis.label(tick),
      ]
    }
    let series = sides.map { side -> Fields in
      let points = side.quantiles.named.enumerated().map { (axis.place($1.value), y($0)) }
      let path = points.enumerated().map { "\($0 == 0 ? "M" : "L")\(number($1.0)) \(number($1.1))" }.joined()
      let marks = zip(side.quantiles.named, points).map { quantile, point -> Fields in
        [
          "shape": shape(side.name, x: point.0, y: point.1),
          "name": "\(side.title), \(quantile.name.label): \(Figure.time(microseconds: quantile.value))",
        ]
      }
      return ["side": side.name, "path": path, "points": marks]
    }
    let label = sides.map { side in
      "\(side.title): "
        + side.quantiles.named.map { "\($0.name.label) \(Figure.time(microseconds: $0.value))" }.joined(separator: ", ")
    }
    return [
      "width": number(width), "height": number(height), "label": "Latency. " + label.joined(separator: ". "),
      "levels": levels, "ticks": ticks, "series": series,
    ]
  }

  /// A mark that tells the sides apart without colour: circle, square, diamond.
  static func shape(_ side: String, x: Double, y: Double) -> String {
    switch side {
    case "primary": "M\(number(x - 3.5)) \(number(y))a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z"
    case "shadow": "M\(number(x - 3.25)) \(number(y - 3.25))h6.5v6.5h-6.5z"
    default: "M\(number(x)) \(number(y - 4))l4 4l-4 4l-4 -4z"
    }
  }

  /// From p50 to p99 of both sides, with a tick at p95, on one axis.
  static func range(_ latency: LatencySummary, on axis: TimeAxis) -> [Fields] {
    [("primary", latency.primary, 2.5), ("shadow", latency.shadow, 12.5)].compactMap { side, quantiles, y in
      guard let quantiles else { return nil }
      let start = axis.place(quantiles.p50)
      return [
        "side": side, "x": number(start), "y": number(y), "width": number(max(2, axis.place(quantiles.p99) - start)),
        "tick": number(axis.place(quantiles.p95) - 1), "ty": number(y - 2),
      ]
    }
  }

  static func number(_ value: Double) -> String { Figure.decimal(value, 1) }
}

/// Microseconds on a logarithmic axis whose ends are 1, 2 or 5 times a power of ten.
struct TimeAxis {
  let ticks: [Double]
  private let low: Double
  private let scale: Double
  private let origin: Double

  /// - Parameter values: what has to fit; nil where none is a time.
  init?(_ values: [Double], from origin: Double, to end: Double) {
    let times = values.filter { $0.isFinite && $0 >= 0 }.map { max(1, min($0, 1e12)) }
    guard let least = times.min(), let most = times.max() else { return nil }
    var steps: [Double] = []
    var decade = 1.0
    while decade <= 1e13 {
      steps += [decade, 2 * decade, 5 * decade]
      decade *= 10
    }
    let first = steps.lastIndex { $0 <= least } ?? 0
    let last = max(first + 1, steps.firstIndex { $0 >= most } ?? steps.count - 1)
    low = steps[first]
    self.origin = origin
    scale = (end - origin) / log2(steps[last] / low)
    let inside = steps[first...last]
    ticks = inside.count <= 8 ? Array(inside) : inside.filter { TimeAxis.isDecade($0) }
  }

  func place(_ value: Double) -> Double {
    guard value.isFinite else { return origin }
    return origin + max(0, log2(max(1, min(value, 1e12)) / low)) * scale
  }

  /// `200us`, `5ms`, `1s`: of a tick, so without a fraction.
  static func label(_ tick: Double) -> String {
    if tick < 1e3 { return Figure.decimal(tick, 0) + "us" }
    return tick < 1e6 ? Figure.decimal(tick / 1e3, 0) + "ms" : Figure.decimal(tick / 1e6, 0) + "s"
  }

  private static func isDecade(_ tick: Double) -> Bool { Figure.decimal(tick, 0).first == "1" }
}
