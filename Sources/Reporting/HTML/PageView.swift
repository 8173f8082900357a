// A RunReport in, the fields of the page's templates out.

import HTTPModel
import ResponseDiff

struct PageView {
  private let report: RunReport
  private let options: ReportOptions

  init(_ report: RunReport, options: ReportOptions) {
    self.report = report
    self.options = options
  }

  var fields: Fields {
    var fields = verdict
    for part in [
      gates, findings, suppressions, endpoints, latency, TimelineChart.fields(report.timeline), totals, schedule,
      capture, run,
    ] {
      fields.merge(part) { _, new in new }
    }
    fields["style"] = PageStyle.text
    fields["styleHash"] = PageStyle.hash
    fields["script"] = PageScript.text
    fields["scriptHash"] = PageScript.hash
    return fields
  }

  private func item(_ name: String, _ value: String, _ note: String = "") -> Fields {
    ["name": name, "value": value, "note": note == "–" ? "" : note]
  }

  // MARK: Verdict and gates

  private var verdict: Fields {
    let verdict = report.verdict
    let totals = report.totals
    let regressions = UInt64(report.clusters.count { $0.isRegression && $0.severity != .info })
    let controlled = report.evidence.controlled
    let isLive = report.evidence.hasLivePrimary || report.evidence.isMirrored
    var facts = [
      item(
        "Regressions", Figure.count(regressions),
        report.evidence.baseline == nil ? "confirmed" : "new since the baseline"),
      item(
        "Against", isLive ? "live" : "recorded",
        controlled > 0
          ? "noise measured in \(Figure.count(controlled)) pairs"
          : isLive ? "without a control" : "weaker evidence, without a control"),
      item(
        "Different", Figure.percent(totals.different, of: totals.compared),
        "\(Figure.count(totals.different)) of \(Figure.count(totals.compared))"),
      item("Errors", Figure.count(totals.errors.sum), "of \(Figure.count(totals.attempts)) attempts"),
    ]
    if let shadow = report.latency.shadow {
      let ratio = report.latency.ratio?.p99.map { "\(Figure.ratio($0)) the primary’s" } ?? ""
      facts.append(item("p99", Figure.time(microseconds: shadow.p99), ratio))
    }
    facts.append(
      item(
        "Late", Figure.percent(report.schedule.late, of: report.schedule.sent),
        "of \(Figure.count(report.schedule.sent)) sent"))
    if let ledger = report.ledger {
      let isBlank = ledger.isBlank
      facts.append(
        item("Capture", isBlank ? "–" : Figure.percent(ledger.completeness), isBlank ? "nothing seen" : "complete"))
    } else {
      facts.append(item("Capture", "–", "no ledger"))
    }
    var links = [("findings", "Findings")]
    if !report.suppressions.isEmpty { links.append(("suppressions", "Suppressions")) }
    if !report.gates.isEmpty { links.insert(("gates", "Gates"), at: 0) }
    if !report.endpoints.isEmpty { links.append(("endpoints", "Endpoints")) }
    if !latencySides.isEmpty { links.append(("latency", "Latency")) }
    if report.timeline.slices.count > 1 { links.append(("time", "Over time")) }
    links += [("totals", "Totals"), ("schedule", "Schedule"), ("capture", "Capture"), ("run", "Run")]
    return [
      "outcome": verdict.outcome.rawValue, "outcomeWord": verdict.outcome.rawValue.capitalizedFirst,
      "isPass": verdict.outcome == .pass, "isFail": verdict.outcome == .fail,
      "isInconclusive": verdict.outcome == .inconclusive, "lead": FindingViews.prose(verdict.reasons.first ?? ""),
      "hasReasons": verdict.reasons.count > 1,
      "reasons": verdict.reasons.dropFirst().map { ["sentence": FindingViews.prose($0)] as Fields }, "facts": facts,
      "links": links.map { ["target": $0.0, "name": $0.1] as Fields }, "session": report.run.session,
      "targets": report.run.targets.joined(separator: ", "), "toolVersion": report.run.toolVersion,
    ]
  }

  private var gates: Fields {
    [
      "hasGates": !report.gates.isEmpty, "gateCount": String(report.gates.count),
      "gates": report.gates.map { gate -> Fields in
        [
          "outcomeName": gate.outcome.rawValue, "word": gate.outcome.word, "gate": gate.gate,
          "measured": gate.value.map(Figure.value) ?? "–", "gateExplanation": FindingViews.prose(gate.explanation),
        ]
      },
    ]
  }

  // MARK: Findings

