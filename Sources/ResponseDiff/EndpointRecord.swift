// What is counted of one endpoint, and of the whole run, while a run is read.
// In: one event after another. Out: summaries. Owner: RunAnalysis. Bounds: some 30 KB of histograms an endpoint.

import Histogram
import HTTPModel

/// A distribution of times. Microseconds, up to a day; longer ones count as a day.
struct LatencyHistogram {
  private static let longest: UInt64 = 86_400_000_000
  private var histogram: Histogram<UInt64>
  private var sum = 0.0
  private var largest: UInt64 = 0

  /// - Parameter isPrecise: whether values are kept to three digits or to two, which take a tenth of the memory.
  init(isPrecise: Bool) {
    // To begin with up to a minute or 16 ms. It grows by itself, at some 400 instructions a place.
    histogram = Histogram(
      highestTrackableValue: isPrecise ? 60_000_000 : 16_000, numberOfSignificantValueDigits: isPrecise ? .three : .two)
    histogram.autoResize = true
  }

  var count: UInt64 { histogram.totalCount }

  /// Times below zero, which clocks of two hosts can give, count as zero.
  mutating func record(nanoseconds: Int64) {
    let microseconds = min(UInt64(max(0, nanoseconds)) / 1000, Self.longest)
    histogram.record(microseconds)
    sum += Double(microseconds)
    largest = max(largest, microseconds)
  }

  /// - Parameter other: of the same precision.
  func adding(_ other: LatencyHistogram) -> LatencyHistogram {
    var both = self
    both.histogram.add(other.histogram)
    both.sum += other.sum
    both.largest = max(largest, other.largest)
    return both
  }

  /// - Parameter percentile: 0...100.
  func value(at percentile: Double) -> Double { min(Double(histogram.valueAtPercentile(percentile)), Double(largest)) }

  /// Several of them in one pass, of which ``value(at:)`` takes one each.
  /// - Parameter percentiles: 0...100, rising.
  func values(at percentiles: [Double]) -> [Double] {
    var recorded = histogram.recordedValues()
    var current = recorded.next()
    return percentiles.map { percentile in
      // The ends are the least and the greatest that were recorded, which no place in the table tells.
      guard percentile > 0, percentile < 100 else { return value(at: percentile) }
      let wanted = max(1, UInt64((percentile.nextDown * Double(count) / 100).rounded(.up)))
      while let place = current, place.totalCountToThisValue < wanted { current = recorded.next() }
      guard let place = current else { return Double(largest) }
      let bounded = max(min(place.value, histogram.maxRecorded), histogram.min)
      return min(Double(bounded), Double(largest))
    }
  }

  var quantiles: Quantiles? {
    guard count > 0 else { return nil }
    let values = values(at: [50, 90, 95, 99, 99.9])
    return Quantiles(
      count: count, mean: sum / Double(count), p50: values[0], p90: values[1], p95: values[2], p99: values[3],
      p999: values[4], max: Double(largest))
  }
}

/// What is counted of an attempt: its times and its status, and nothing that has to be counted to be handed on.
struct AttemptFigures {
  let outcome: AttemptOutcome
  let scheduled: Timestamp
  let wasSent: Bool
  /// Nanoseconds from the schedule to sending, from sending to the end, and from the schedule to the end; the first two
  /// mean nothing of what was not sent.
  let lag: Int64
  let time: Int64
  let timeFromSchedule: Int64
  /// Of a whole answer.
  let status: UInt16?

  init(_ attempt: borrowing Attempt) {
    outcome = attempt.outcome
    scheduled = attempt.scheduled
    wasSent = attempt.sent != nil
    let sent = attempt.sent ?? attempt.scheduled
    lag = sent.nanoseconds(since: attempt.scheduled)
    time = attempt.end.nanoseconds(since: sent)
    timeFromSchedule = attempt.end.nanoseconds(since: attempt.scheduled)
    status = attempt.outcome == .answered ? attempt.response?.status : nil
  }
}

/// How often each status came. A few of them are most of all, and those are found first.
struct StatusCounts {
  private var rows: [(status: UInt16, count: UInt64)] = []

  mutating func count(_ status: UInt16) {
    guard var index = rows.firstIndex(where: { $0.status == status }) else {
      rows.append((status, 1))
      return
    }
    rows[index].count += 1
    while index > 0, rows[index - 1].count < rows[index].count {
      rows.swapAt(index - 1, index)
      index -= 1
    }
  }

