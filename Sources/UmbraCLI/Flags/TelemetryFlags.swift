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

  /// nil where nobody watches.
  func observation(of command: String) -> Observation? {
    metrics == nil ? nil : Observation(command: command, metrics: metrics)
  }
}