  private var findings: Fields {
    var views = FindingViews(options: options)
    let findings = report.clusters.enumerated().map { index, cluster in
      views.fields(of: cluster, isOpen: index == 0 && cluster.severity != .info)
    }
    let omitted = UInt64(views.curtailedFindings)
    let severities = DifferenceSeverity.allCases.compactMap { severity -> Fields? in
      let count = report.clusters.count { $0.severity == severity }
      return count == 0 ? nil : ["severity": severity.rawValue, "count": Figure.count(UInt64(count))]
    }
    let compared = report.totals.compared
    return [
      "hasFindings": !findings.isEmpty, "findings": findings, "findingCount": Figure.count(UInt64(findings.count)),
      "noFindings": compared == 0
        ? "Nothing was compared, so nothing could be found."
        : "No difference in \(Figure.count(compared)) compared \(compared == 1 ? "pair" : "pairs").",
      "severities": severities,
      "omission": omitted == 0
        ? []
        : [
          "The worst findings quote their answers in full. For \(Figure.count(omitted)) further down they are left out to"
            + " keep this page small; the command that shows them is given."
        ],
    ]
  }

  private var suppressions: Fields {
    [
      "hasSuppressions": !report.suppressions.isEmpty, "suppressionSummary": report.suppressions.summary,
      "suppressions": report.suppressions.map { row -> Fields in
        [
          "rule": row.rule, "state": row.state.rawValue, "hits": Figure.count(row.hits), "origin": row.origin,
          "advice": row.advice ?? "",
        ]
      },
    ]
  }

  // MARK: Endpoints and latency

  private func statuses(_ statuses: [UInt16: UInt64]) -> [Fields] {
    let all = statuses.sum
    return statuses.sortedByStatus.map { name, count in
      [
        "status": name, "class": String(name.prefix(1)), "count": Figure.count(count),
        "share": Figure.percent(count, of: all), "barWidth": Figure.barWidth(count, of: all),
      ]
    }
  }

  private var endpoints: Fields {
    [
      "hasEndpoints": !report.endpoints.isEmpty, "endpointCount": Figure.count(UInt64(report.endpoints.count)),
      "endpoints": report.endpoints.map { endpoint -> Fields in
        [
          "endpoint": endpoint.endpoint, "compared": Figure.count(endpoint.compared),
          "different": Figure.count(endpoint.different),
          "share": Figure.percent(endpoint.different, of: endpoint.compared),
          "barWidth": Figure.barWidth(endpoint.different, of: endpoint.compared),
          "errors": Figure.count(endpoint.errors), "statuses": statuses(endpoint.statuses),
        ]
      },
    ]
  }

  private var latencySides: [LatencyChart.Side] {
    let latency = report.latency
    let sides = [
      ("primary", "Primary", latency.primary), ("shadow", "Shadow", latency.shadow),
      ("due", "Shadow, from due time", latency.shadowFromSchedule),
    ]
    return sides.compactMap { name, title, quantiles in
      quantiles.map { LatencyChart.Side(name: name, title: title, quantiles: $0) }
    }
  }

  private var latency: Fields {
    let sides = latencySides
    let ratio = report.latency.ratio
    let ratios = ["p50": ratio?.p50, "p95": ratio?.p95, "p99": ratio?.p99]
    let intervals = report.latency.intervals
    let bounds = ["p50": intervals?.p50, "p95": intervals?.p95, "p99": intervals?.p99]
    func interval(_ name: String) -> String {
      (bounds[name] ?? nil).map {
        " [\(Figure.value(($0.low * 100).rounded() / 100)), \(Figure.value(($0.high * 100).rounded() / 100))]"
      } ?? ""
    }
    func row(_ name: String, _ times: [String]) -> Fields {
      [
        "quantile": name.label, "times": times,
        "ratio": ratio == nil ? [] : [(ratios[name] ?? nil).map { Figure.ratio($0) + interval(name) } ?? ""],
      ]
    }
    var rows = [
      row("samples", sides.map { Figure.count($0.quantiles.count) }),
      row("mean", sides.map { Figure.time(microseconds: $0.quantiles.mean) }),
    ]
    if let first = sides.first {
      for (index, (name, _)) in first.quantiles.named.enumerated() {
        rows.append(row(name, sides.map { Figure.time(microseconds: $0.quantiles.named[index].value) }))
      }
    }
    return [
      "hasLatency": !sides.isEmpty, "chart": LatencyChart.fields(sides).map { [$0] } ?? [],
      "sides": sides.map { side -> Fields in
        ["side": side.name, "name": side.title, "shape": LatencyChart.shape(side.name, x: 14, y: 5)]
      }, "quantiles": rows, "hasRatio": ratio != nil,
    ].merging(endpointLatency) { _, new in new }
  }

