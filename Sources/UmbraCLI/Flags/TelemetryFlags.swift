// What lets others watch a running command; capture, replay and mirror share it.

import ArgumentParser
import Telemetry

struct TelemetryOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Serve /metrics (Prometheus, OpenMetrics), /healthz and /readyz here: HOST:PORT, :PORT on all addresses, PORT on \
      loopback.
      """, valueName: "address"),
    transform: { text in
      guard let address = ListenAddress(text) else {
        throw ValidationError("'\(text)' is no address: write HOST:PORT, :PORT or PORT")
      }
      return address
    })
  var metrics: ListenAddress?

  @Option(
    help: ArgumentHelp(
      "Send a span for each attempt to this collector, OTLP over HTTP: http://HOST[:4318].", valueName: "url"),
    transform: { text in
      guard let endpoint = CollectorEndpoint(text) else {
        throw ValidationError("'\(text)' is no collector: write http://HOST, http://HOST:PORT or with a path")
      }
      return endpoint
    })
  var otlpEndpoint: CollectorEndpoint?

  @Option(
    help: ArgumentHelp(
      """
      Trace fields of replayed requests (traceparent, b3): keep sends the recorded ones, child makes the shadow's spans \
      children of the attempt's. Default: child with --otlp-endpoint, else keep.
      """, valueName: "keep|child"),
    transform: { text in
      guard let propagation = AttemptTracing.Propagation(rawValue: text) else {
        throw ValidationError("--trace takes keep or child")
      }
      return propagation
    })
  var trace: AttemptTracing.Propagation?

  @Option(
    help: ArgumentHelp(
      "Add a line of JSON for each captured exchange and each attempt; SIGHUP opens the file anew.", valueName: "file"),
    completion: .file())
  var accessLog: String?

  @Option(
    help: ArgumentHelp(
      "Add a line of JSON for each start, capture, replay and end: who, when, what; SIGHUP opens the file anew.",
      valueName: "file"),
    completion: .file())
  var auditLog: String?

  /// nil where nobody watches.
  func observation(of command: String) -> Observation? {
    let plan = Observation.Plan(
      command: command, metrics: metrics, collector: otlpEndpoint,
      propagation: trace ?? (otlpEndpoint == nil ? .keep : .child), accessLog: accessLog, auditLog: auditLog)
    return plan.isEmpty ? nil : Observation(plan)
  }
}
