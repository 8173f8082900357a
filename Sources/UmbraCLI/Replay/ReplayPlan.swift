// A replay's flags, checked and resolved: what `replay` and the demo hand to the session that carries it out.

import ContentTree
import HTTPModel
import ReplayClient
import ResponseDiff
import Reporting
import SessionFile
import TrafficRules

struct ReplayPlan {
  var session: String
  var targets: [WeightedTarget]
  /// Whom else it asks; nil for nobody.
  var primary: ReplayTarget?
  var control: ReplayTarget?
  var options: ReplayOptions
  var marker: MarkerChoice
  var rewritesIdempotencyKeys = true
  var runFile: String?
  var overwrite = false
  /// The captured server is allowed as a target.
  var force = false
  var ignore: [IgnoredLocation] = []
  /// Of the messages that gRPC methods answer with.
  var descriptors: ProtobufDescriptors?
  var gates: [Gate] = []
  var reports: [(path: String, format: ReportFormat)] = []
  var keepsCredentials = false
  /// Nanoseconds of lag above which a run says nothing; nil for no such limit.
  var maximumLag: Int64?
  var progress = ProgressMode.auto
  var isQuiet = false
  /// Commands that requests go through before they are sent.
  var middleware: [String] = []
  var correlation = CorrelationOptions.Mode.off
  var observation: Observation?
  /// nil where neither rules nor a sample were asked for.
  var rules: LiveRules?
  /// What the session is, and the run is to be, encrypted to.
  var sessionKey: SessionKey?
  var runKey: SessionKey?
  /// Live credentials.
  var injection: InjectionRules?

  init(session: String, targets: [WeightedTarget], options: ReplayOptions, marker: MarkerChoice) {
    self.session = session
    self.targets = targets
    self.options = options
    self.marker = marker
  }

  /// For a target that was started for this run alone: it remembers no idempotency keys, so the recorded ones are sent.
  init(
    session: String, target: ReplayTarget, options: ReplayOptions, marker: MarkerChoice, runFile: String?,
    overwrite: Bool, ignore: [IgnoredLocation], progress: ProgressMode, isQuiet: Bool
  ) {
    self.init(session: session, targets: [WeightedTarget(target)], options: options, marker: marker)
    self.runFile = runFile
    self.overwrite = overwrite
    self.ignore = ignore
    rewritesIdempotencyKeys = false
    self.progress = progress
    self.isQuiet = isQuiet
  }

  /// What guards the server that was captured from the run.
  var capturedServers: CapturedServers { CapturedServers(force ? [] : guardedTargets, options) }
}

/// Production first: the server that was captured is no shadow.
struct CapturedServers {
  /// Where the run's targets are.
  private let places: [(address: TransportAddress, target: ReplayTarget)]

  init(_ targets: [ReplayTarget], _ options: ReplayOptions) {
    places = targets.filter { $0.socketPath == nil }.flatMap { target in
      CapturedServers.addresses(of: target, options).map {
        (TransportAddress(address: $0, port: target.port), target)
      }
    }
  }

  /// Throws where an exchange was captured at one of the targets.
  func refuse(_ exchange: borrowing Exchange) throws {
    for place in places where place.address == exchange.server {
      throw CommandFailure(
        "\(place.target) is the server that was captured: replaying would send its traffic to it again. "
          + "Name a shadow, or add --force if this is meant.")
    }
  }

  /// Where a target is known to be without asking anybody.
  private static func addresses(of target: ReplayTarget, _ options: ReplayOptions) -> [IPAddress] {
    let resolved = options.resolved.first { ($0.host == target.host || $0.host == "*") && $0.port == target.port }
    if let resolved { return resolved.addresses.compactMap { IPAddress($0) } }
    if let address = IPAddress(target.host) { return [address] }
    return target.host == "localhost" ? [IPAddress(v4: 0x7f00_0001)] : []
  }
}
