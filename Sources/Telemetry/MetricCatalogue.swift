// Every metric that umbra serves. Names are a promise: dashboards depend on them. Values of labels are bounded: names of
// umbra's own, and the targets of the command line.

extension MetricDescriptor {
  /// All of them, in the order of serving.
  public static let catalogue: [MetricDescriptor] = build + capture + replay + mirror + [rulesReloads] + telemetry

  // MARK: The process

  public static let buildInfo = MetricDescriptor(
    "umbra_build_info", .gauge, labels: ["version", "command"], "1, with the version and the command as labels.")
  public static let startTime = MetricDescriptor(
    "process_start_time_seconds", .gauge, "When the process started, in seconds since the epoch.")
  public static let cpuTime = MetricDescriptor(
    "process_cpu_seconds_total", .counter, "CPU time that the process used, user and system, in seconds.")
  public static let residentMemory = MetricDescriptor(
    "process_resident_memory_bytes", .gauge, "Memory of the process that is resident, in bytes.")
  public static let openFiles = MetricDescriptor(
    "process_open_fds", .gauge, "Open file descriptors of the process.")

  private static let build = [buildInfo, startTime, cpuTime, residentMemory, openFiles]

  // MARK: Capture

  public static let packets = MetricDescriptor("umbra_capture_packets_total", .counter, "Packets read.")
  public static let packetsDropped = MetricDescriptor(
    "umbra_capture_packets_dropped_total", .counter, labels: ["by"],
    "Packets lost before they were read, by who dropped them.")
  public static let payloadBytes = MetricDescriptor(
    "umbra_capture_payload_bytes_total", .counter, "TCP payload bytes read.")
  public static let gapBytes = MetricDescriptor(
    "umbra_capture_gap_bytes_total", .counter, "TCP payload bytes that were never seen.")
  public static let connections = MetricDescriptor(
    "umbra_capture_connections_total", .counter, "TCP connections seen.")
  public static let exchanges = MetricDescriptor(
    "umbra_capture_exchanges_total", .counter, labels: ["state"], "Exchanges read, by what is known of them.")
  public static let exchangesShed = MetricDescriptor(
    "umbra_capture_exchanges_shed_total", .counter, "Exchanges lost because the disk was too slow.")
  public static let anomalies = MetricDescriptor(
    "umbra_capture_anomalies_total", .counter, labels: ["anomaly"], "Exchanges with this anomaly.")
  public static let ledger = MetricDescriptor(
    "umbra_capture_ledger", .gauge, labels: ["row"], "Rows of the ledger: where packets, bytes and exchanges went.")
  public static let completeness = MetricDescriptor(
    "umbra_capture_completeness_ratio", .gauge, "Share of exchanges that were captured whole, 0 to 1.")
  public static let heldBytes = MetricDescriptor(
    "umbra_capture_held_bytes", .gauge, "Bytes held by reassembly and unfinished messages.")
  public static let writtenBytes = MetricDescriptor(
    "umbra_capture_written_bytes_total", .counter, "Bytes of session files, with those that wait for the disk.")
  public static let lastPacket = MetricDescriptor(
    "umbra_capture_last_packet_timestamp_seconds", .gauge, "Time of the latest packet, in seconds since the epoch.")

  private static let capture = [
    packets, packetsDropped, payloadBytes, gapBytes, connections, exchanges, exchangesShed, anomalies, ledger,
    completeness, heldBytes, writtenBytes, lastPacket,
  ]

  // MARK: Replay

  public static let attempts = MetricDescriptor(
    "umbra_attempts_total", .counter, labels: ["target", "outcome", "status", "role"],
    "Attempts that have ended, by target, outcome, class of status and role: shadow, primary or control.")
  public static let attemptDuration = MetricDescriptor(
    "umbra_attempt_duration_seconds", .histogram, labels: ["target", "role"],
    "Time from an attempt's first byte sent to its answer's last, of answered attempts.")
  public static let firstByteDuration = MetricDescriptor(
    "umbra_attempt_first_byte_seconds", .histogram, labels: ["target", "role"],
    "Time from an attempt's first byte sent to its answer's first, of answered attempts.")
  public static let recordedDuration = MetricDescriptor(
    "umbra_primary_duration_seconds", .histogram,
    "Time from a recorded request's last byte to its answer's last, of attempts that were answered too.")
  public static let scheduleLag = MetricDescriptor(
    "umbra_schedule_lag_seconds", .histogram,
    "Time from when a request was due to when it was sent to the shadow.")
  public static let requestsPlanned = MetricDescriptor(
    "umbra_replay_requests_planned_total", .counter, "Requests that were due, withheld ones included.")
  public static let requestsSent = MetricDescriptor(
    "umbra_replay_requests_sent_total", .counter, "Requests of which a byte was sent.")
  public static let requestsWithheld = MetricDescriptor(
    "umbra_replay_requests_withheld_total", .counter, "Requests that were not sent, to spare the target or by a rule.")
  public static let requestsInFlight = MetricDescriptor(
    "umbra_replay_requests_in_flight", .gauge, "Requests sent and not yet answered.")
  public static let requestsWaiting = MetricDescriptor(
    "umbra_replay_requests_waiting", .gauge, "Requests that are due and wait for a connection or for the cap.")
  public static let openConnections = MetricDescriptor(
    "umbra_replay_connections_open", .gauge, "Open connections to targets.")
  public static let breakersOpen = MetricDescriptor(
    "umbra_breakers_open", .gauge, "Targets that are left alone because they failed.")

  private static let replay = [
    attempts, attemptDuration, firstByteDuration, recordedDuration, scheduleLag, requestsPlanned, requestsSent,
    requestsWithheld, requestsInFlight, requestsWaiting, openConnections, breakersOpen,
  ]

  // MARK: Mirror

  public static let mirrorRequests = MetricDescriptor(
    "umbra_mirror_requests_total", .counter, labels: ["fate"], "Captured requests, by what became of them.")
  public static let mirrorPairs = MetricDescriptor(
    "umbra_mirror_pairs_total", .counter, labels: ["fate"],
    "Attempts, by whether there was a captured answer to hold them against.")
  public static let mirrorQueueBytes = MetricDescriptor(
    "umbra_mirror_queue_bytes", .gauge, "Bytes of requests and answers that wait between capture and sending.")
  public static let mirrorWaitingPairs = MetricDescriptor(
    "umbra_mirror_pairs_waiting", .gauge, "Pairs of which one answer is there and the other is waited for.")
  public static let mirrorWindows = MetricDescriptor(
    "umbra_mirror_windows_total", .counter, labels: ["verdict"], "Windows that were reported, by verdict.")

  private static let mirror = [
    mirrorRequests, mirrorPairs, mirrorQueueBytes, mirrorWaitingPairs, mirrorWindows,
  ]

  // MARK: Rules and telemetry itself

  public static let rulesReloads = MetricDescriptor(
    "umbra_rules_reloads_total", .counter, labels: ["result"], "Times that the rules file was read again, by result.")
  public static let spans = MetricDescriptor(
    "umbra_spans_total", .counter, labels: ["fate"], "Spans of attempts, by whether the collector took them.")
  public static let logLines = MetricDescriptor(
    "umbra_log_lines_total", .counter, labels: ["log", "fate"],
    "Lines of the access and audit logs, by whether the disk took them.")

  private static let telemetry = [spans, logLines]
}
