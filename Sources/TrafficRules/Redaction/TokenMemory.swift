// Tokens of values seen lately: clients send the same credentials again and again.
//
// In: a secret. Out: its token, made or remembered. Owner: one Redactor. Bounds: `places` values of up to `longest`
// octets and as many tokens, in memory and nowhere else.

import Crypto
import Glibc

/// Tokens by HMAC-SHA256 of secrets, cut to 64 bits. A value's place follows from a hash of it; the last one to come to a
/// place has it, so a look-up is one comparison whatever is sent.
struct TokenMemory {
  private struct Known {
    var secret: [UInt8] = []
    var token: [UInt8] = []
  }

  /// Keyed, before any data: a copy of it saves two of the four blocks that a short value costs.
  private let keyed: HMAC<SHA256>
  private var known = [Known](repeating: Known(), count: places)
  private static let places = 4096
  private static let longest = 1024

  init(key: SymmetricKey) { keyed = HMAC(key: key) }

  /// Writes the token of a secret over it.
  mutating func writeToken(over secret: UnsafeMutableBufferPointer<UInt8>) {
    guard let base = secret.baseAddress, secret.count <= Self.longest else { return makeToken(secret) }
    let place = Self.place(of: UnsafeRawBufferPointer(secret))
    let isKnown = known[place].secret.withUnsafeBytes {
      $0.count == secret.count && memcmp($0.baseAddress!, base, secret.count) == 0
    }
    if isKnown { return known[place].token.withUnsafeBytes { _ = memcpy(base, $0.baseAddress!, secret.count) } }
    let value = Array(secret)
    makeToken(secret)
    known[place] = Known(secret: value, token: Array(secret))
  }

  private func makeToken(_ secret: UnsafeMutableBufferPointer<UInt8>) {
    SecretText.writeToken(secret, digest: digest(of: UnsafeRawBufferPointer(secret)))
  }

  /// The first eight octets of the code, the first one highest.
  func digest(of secret: UnsafeRawBufferPointer) -> UInt64 {
    var code = keyed
    code.update(data: secret)
    return code.finalize().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Not a defence: who makes secrets collide gains that theirs are computed again.
  private static func place(of secret: UnsafeRawBufferPointer) -> Int {
    var hash = UInt64(secret.count) &* 0x9e37_79b9_7f4a_7c15
    var offset = 0
    while secret.count &- offset >= 8 {
      hash = (hash ^ secret.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0x9e37_79b9_7f4a_7c15
      hash ^= hash >> 29
      offset &+= 8
    }
    while offset < secret.count {
      hash = (hash ^ UInt64(secret[offset])) &* 0x9e37_79b9_7f4a_7c15
      offset &+= 1
    }
    return Int(truncatingIfNeeded: hash >> 52)
  }
}
