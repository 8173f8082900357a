// A RunReport as one JSON document for scripts: the same report gives the same bytes. Times are microseconds unless
// the name says otherwise; names are only ever added.

import HTTPModel
import ResponseDiff

enum JSONReport {
  static func write(_ report: RunReport) -> [UInt8] {
    var json = JSONWriter(layout: .indented, reservingCapacity: 4096 + report.clusters.count * 512)
    json.object {
      $0.member("run") { $0.write(report.run) }
      $0.member("verdict") { $0.write(report.verdict) }
      $0.list("gates", report.gates) { $0.write($1) }
      $0.member("ledger") { $0.write(report.ledger) }
      $0.member("schedule") { $0.write(report.schedule) }
      $0.member("comparison") { $0.write(report.evidence) }
      $0.member("totals") { $0.write(report.totals) }
      $0.member("latency") { $0.write(report.latency) }
      $0.list("endpoints", report.endpoints) { $0.write($1) }
      $0.list("clusters", report.clusters) { $0.write($1) }
      $0.list("suppressions", report.suppressions) { $0.write($1) }
      $0.member("timeline") { $0.write(report.timeline) }
    }
    json.endLine()
    return json.takeBytes()
  }
}

extension JSONWriter {
  fileprivate mutating func object(_ members: (inout JSONWriter) -> Void) {
    beginObject()
    members(&self)
    endObject()
  }

  fileprivate mutating func member(_ name: String, _ value: (inout JSONWriter) -> Void) {
    key(name)
    value(&self)
  }

  fileprivate mutating func member(_ name: String, _ value: String) {
    key(name)
    string(value)
  }

  fileprivate mutating func member(_ name: String, _ value: some BinaryInteger) {
    key(name)
    number(value)
  }

  fileprivate mutating func member(_ name: String, _ value: Double?) {
    key(name)
    if let value { number(value) } else { null() }
  }

  fileprivate mutating func list<Element>(
    _ name: String, _ elements: [Element], _ write: (inout JSONWriter, Element) -> Void
  ) {
    key(name)
    beginArray()
    for element in elements { write(&self, element) }
    endArray()
  }

  /// Counts by name, in the names' order.
  fileprivate mutating func counts(_ name: String, _ counts: [(name: String, count: UInt64)]) {
    member(name) { json in
      json.object { for (name, count) in counts { $0.member(name, count) } }
    }
  }

  fileprivate mutating func write(_ run: RunDescription) {
    object {
      $0.member("id", run.id)
      $0.member("started", run.started.description)
      $0.member("session", run.session)
      $0.list("targets", run.targets) { $0.string($1) }
      $0.member("primary") { if let primary = run.primary { $0.string(primary) } else { $0.null() } }
      $0.member("control") { if let control = run.control { $0.string(control) } else { $0.null() } }
      $0.member("tool_version", run.toolVersion)
      $0.list("command", run.command) { $0.string($1) }
    }
  }

  fileprivate mutating func write(_ verdict: Verdict) {
    object {
      $0.member("outcome", verdict.outcome.rawValue)
      $0.list("reasons", verdict.reasons) { $0.string($1) }
    }
  }

  fileprivate mutating func write(_ gate: GateResult) {
    object {
      $0.member("gate", gate.gate)
      $0.member("value", gate.value)
      $0.member("outcome", gate.outcome.rawValue)
      $0.member("explanation", gate.explanation)
    }
  }

  fileprivate mutating func write(_ ledger: Ledger?) {
    guard let ledger else { return null() }
    object {
      $0.member("completeness", ledger.completeness)
      for row in Ledger.Row.allCases { $0.member(row.identifier, ledger[row]) }
    }
  }

  fileprivate mutating func write(_ schedule: ScheduleSummary) {
    object {
      $0.member("pacing", schedule.pacing)
      $0.member("planned", schedule.planned)
      $0.member("sent", schedule.sent)
      $0.member("late", schedule.late)
      $0.counts("skipped", schedule.skipped.sortedByName)
      $0.member("lag") { $0.write(schedule.lag) }
      $0.member("duration_seconds", schedule.durationSeconds)
    }
  }

  fileprivate mutating func write(_ evidence: ComparisonEvidence) {
    object {
      $0.member("primary", evidence.hasLivePrimary ? "live" : "recorded")
      $0.member("held_against_recorded", evidence.recorded)
      $0.member("primary_failed", evidence.primaryFailed)
      $0.member("controlled", evidence.controlled)
      $0.member("control_strayed", evidence.strayed)
      $0.member("tested", evidence.tested)
      $0.member("false_discovery_rate") { if evidence.tested > 0 { $0.number(0.05) } else { $0.null() } }
      $0.member("baseline") { if let baseline = evidence.baseline { $0.string(baseline) } else { $0.null() } }
    }
  }

  fileprivate mutating func write(_ totals: RunTotals) {
    object {
      $0.member("attempts", totals.attempts)
      $0.member("answered", totals.answered)
      $0.counts("errors", totals.errors.sortedByName)
      $0.member("compared", totals.compared)
      $0.member("different", totals.different)
      $0.counts("not_comparable", totals.notComparable.sortedByName)
      $0.counts("statuses", totals.statuses.sortedByStatus)
    }
  }

