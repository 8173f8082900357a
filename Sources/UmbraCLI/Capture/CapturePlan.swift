/// A capture's flags, checked and resolved.
struct CapturePlan {
  enum Origin {
    case interface(String)
    case file(String)

    var description: String {
      switch self {
      case .interface(let name): "interface \(name)"
      case .file(let path): path == "-" ? "standard input" : path
      }
    }
  }

  var origin: Origin
  var ports: PortSet?
  var filter: String?
  var snapLength = 262_144
  var bufferBytes = 64 << 20
  var promiscuous = false
  var destination: String?
  var overwrite = false
  var bodyLimit = 10_000_000
  var memoryLimit = 256_000_000
  var keepsCredentials = false
  /// Nanoseconds of packet time in a file, of the clock in a live capture.
  var duration: Int64?
  var maxExchanges: UInt64?
  var maxSize: Int?
  var progress = ProgressMode.auto
  var isQuiet = false
}
