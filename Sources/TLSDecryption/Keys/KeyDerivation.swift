// The key schedules of TLS 1.3 and TLS 1.2, as far as record keys need them.
// In: secrets. Out: keys. Owner: values. Bounds: outputs of the few lengths that suites have.

import Crypto

/// HKDF-Expand-Label. RFC 8446 section 7.1.
struct TLS13KeySchedule: Sendable {
  let hash: CipherSuite.Hash

  /// HKDF-Expand-Label with a label without its "tls13 " prefix; `context` has at most 255 bytes.
  func expandLabel(_ secret: [UInt8], label: StaticString, context: [UInt8] = [], length: Int) -> [UInt8] {
    var info: [UInt8] = [UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length)]
    info.append(UInt8(truncatingIfNeeded: 6 + label.utf8CodeUnitCount))
    info.append(contentsOf: "tls13 ".utf8)
    info.append(contentsOf: UnsafeBufferPointer(start: label.utf8Start, count: label.utf8CodeUnitCount))
    info.append(UInt8(truncatingIfNeeded: context.count))
    info.append(contentsOf: context)
    let key = SymmetricKey(data: secret)
    let expanded =
      switch hash {
      case .sha256: HKDF<SHA256>.expand(pseudoRandomKey: key, info: info, outputByteCount: length)
      case .sha384: HKDF<SHA384>.expand(pseudoRandomKey: key, info: info, outputByteCount: length)
      }
    return expanded.withUnsafeBytes { [UInt8]($0) }
  }
}

/// The pseudorandom function of TLS 1.2, which is P_hash. RFC 5246 section 5.
struct TLS12PRF: Sendable {
  let hash: CipherSuite.Hash

  /// PRF(secret, label, seed), cut to `length` bytes.
  func expand(secret: [UInt8], label: StaticString, seed: [UInt8], length: Int) -> [UInt8] {
    var labelled = [UInt8](UnsafeBufferPointer(start: label.utf8Start, count: label.utf8CodeUnitCount))
    labelled.append(contentsOf: seed)
    let key = SymmetricKey(data: secret)
    return switch hash {
    case .sha256: Self.expand(HMAC<SHA256>(key: key), seed: labelled, length: length)
    case .sha384: Self.expand(HMAC<SHA384>(key: key), seed: labelled, length: length)
    }
  }

  private static func expand<H: HashFunction>(_ keyed: HMAC<H>, seed: [UInt8], length: Int) -> [UInt8] {
    var output: [UInt8] = []
    var chain = seed  // A(0)
    while output.count < length {
      chain = authenticate(chain, keyed)
      output.append(contentsOf: authenticate(chain + seed, keyed))
    }
    output.removeSubrange(length...)
    return output
  }

  private static func authenticate<H: HashFunction>(_ message: [UInt8], _ keyed: HMAC<H>) -> [UInt8] {
    var mac = keyed
    message.withUnsafeBytes { mac.update(data: $0) }
    return [UInt8](mac.finalize())
  }
}

/// How a TLS 1.2 key block is cut. RFC 5246 section 6.3.
struct TLS12KeyLengths: Sendable {
  /// The parts of the key block that belong to one direction.
  struct Part: Sendable {
    let macKey: [UInt8]
    let key: [UInt8]
    /// The implicit part of the nonce; empty for CBC, whose IVs are in the records.
    let iv: [UInt8]
  }

  let mac: Int
  let key: Int
  let iv: Int

  init(suite: CipherSuite) {
    key = suite.keyLength
    switch suite.cipher {
    case .aesGCM, .aesCCM: (mac, iv) = (0, 4)
    case .chaCha20Poly1305: (mac, iv) = (0, 12)
    case .aesCBC(let recordMAC): (mac, iv) = (recordMAC.length, 0)
    }
  }

  /// The length of the key block.
  var total: Int { 2 * (mac + key + iv) }

  func client(of block: [UInt8]) -> Part { part(of: block, second: 0) }
  func server(of block: [UInt8]) -> Part { part(of: block, second: 1) }

  private func part(of block: [UInt8], second: Int) -> Part {
    let macStart = second * mac
    let keyStart = 2 * mac + second * key
    let ivStart = 2 * (mac + key) + second * iv
    return Part(
      macKey: [UInt8](block[macStart..<macStart + mac]), key: [UInt8](block[keyStart..<keyStart + key]),
      iv: [UInt8](block[ivStart..<ivStart + iv]))
  }
}
