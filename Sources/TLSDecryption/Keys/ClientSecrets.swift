// The secrets of one connection, as a key log tells them.
// In: bytes of a key log's line. Out: values by label. Owner: a value. Bounds: 64 bytes each, 16 generations at most.

/// Bytes that nothing prints.
public struct Secret: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
  /// The secret itself, 1 to 64 bytes.
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  public var description: String { "(secret)" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// The `random` of a ClientHello, which names a connection in a key log.
public struct ClientRandom: Hashable, Sendable {
  private let words: InlineArray<4, UInt64>

  /// The length of a random in bytes.
  static let length = 32

  /// Takes exactly 32 bytes, else nil.
  public init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count == Self.length else { return nil }
    words = InlineArray { bytes.loadUnaligned(fromByteOffset: $0 &* 8, as: UInt64.self) }
  }

  public static func == (a: ClientRandom, b: ClientRandom) -> Bool {
    a.words[0] == b.words[0] && a.words[1] == b.words[1] && a.words[2] == b.words[2] && a.words[3] == b.words[3]
  }

  public func hash(into hasher: inout Hasher) {
    for index in 0..<4 { hasher.combine(words[index]) }
  }
}

/// All that a key log tells of one connection.
public struct ClientSecrets: Hashable, Sendable {
  /// TLS 1.2: the master secret, 48 bytes (`CLIENT_RANDOM`).
  public internal(set) var master: Secret?
  /// TLS 1.3: the secret of the client's early data (`CLIENT_EARLY_TRAFFIC_SECRET`).
  public internal(set) var clientEarlyTraffic: Secret?
  /// TLS 1.3: the secret of the client's handshake records (`CLIENT_HANDSHAKE_TRAFFIC_SECRET`).
  public internal(set) var clientHandshakeTraffic: Secret?
  /// TLS 1.3: the secret of the server's handshake records (`SERVER_HANDSHAKE_TRAFFIC_SECRET`).
  public internal(set) var serverHandshakeTraffic: Secret?
  private var clientTraffic: [Secret?] = []
  private var serverTraffic: [Secret?] = []

  /// Generations of application traffic secrets that are kept; later ones follow from earlier ones.
  static let generations = 16

  /// TLS 1.3: the secret of a direction's application data (`CLIENT_TRAFFIC_SECRET_N`, `SERVER_TRAFFIC_SECRET_N`), where
  /// generation 0 is that after the handshake.
  public func applicationTraffic(_ side: TLSSide, generation: Int = 0) -> Secret? {
    let secrets = side == .client ? clientTraffic : serverTraffic
    return secrets.indices.contains(generation) ? secrets[generation] : nil
  }

  /// TLS 1.3: the secret of a direction's handshake records.
  public func handshakeTraffic(_ side: TLSSide) -> Secret? {
    side == .client ? clientHandshakeTraffic : serverHandshakeTraffic
  }

  /// Sets one secret and says whether that changed anything.
  mutating func set(_ label: KeyLogLabel, _ secret: Secret) -> Bool {
    switch label {
    case .clientRandom: Self.replace(&master, secret)
    case .clientEarlyTraffic: Self.replace(&clientEarlyTraffic, secret)
    case .handshakeTraffic(.client): Self.replace(&clientHandshakeTraffic, secret)
    case .handshakeTraffic(.server): Self.replace(&serverHandshakeTraffic, secret)
    case .applicationTraffic(.client, let generation): Self.place(secret, at: generation, in: &clientTraffic)
    case .applicationTraffic(.server, let generation): Self.place(secret, at: generation, in: &serverTraffic)
    }
  }

  private static func replace(_ place: inout Secret?, _ secret: Secret) -> Bool {
    if place == secret { return false }
    place = secret
    return true
  }

  private static func place(_ secret: Secret, at generation: Int, in secrets: inout [Secret?]) -> Bool {
    guard (0..<generations).contains(generation) else { return false }
    while secrets.count <= generation { secrets.append(nil) }
    return replace(&secrets[generation], secret)
  }
}
