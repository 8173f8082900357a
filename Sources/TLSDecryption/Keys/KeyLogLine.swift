// One line of a key log.
// In: a line's bytes without its LF. Out: what it tells. Owner: a value. Bounds: 64 bytes of secret; the caller bounds the line.

/// What a secret is for.
enum KeyLogLabel: Hashable, Sendable {
  /// `CLIENT_RANDOM`: a TLS 1.2 master secret.
  case clientRandom
  /// `CLIENT_EARLY_TRAFFIC_SECRET`
  case clientEarlyTraffic
  /// `CLIENT_HANDSHAKE_TRAFFIC_SECRET`, `SERVER_HANDSHAKE_TRAFFIC_SECRET`
  case handshakeTraffic(TLSSide)
  /// `CLIENT_TRAFFIC_SECRET_N`, `SERVER_TRAFFIC_SECRET_N`
  case applicationTraffic(TLSSide, generation: Int)

  /// The label of this name, or nil for one that opens no record.
  init?(_ name: UnsafeRawBufferPointer) {
    if name.matches("CLIENT_RANDOM") {
      self = .clientRandom
    } else if name.matches("CLIENT_EARLY_TRAFFIC_SECRET") {
      self = .clientEarlyTraffic
    } else if name.matches("CLIENT_HANDSHAKE_TRAFFIC_SECRET") {
      self = .handshakeTraffic(.client)
    } else if name.matches("SERVER_HANDSHAKE_TRAFFIC_SECRET") {
      self = .handshakeTraffic(.server)
    } else if let number = name.suffix(after: "CLIENT_TRAFFIC_SECRET_"), let generation = Self.generation(number) {
      self = .applicationTraffic(.client, generation: generation)
    } else if let number = name.suffix(after: "SERVER_TRAFFIC_SECRET_"), let generation = Self.generation(number) {
      self = .applicationTraffic(.server, generation: generation)
    } else {
      return nil
    }
  }

  /// Whether a secret under this label can have this length: a master secret has 48 bytes, a traffic secret those of its hash.
  func admits(length: Int) -> Bool {
    self == .clientRandom ? length == 48 : length == 32 || length == 48
  }

  private static func generation(_ digits: UnsafeRawBufferPointer) -> Int? {
    guard (1...2).contains(digits.count) else { return nil }
    var value = 0
    for digit in digits {
      guard (0x30...0x39).contains(digit) else { return nil }
      value = value &* 10 &+ Int(digit &- 0x30)
    }
    return value < ClientSecrets.generations ? value : nil
  }
}

/// A line of a key log, read.
enum KeyLogLine {
  /// Empty, or a comment.
  case blank
  /// A label that opens no record.
  case otherLabel
  /// No key log line, or one whose random or secret has a wrong length or digit.
  case malformed
  case secret(KeyLogLabel, ClientRandom, Secret)
  /// `RSA Session-ID:<hex> Master-Key:<hex>`
  case session(id: [UInt8], master: Secret)

  init(_ line: UnsafeRawBufferPointer) {
    var fields = LineFields(line)
    guard let name = fields.next(), name[0] != UInt8(ascii: "#") else {
      self = .blank
      return
    }
    guard let second = fields.next(), let third = fields.next(), fields.next() == nil else {
      self = Self.isLabel(name) ? .otherLabel : .malformed
      return
    }
    if name.matches("RSA") {
      self = Self.session(second, third)
    } else if let label = KeyLogLabel(name) {
      self = Self.secret(label, second, third)
    } else {
      self = Self.isLabel(name) ? .otherLabel : .malformed
    }
  }

  private static func secret(
    _ label: KeyLogLabel, _ random: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
  ) -> KeyLogLine {
    guard label.admits(length: value.count / 2), let secret = hexBytes(value, upTo: 64),
      let bytes = hexBytes(random, upTo: ClientRandom.length),
      let clientRandom = bytes.withUnsafeBytes({ ClientRandom($0) })
    else { return .malformed }
    return .secret(label, clientRandom, Secret(secret))
  }

  private static func session(_ id: UnsafeRawBufferPointer, _ master: UnsafeRawBufferPointer) -> KeyLogLine {
    // The other form, an encrypted premaster secret's first bytes and the premaster secret, needs the ClientKeyExchange.
    guard let idDigits = id.suffix(after: "Session-ID:") else { return .otherLabel }
    guard let digits = master.suffix(after: "Master-Key:"), let id = hexBytes(idDigits, upTo: 32), !id.isEmpty,
      let secret = hexBytes(digits, upTo: 48), secret.count == 48
    else { return .malformed }
    return .session(id: id, master: Secret(secret))
  }

  /// Whether it looks like a label: capitals, digits and underscores.
  private static func isLabel(_ name: UnsafeRawBufferPointer) -> Bool {
    name.allSatisfy { (0x41...0x5a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }
  }

  /// The bytes that hexadecimal digits of either case spell, or nil at any other character, at an odd count or above the bound.
  private static func hexBytes(_ digits: UnsafeRawBufferPointer, upTo bound: Int) -> [UInt8]? {
    guard digits.count % 2 == 0, digits.count / 2 <= bound else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = hexValue(digits[index]), let low = hexValue(digits[index &+ 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func hexValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit &- 0x30
    case 0x41...0x46: digit &- 0x41 &+ 10
    case 0x61...0x66: digit &- 0x61 &+ 10
    default: nil
    }
  }
}

/// The words of a line, between spaces, tabs and carriage returns.
private struct LineFields {
  private var rest: Slice<UnsafeRawBufferPointer>

  init(_ line: UnsafeRawBufferPointer) {
    rest = line[...]
  }

  /// The next word, never empty.
  mutating func next() -> UnsafeRawBufferPointer? {
    rest = rest.drop(while: Self.isSpace)
    let word = rest.prefix { !Self.isSpace($0) }
    rest = rest[word.endIndex...]
    return word.isEmpty ? nil : UnsafeRawBufferPointer(rebasing: word)
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0d
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func matches(_ text: StaticString) -> Bool {
    count == text.utf8CodeUnitCount && suffix(after: text) != nil
  }

  fileprivate func suffix(after text: StaticString) -> UnsafeRawBufferPointer? {
    let length = text.utf8CodeUnitCount
    guard count >= length else { return nil }
    for index in 0..<length where self[index] != text.utf8Start[index] { return nil }
    return UnsafeRawBufferPointer(rebasing: self[length...])
  }
}
