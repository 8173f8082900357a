import PacketHeaders
import PcapCapture
import SessionFile

/// A capture's flags, checked and resolved.
struct CapturePlan {
  enum Origin {
    case interfaces([String])
    case files([String])

    var description: String {
      switch self {
      case .interfaces(let names):
        "\(names.count == 1 ? "interface" : "interfaces") \(names.joined(separator: ", "))"
      case .files(let paths): paths.map { $0 == "-" ? "standard input" : $0 }.joined(separator: ", ")
      }
    }
  }

  var origin: Origin
  /// Saved captures are read on as they grow.
  var follows = false
  /// Nanoseconds of packet time within which a saved capture's packets are put in order.
  var reorderWindow: Int64 = 0
  /// Where the packets themselves are kept.
  var raw: PacketRingOptions?
  var ports: PortSet?
  var filter: String?
  var snapLength = 262_144
  var bufferBytes = 64 << 20
  var parsing = ParsingOptions()
  /// The secrets too.
  var rawHasSecrets = false
  /// Header tables that were not seen are taken from other connections between the same hosts.
  var assumesHeaderTables = false
  /// Files with TLS secrets, followed as they grow.
  var keyLogs: [String] = []
  /// How long ciphertext waits for its secrets, and how much of one connection.
  var tlsWait: Int64 = 30_000_000_000
  var tlsHold = 4 << 20
  var promiscuous = false
  /// Threads that share a live capture's packets.
  var fanout = 1
  /// An interface that is missing is waited for.
  var waits = false
  var privileges = PrivilegeDrop.automatic
  var destination: String?
  var overwrite = false
  var rotation: RotationRule?
  /// Files that stay where there is rotation.
  var kept: Int?
  var bodyLimit = 10_000_000
  var memoryLimit = 256_000_000
  var keepsCredentials = false
  /// What is taken and hidden; nil for what is so without rules.
  var rules: LiveRules?
  /// Values that are never written, credentials kept or not.
  var hidden: [[UInt8]] = []
  /// What the session is encrypted to; nil for one in the clear.
  var key: SessionKey?
  /// Nanoseconds of packet time in a file, of the clock in a live capture.
  var duration: Int64?
  var maxExchanges: UInt64?
  var maxSize: Int?
  var progress = ProgressMode.auto
  var isQuiet = false
  var observation: Observation?
  /// Where requests and exchanges go beside the session.
  var mirror: MirrorIntake?
}