  private var endpointLatency: Fields {
    let measured = report.endpoints.filter { $0.latency.primary != nil || $0.latency.shadow != nil }
    let ends = measured.flatMap { [$0.latency.primary, $0.latency.shadow] }.compactMap { $0 }.flatMap {
      [$0.p50, $0.p99]
    }
    guard let axis = TimeAxis(ends, from: 0, to: 200) else { return ["hasEndpointLatency": false] }
    let scale = "p50 to p99, \(TimeAxis.label(axis.ticks.first ?? 1)) to \(TimeAxis.label(axis.ticks.last ?? 1))"
    let rows = measured.map { endpoint -> Fields in
      let (latency, ratio) = (endpoint.latency, endpoint.latency.ratio)
      func cell(_ name: String, _ quantile: (Quantiles) -> Double, _ ratio: Double?) -> Fields {
        [
          "quantile": name, "primary": latency.primary.map { Figure.time(microseconds: quantile($0)) } ?? "–",
          "shadow": latency.shadow.map { Figure.time(microseconds: quantile($0)) } ?? "–",
          "ratio": ratio.map(Figure.ratio) ?? "",
        ]
      }
      return [
        "endpoint": endpoint.endpoint, "bars": LatencyChart.range(latency, on: axis),
        "cells": [
          cell("p50", \.p50, ratio?.p50), cell("p95", \.p95, ratio?.p95), cell("p99", \.p99, ratio?.p99),
        ],
      ]
    }
    return ["hasEndpointLatency": true, "scale": scale, "endpointLatency": rows]
  }

  // MARK: Totals, schedule, capture, run

  private var totals: Fields {
    let totals = report.totals
    var items = [
      item("Attempts", Figure.count(totals.attempts)),
      item("Answered", Figure.count(totals.answered), Figure.percent(totals.answered, of: totals.attempts)),
      item("Compared", Figure.count(totals.compared)),
      item("Different", Figure.count(totals.different), Figure.percent(totals.different, of: totals.compared)),
      item("Errors", Figure.count(totals.errors.sum), Figure.percent(totals.errors.sum, of: totals.attempts)),
    ]
    items += totals.errors.sortedByName.map { item($0.name, Figure.count($0.count)) }
    return [
      "totals": items, "hasStatuses": !totals.statuses.isEmpty, "statusRows": statuses(totals.statuses),
    ]
  }

  private var schedule: Fields {
    let schedule = report.schedule
    var items = [
      item("Pacing", schedule.pacing), item("Took", Figure.seconds(schedule.durationSeconds)),
      item("Planned", Figure.count(schedule.planned)), item("Sent", Figure.count(schedule.sent)),
      item("Late", Figure.count(schedule.late), Figure.percent(schedule.late, of: schedule.sent)),
    ]
    items += schedule.skipped.sortedByName.map { item("Skipped", Figure.count($0.count), $0.name) }
    if let lag = schedule.lag {
      items += lag.named.filter { $0.name != "p90" && $0.name != "p95" }
        .map { item("Lag, \($0.name.label)", Figure.time(microseconds: $0.value)) }
    }
    return [
      "schedule": items,
      "scheduleSentence": "A request is late when it left more than 10 ms after it was due. Requests that were due and"
        + " never sent are counted by reason.",
    ]
  }

  private var capture: Fields {
    guard let ledger = report.ledger else {
      return [
        "captureSentence": "The session holds no ledger, so what its capture lost is not known.", "ledger": [Fields](),
      ]
    }
    let groups: [(String, (String) -> Bool)] = [
      ("Packets", { $0.hasPrefix("packets_") }), ("TCP payload bytes", { $0.hasPrefix("bytes_") }),
      ("Connections", { $0.hasPrefix("connections_") }),
      ("Reassembly", { ["gaps", "overlap", "segments"].contains($0.prefix { $0 != "_" }) }),
      (
        "Exchanges",
        { ["exchanges", "requests", "responses", "body", "blocks"].contains($0.prefix { $0 != "_" }) }
      ),
    ]
    let tables = groups.map { title, holds -> Fields in
      let entries = Ledger.Row.allCases.filter { holds($0.identifier) }.map { row -> Fields in
        let isLoss = ledger[row] > 0 && Ledger.Row.losses.contains(row)
        return [
          "meaning": row.meaning, "identifier": row.identifier, "count": Figure.count(ledger[row]),
          "weight": ledger[row] == 0 ? "zero" : isLoss ? "loss" : "",
        ]
      }
      return ["title": title, "entries": entries]
    }
    return [
      "captureSentence":
        "The capture behind the session is \(Figure.percent(ledger.completeness)) complete: the share of"
        + " exchanges that were whole, times the share of packets that were not dropped. Every byte that was seen is"
        + " kept or listed here.",
      "ledger": tables,
    ]
  }

  private var run: Fields {
    let run = report.run
    return [
      "run": [
        item("Run", run.id), item("Started", run.started.toSeconds), item("Session", run.session),
        item("Targets", run.targets.joined(separator: ", ")),
        item("Evidence", report.comparison.capitalizedFirst), item("Command", run.command.joined(separator: " ")),
        item("Version", run.toolVersion),
      ]
    ]
  }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