  /// Service time stands directly in each side; what the schedule makes of it, beside it as `corrected`. A ratio's `low`
  /// and `high` are the interval of its p50; `intervals` has those of all.
  fileprivate mutating func write(_ latency: LatencySummary) {
    object {
      $0.member("primary") { $0.write(latency.primary) }
      $0.member("shadow") { $0.write(latency.shadow, corrected: latency.shadowFromSchedule) }
      $0.member("ratio") {
        guard let ratio = latency.ratio else { return $0.null() }
        $0.object {
          $0.member("p50", ratio.p50)
          $0.member("p95", ratio.p95)
          $0.member("p99", ratio.p99)
          $0.member("low", latency.intervals?.p50?.low)
          $0.member("high", latency.intervals?.p50?.high)
          $0.member("intervals") { $0.write(latency.intervals) }
        }
      }
    }
  }

  fileprivate mutating func write(_ intervals: LatencyIntervals?) {
    guard let intervals else { return null() }
    object {
      $0.member("samples", intervals.samples)
      for (name, interval) in [("p50", intervals.p50), ("p95", intervals.p95), ("p99", intervals.p99)] {
        $0.member(name) {
          guard let interval else { return $0.null() }
          $0.object {
            $0.member("value", interval.value)
            $0.member("low", interval.low)
            $0.member("high", interval.high)
          }
        }
      }
    }
  }

  fileprivate mutating func write(_ quantiles: Quantiles?, corrected: Quantiles? = nil) {
    guard let quantiles else { return null() }
    object {
      $0.member("unit", "us")
      $0.member("count", quantiles.count)
      $0.member("mean", quantiles.mean)
      for (name, value) in quantiles.named { $0.member(name, value) }
      if let corrected { $0.member("corrected") { $0.write(corrected) } }
    }
  }

  fileprivate mutating func write(_ endpoint: EndpointSummary) {
    object {
      $0.member("endpoint", endpoint.endpoint)
      $0.member("compared", endpoint.compared)
      $0.member("different", endpoint.different)
      $0.member("errors", endpoint.errors)
      $0.counts("statuses", endpoint.statuses.sortedByStatus)
      $0.member("latency") { $0.write(endpoint.latency) }
    }
  }

  fileprivate mutating func write(_ cluster: DifferenceCluster) {
    object {
      $0.member("id", cluster.id)
      $0.member("endpoint", cluster.endpoint)
      $0.member("location", cluster.location.description)
      $0.member("kind", cluster.kind.rawValue)
      $0.member("severity", cluster.severity.rawValue)
      $0.member("count", cluster.count)
      $0.member("compared", cluster.compared)
      $0.member("noise") { if let noise = cluster.noise { $0.number(noise) } else { $0.null() } }
      $0.member("p_value", cluster.pValue)
      $0.list("examples", cluster.examples) { $0.string($1.exchange.description) }
      $0.member("explain", cluster.explanation)
      $0.member("confirmed") { $0.bool(cluster.isConfirmed) }
      $0.member("known") { $0.bool(cluster.isKnown) }
      $0.member("evidence", cluster.evidence.rawValue)
      $0.list("related", cluster.related) { $0.write($1) }
      $0.list("features", cluster.features) { $0.write($1) }
      $0.member("curl") { if let curl = cluster.curl { $0.string(curl) } else { $0.null() } }
      $0.member("smallest") { $0.write(cluster.smallest) }
    }
  }

  fileprivate mutating func write(_ smallest: SmallestRequest?) {
    guard let smallest else { return null() }
    object {
      $0.member("state", smallest.state.rawValue)
      $0.member("asked", smallest.asked)
      $0.member("exchange") { if let id = smallest.exchange { $0.string(id.description) } else { $0.null() } }
      $0.list("needed", smallest.needed) { $0.string($1) }
      $0.member("omitted", smallest.omitted)
      for (name, command) in [("command", smallest.command), ("primary_command", smallest.primaryCommand)] {
        $0.member(name) { if let command { $0.string(command) } else { $0.null() } }
      }
      $0.member("explain", smallest.explanation)
    }
  }

  fileprivate mutating func write(_ row: SuppressionTally.Row) {
    object {
      $0.member("at", row.suppression.at.description)
      $0.member("as", row.suppression.form.rawValue)
      $0.member("within", row.suppression.within)
      for (name, text) in [
        ("reason", row.suppression.reason), ("owner", row.suppression.owner), ("expires", row.expiry),
      ] {
        $0.member(name) { if let text { $0.string(text) } else { $0.null() } }
      }
      $0.member("state", row.state.rawValue)
      $0.member("hits", row.hits)
      $0.list("places", row.places) { $0.string($1) }
    }
  }

  fileprivate mutating func write(_ place: RelatedPlace) {
    object {
      $0.member("id", place.id)
      $0.member("location", place.location.description)
      $0.member("kind", place.kind.rawValue)
      $0.member("severity", place.severity.rawValue)
      $0.member("count", place.count)
    }
  }

  fileprivate mutating func write(_ feature: SeparatingFeature) {
    object {
      $0.member("feature", feature.text)
      $0.member("absent") { $0.bool(feature.isAbsent) }
      $0.member("affected", feature.affected)
      $0.member("others", feature.others)
    }
  }

  /// Slices of equal length from the run's start; latencies in microseconds, to about 10 %.
  fileprivate mutating func write(_ timeline: Timeline) {
    object {
      $0.member("seconds_per_slice", timeline.secondsPerSlice)
      $0.list("slices", timeline.slices) { json, slice in
        json.object {
          $0.member("start", slice.start)
          $0.member("attempts", slice.attempts)
          $0.member("errors", slice.errors)
          $0.member("different", slice.different)
          $0.list("status_classes", slice.statusClasses) { $0.number($1) }
          $0.member("primary_p50", slice.primaryP50)
          $0.member("primary_p95", slice.primaryP95)
          $0.member("shadow_p50", slice.shadowP50)
          $0.member("shadow_p95", slice.shadowP95)
        }
      }
    }
  }
}