  var table: [UInt16: UInt64] { Dictionary(uniqueKeysWithValues: rows.map { ($0.status, $0.count) }) }
}

struct EndpointRecord {
  var compared: UInt64 = 0
  var different: UInt64 = 0
  /// Attempts, those left out that an interrupt ended, or the client when the recorded one had given up.
  var attempts: UInt64 = 0
  var errors: UInt64 = 0
  var answered: UInt64 = 0
  var sent: UInt64 = 0
  var late: UInt64 = 0
  /// Pairs that a control answered too.
  var controlled: UInt64 = 0
  /// Of those, the pairs in which the control gave no answer or one of another class, which says nothing of the rest.
  var controlStrayed: UInt64 = 0
  var statuses = StatusCounts()
  var primary: LatencyHistogram
  /// The shadow's, of the requests of which the primary's time is known, and of the others.
  var shadowPaired: LatencyHistogram
  var shadowAlone: LatencyHistogram
  var shadowFromSchedule: LatencyHistogram
  var pairs: LatencyPairs

  /// - Parameter isPrecise: as of ``LatencyHistogram``: for the whole run, not for each of many endpoints.
  init(isPrecise: Bool) {
    primary = LatencyHistogram(isPrecise: isPrecise)
    shadowPaired = LatencyHistogram(isPrecise: isPrecise)
    shadowAlone = LatencyHistogram(isPrecise: isPrecise)
    shadowFromSchedule = LatencyHistogram(isPrecise: isPrecise)
    pairs = LatencyPairs(capacity: isPrecise ? 4096 : 1024)
  }

  /// Sent more than 10 ms after it was due.
  static let lateAfterNanoseconds: Int64 = 10_000_000

  /// - Parameters:
  ///   - primary: nanoseconds that the primary took for the same request, where that is known. It is taken for answered
  ///     attempts alone, so that both sides' distributions are of the same requests.
  ///   - control: likewise of the control, where it answered.
  mutating func count(_ attempt: AttemptFigures, primary time: Int64?, control: Int64?) {
    if attempt.wasSent {
      sent += 1
      if attempt.lag > Self.lateAfterNanoseconds { late += 1 }
    }
    guard attempt.outcome != .interrupted, attempt.outcome != .cancelled else { return }
    attempts += 1
    guard let status = attempt.status else {
      errors += 1
      return
    }
    answered += 1
    statuses.count(status)
    shadowFromSchedule.record(nanoseconds: attempt.timeFromSchedule)
    guard let time else {
      if attempt.wasSent { shadowAlone.record(nanoseconds: attempt.time) }
      return
    }
    primary.record(nanoseconds: time)
    guard attempt.wasSent else { return }
    shadowPaired.record(nanoseconds: attempt.time)
    pairs.record(primaryNanoseconds: time, shadowNanoseconds: attempt.time, controlNanoseconds: control)
  }

  /// Of all requests that the shadow answered.
  var shadow: LatencyHistogram { shadowAlone.count == 0 ? shadowPaired : shadowPaired.adding(shadowAlone) }

  var serverErrors: UInt64 { statuses.table.reduce(0) { $1.key / 100 == 5 ? $0 + $1.value : $0 } }

  var latency: LatencySummary {
    let shadow = shadow
    return LatencySummary(
      primary: primary.quantiles, shadow: shadow.quantiles, shadowFromSchedule: shadowFromSchedule.quantiles,
      intervals: LatencyIntervals(pairs.ratios(), samples: pairs.samples), curve: curve(with: shadow))
  }

  /// Denser towards the tail, where it matters.
  private static let curveShares: [Double] =
    (0...18).map { Double($0) * 0.05 } + [0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 0.999, 1]

  private func curve(with shadow: LatencyHistogram) -> [LatencyPoint] {
    guard primary.count > 0 || shadow.count > 0 else { return [] }
    let percentiles = Self.curveShares.map { $0 * 100 }
    let ours = primary.count > 0 ? primary.values(at: percentiles) : nil
    let theirs = shadow.count > 0 ? shadow.values(at: percentiles) : nil
    return Self.curveShares.indices.map { index in
      LatencyPoint(share: Self.curveShares[index], primary: ours?[index], shadow: theirs?[index])
    }
  }

  func summary(endpoint: String) -> EndpointSummary {
    EndpointSummary(
      endpoint: endpoint, compared: compared, different: different, errors: errors, statuses: statuses.table,
      latency: latency
    )
  }
}
