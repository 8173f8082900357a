// What the hellos and EncryptedExtensions say that matters to an observer.
// In: handshake messages of unknown senders. Out: values, or nil where the message keeps to no form. Owner: a value.
// Bounds: the message's length; names are at most 255 bytes.

/// Reads a message's fields one behind the other; every read says nil rather than going past the end.
struct FieldReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func byte() -> UInt8? { rest.popFirst() }

  mutating func number16() -> UInt16? {
    guard let high = byte(), let low = byte() else { return nil }
    return UInt16(high) << 8 | UInt16(low)
  }

  mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard count <= rest.count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  /// A vector whose length stands before it in one byte.
  mutating func vector8() -> ArraySlice<UInt8>? { byte().flatMap { take(Int($0)) } }

  /// A vector whose length stands before it in two bytes.
  mutating func vector16() -> ArraySlice<UInt8>? { number16().flatMap { take(Int($0)) } }

  /// Extensions up to the end, in order; nil where they are cut or malformed. None at all is an empty list.
  mutating func extensions() -> [(type: UInt16, content: ArraySlice<UInt8>)]? {
    if isAtEnd { return [] }
    guard let all = vector16() else { return nil }
    var reader = FieldReader(all)
    var found: [(UInt16, ArraySlice<UInt8>)] = []
    while !reader.isAtEnd {
      guard let type = reader.number16(), let content = reader.vector16() else { return nil }
      found.append((type, content))
    }
    return found
  }
}

/// Extension numbers of the IANA registry that are looked at.
enum ExtensionType {
  static let serverName: UInt16 = 0
  static let applicationProtocol: UInt16 = 16
  static let encryptThenMAC: UInt16 = 22
  static let extendedMasterSecret: UInt16 = 23
  static let preSharedKey: UInt16 = 41
  static let earlyData: UInt16 = 42
  static let supportedVersions: UInt16 = 43
}

/// RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2.
struct ClientHello: Hashable {
  var random: [UInt8]
  var serverName: String?
  var offersEarlyData = false

  init?(_ message: HandshakeMessage) {
    var reader = FieldReader(message.body)
    guard reader.number16() != nil, let random = reader.take(32), reader.vector8() != nil,
      let suites = reader.vector16(), !suites.isEmpty, reader.vector8() != nil, let extensions = reader.extensions()
    else { return nil }
    self.random = Array(random)
    for (type, content) in extensions {
      switch type {
      case ExtensionType.serverName: serverName = Self.name(content)
      case ExtensionType.earlyData: offersEarlyData = true
      default: break
      }
    }
  }

  /// The first host_name of a server_name extension. RFC 6066 section 3.
  private static func name(_ content: ArraySlice<UInt8>) -> String? {
    var outer = FieldReader(content)
    guard let list = outer.vector16() else { return nil }
    var reader = FieldReader(list)
    while let type = reader.byte(), let name = reader.vector16() {
      if type == 0, !name.isEmpty, name.count <= 255 { return String(decoding: name, as: UTF8.self) }
    }
    return nil
  }
}

/// RFC 8446 section 4.1.3, RFC 5246 section 7.4.1.3; a HelloRetryRequest has the same form.
struct ServerHello: Hashable {
  /// The version that was chosen, by supported_versions where that is there.
  var version: UInt16
  var random: [UInt8]
  var sessionID: [UInt8]
  var suite: UInt16
  var encryptsThenMACs = false
  var extendsMasterSecret = false
  /// TLS 1.3: a pre-shared key was taken, without which there is no early data.
  var takesPreSharedKey = false
  /// TLS 1.2 and older; TLS 1.3 has it in EncryptedExtensions.
  var applicationProtocol: String?

  /// The SHA-256 of "HelloRetryRequest", which stands for the random of one.
  private static let retryRandom: [UInt8] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
  ]

  var asksToRetry: Bool { random == Self.retryRandom }

  init?(_ message: HandshakeMessage) {
    var reader = FieldReader(message.body)
    guard let legacy = reader.number16(), let random = reader.take(32) else { return nil }
    version = legacy
    self.random = Array(random)
    // Drafts of TLS 1.3 up to 21 have the chosen version here, and no session id behind the random.
    if legacy > 0x0304 {
      guard let suite = reader.number16() else { return nil }
      (sessionID, self.suite) = ([], suite)
      return
    }
    guard let session = reader.vector8(), let suite = reader.number16(), reader.byte() != nil,
      let extensions = reader.extensions()
    else { return nil }
    sessionID = Array(session)
    self.suite = suite
    for (type, content) in extensions {
      switch type {
      case ExtensionType.supportedVersions:
        var inner = FieldReader(content)
        version = inner.number16() ?? version
      case ExtensionType.encryptThenMAC: encryptsThenMACs = true
      case ExtensionType.extendedMasterSecret: extendsMasterSecret = true
      case ExtensionType.preSharedKey: takesPreSharedKey = true
      case ExtensionType.applicationProtocol: applicationProtocol = Self.protocolName(content)
      default: break
      }
    }
  }

  /// The one protocol that a server's ALPN extension names. RFC 7301 section 3.1.
  static func protocolName(_ content: ArraySlice<UInt8>) -> String? {
    var outer = FieldReader(content)
    guard let list = outer.vector16() else { return nil }
    var reader = FieldReader(list)
    guard let name = reader.vector8(), !name.isEmpty else { return nil }
    return String(decoding: name, as: UTF8.self)
  }
}

/// RFC 8446 section 4.3.1.
struct EncryptedExtensions: Hashable {
  var applicationProtocol: String?
  var acceptsEarlyData = false

  init?(_ message: HandshakeMessage) {
    var reader = FieldReader(message.body)
    guard let extensions = reader.extensions() else { return nil }
    for (type, content) in extensions {
      switch type {
      case ExtensionType.applicationProtocol: applicationProtocol = ServerHello.protocolName(content)
      case ExtensionType.earlyData: acceptsEarlyData = true
      default: break
      }
    }
  }
}
