// Secrets in the NSS key log format, read as they are written.
// In: bytes of key log files and of decryption secrets blocks, cut anywhere. Out: the secrets of a connection by its client
// random. Owner: whoever feeds the connections. Bounds: `Limits`; the oldest connections' secrets go first.

/// A bounded store of TLS secrets, filled from key logs in the NSS format (`SSLKEYLOGFILE`).
///
/// Lines that are no secret are counted and passed over. No description of it shows a secret.
public struct KeyLog: Sendable {
  /// What a key log may hold.
  public struct Limits: Hashable, Sendable {
    /// Connections whose secrets are kept; session ids are bounded by the same number.
    public var connections: Int

    public init(connections: Int = 1 << 16) {
      self.connections = max(1, connections)
    }
  }

  /// What was read.
  public struct Counts: Hashable, Sendable {
    /// Lines with a secret that is of use.
    public var secrets: UInt64 = 0
    /// Lines with a label that has no use for records (`EXPORTER_SECRET`) or that is not known.
    public var otherLabels: UInt64 = 0
    /// Lines that are no key log line, too long ones included.
    public var malformed: UInt64 = 0
    /// Connections and sessions whose secrets were dropped for newer ones.
    public var evicted: UInt64 = 0
  }

  /// Grows whenever a secret was added or changed: worth asking again.
  public private(set) var generation: UInt64 = 0
  /// What was read so far.
  public private(set) var counts = Counts()

  private let limits: Limits
  private var connections: BoundedStore<ClientRandom, ClientSecrets>
  private var sessions: BoundedStore<[UInt8], Secret>
  private var partial: [Int: PartialLine] = [:]

  public init(limits: Limits = Limits()) {
    self.limits = limits
    connections = BoundedStore(capacity: limits.connections)
    sessions = BoundedStore(capacity: limits.connections)
  }

  /// Reads more bytes of a key log; a last line without its end waits for the rest.
  ///
  /// `source` tells several growing files apart, so that their unfinished lines do not mix; each number
  /// that is in use costs a line of at most 1,024 bytes.
  public mutating func append(_ bytes: UnsafeRawBufferPointer, source: Int = 0) {
    var rest = bytes[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      let line = UnsafeRawBufferPointer(rebasing: rest[..<end])
      if var begun = partial.removeValue(forKey: source) {
        begun.append(line)
        begun.bytes.withUnsafeBytes { read(line: $0, tooLong: begun.tooLong) }
      } else {
        read(line: line, tooLong: line.count > PartialLine.limit)
      }
      rest = rest[(end + 1)...]
    }
    if !rest.isEmpty {
      partial[source, default: PartialLine()].append(UnsafeRawBufferPointer(rebasing: rest))
    }
  }

  /// Takes what came after the last line's end as a line of its own: the end of a secrets block, or of a file that was replaced.
  public mutating func endLine(source: Int = 0) {
    guard let begun = partial.removeValue(forKey: source) else { return }
    begun.bytes.withUnsafeBytes { read(line: $0, tooLong: begun.tooLong) }
  }

  /// All that is known of the connection with this client random.
  public func secrets(for clientRandom: ClientRandom) -> ClientSecrets? {
    connections[clientRandom]
  }

  /// The TLS 1.2 master secret that a line `RSA Session-ID:... Master-Key:...` told for this session id, 1 to 32 bytes.
  public func master(sessionID: [UInt8]) -> Secret? {
    sessions[sessionID]
  }

  private mutating func read(line: UnsafeRawBufferPointer, tooLong: Bool) {
    guard !tooLong else { return counts.malformed &+= 1 }
    switch KeyLogLine(line) {
    case .blank: break
    case .otherLabel: counts.otherLabels &+= 1
    case .malformed: counts.malformed &+= 1
    case .secret(let label, let clientRandom, let secret):
      counts.secrets &+= 1
      let update = connections.update(clientRandom, default: ClientSecrets()) { $0.set(label, secret) }
      note(update)
    case .session(let id, let master):
      counts.secrets &+= 1
      let update = sessions.update(id, default: Secret([])) { stored in
        defer { stored = master }
        return stored != master
      }
      note(update)
    }
  }

  private mutating func note(_ update: (changed: Bool, evicted: Bool)) {
    if update.changed { generation &+= 1 }
    if update.evicted { counts.evicted &+= 1 }
  }
}

extension KeyLog: CustomStringConvertible, CustomReflectable {
  public var description: String { "KeyLog(connections: \(connections.count), sessions: \(sessions.count))" }
  public var customMirror: Mirror { Mirror(self, children: ["counts": counts]) }
}
