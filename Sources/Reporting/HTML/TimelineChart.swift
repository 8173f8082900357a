// A run's slices of time in, the coordinates of two inline SVGs out: the rate of answers by status, stacked, with the rate
// of differences over it; and median and 95th percentile of both sides. Bounds: as many columns as there are slices.

import ResponseDiff

enum TimelineChart {
  private static let width = 520.0
  private static let height = 200.0
  private static let (left, right, top, bottom) = (52.0, 14.0, 12.0, 26.0)

  /// What is stacked, from the ground up: a class of marks, its name, its count.
  private static func layers(_ slice: TimeSlice) -> [(name: String, title: String, count: UInt64)] {
    let classes = slice.statusClasses
    func of(_ index: Int) -> UInt64 { classes.indices.contains(index) ? classes[index] : 0 }
    return [
      ("t2", "2xx", of(2)), ("t3", "3xx", of(3)), ("t4", "4xx", of(4)), ("t5", "5xx", of(5)),
      ("t1", "other", of(0) + of(1)), ("t0", "no answer", slice.errors),
    ]
  }

  /// Empty where there are not two slices to compare.
  static func fields(_ timeline: Timeline) -> Fields {
    let slices = timeline.slices
    let seconds = timeline.secondsPerSlice
    guard slices.count > 1, seconds > 0, seconds.isFinite else { return ["hasTime": false] }
    let rates = slices.map { Double($0.attempts) / seconds }
    let axis = LinearAxis(rates.max() ?? 0)
    let step = (width - left - right) / Double(slices.count)
    func y(_ rate: Double) -> Double { height - bottom - rate / axis.end * (height - bottom - top) }
    func x(_ index: Int) -> Double { left + Double(index) * step }

    var used: Set<String> = []
    let columns = slices.enumerated().map { index, slice -> Fields in
      var ground = 0.0
      let parts = layers(slice).compactMap { name, _, count -> Fields? in
        guard count > 0 else { return nil }
        used.insert(name)
        let rate = Double(count) / seconds
        defer { ground += rate }
        return [
          "layer": name, "x": number(x(index)), "y": number(y(ground + rate)), "width": number(max(0.5, step - 0.6)),
          "height": number(max(0.3, y(ground) - y(ground + rate))),
        ]
      }
      let counts = layers(slice).filter { $0.count > 0 }.map { "\($0.title) \(Figure.count($0.count))" }
      let title =
        "\(Figure.seconds(slice.start)): \(Figure.value((rates[index] * 10).rounded() / 10))/s; "
        + counts.joined(separator: ", ") + "; \(Figure.count(slice.different)) different"
      return ["title": title, "parts": parts]
    }
    let different = path(slices.enumerated().map { (x($0) + step / 2, y(Double($1.different) / seconds)) })
    let hasDifferent = slices.contains { $0.different > 0 }
    let legend = layers(slices[0]).filter { used.contains($0.name) }.map {
      ["layer": $0.name, "name": $0.title] as Fields
    }
    return [
      "hasTime": true, "timeWidth": number(width), "timeHeight": number(height), "columns": columns,
      "rateLevels": axis.ticks.map { level(Figure.value($0), y($0)) },
      "times": times(Double(slices.count) * seconds), "differentPath": hasDifferent ? [different] : [],
      "layers": legend,
      "rateLabel": "Requests a second over \(Figure.seconds(Double(slices.count) * seconds)), by status; at most "
        + "\(Figure.value((rates.max() ?? 0).rounded()))/s.",
    ].merging(latency(slices, x: { x($0) + step / 2 }, seconds: seconds)) { _, new in new }
  }

  private static func latency(_ slices: [TimeSlice], x: (Int) -> Double, seconds: Double) -> Fields {
    let lines: [(side: String, weight: String, value: (TimeSlice) -> Double?)] = [
      ("primary", "faint", { $0.primaryP50 }), ("primary", "", { $0.primaryP95 }),
      ("shadow", "faint", { $0.shadowP50 }), ("shadow", "", { $0.shadowP95 }),
    ]
    let values = lines.flatMap { line in slices.compactMap(line.value) }
    // On the vertical axis times rise upwards, from the lower edge to the upper.
    guard let axis = TimeAxis(values, from: height - bottom, to: top) else { return ["hasTimeLatency": false] }
    return [
      "hasTimeLatency": true, "latencyLevels": axis.ticks.map { level(TimeAxis.label($0), axis.place($0)) },
      "latencyLines": lines.map { line -> Fields in
        [
          "side": line.side, "weight": line.weight,
          "path": path(
            slices.enumerated().map { index, slice in line.value(slice).map { (x(index), axis.place($0)) } }),
        ]
      },
    ]
  }

  private static func level(_ name: String, _ y: Double) -> Fields {
    [
      "name": name, "x1": number(left), "x2": number(width - right), "y": number(y), "tx": number(left - 8),
      "ty": number(y + 4),
    ]
  }

  private static func times(_ total: Double) -> [Fields] {
    [(0.0, "start"), (0.5, "middle"), (1.0, "end")].map { share, anchor in
      [
        "x": number(left + share * (width - left - right)), "ty": number(height - bottom + 17), "anchor": anchor,
        "name": Figure.seconds(share * total),
      ]
    }
  }

  /// Points joined by lines; where one is missing the line ends and begins anew.
  private static func path(_ points: [(Double, Double)?]) -> String {
    var text = ""
    var isOpen = false
    for point in points {
      guard let point else {
        isOpen = false
        continue
      }
      text += "\(isOpen ? "L" : "M")\(number(point.0)) \(number(point.1))"
      isOpen = true
    }
    return text
  }

  private static func number(_ value: Double) -> String { Figure.decimal(value.isFinite ? value : 0, 1) }
}

/// From 0 to the next of 1, 2, 2.5, 5 times a power of ten, in two steps.
private struct LinearAxis {
  let end: Double
  var ticks: [Double] { [0, end / 2, end] }

  init(_ most: Double) {
    var decade = 0.1
    while decade * 5 < most, decade < 1e12 { decade *= 10 }
    end = [decade, 2 * decade, 2.5 * decade, 5 * decade].first { $0 >= most } ?? decade * 10
  }
}
