import HTTPModel
import ReplaySchedule

/// Gives a replayed request an idempotency key of its own.
///
/// A server that remembers a recorded key would answer from memory instead of doing anything. The new key has the old
/// one's length and kinds of characters (digits, hexadecimal letters, other letters; a UUID keeps its version and
/// variant); equal keys of one run and round stay equal, so that a recorded retry remains one.
struct IdempotencyKey {
  /// Field names in lower case. `X-Request-Id` names a request rather than an effect and stays.
  static let fields = ["idempotency-key", "x-idempotency-key"]

  private let salt: UInt64

  /// - Parameter run: what makes this run's keys differ from another's.
  init(run: String) { salt = run.utf8.reduce(0x6964_656d_706f_7465) { SplitMix64.mixed($0 ^ UInt64($1)) } }

  /// The fields of `request` that hold such a key, with their new values; empty for safe methods.
  func replacements(in request: HTTPRequest, round: UInt32) -> [(name: [UInt8], value: [UInt8])] {
    if request.isSafe { return [] }
    return IdempotencyKey.fields.compactMap { name in
      guard let value = request.fields.first(named: name) else { return nil }
      return (Array(name.utf8), rewritten(value, round: round))
    }
  }

  func rewritten(_ key: some Collection<UInt8>, round: UInt32) -> [UInt8] {
    var random = SplitMix64(seed: key.reduce(salt ^ UInt64(round)) { SplitMix64.mixed($0 ^ UInt64($1)) })
    let kept: Set<Int> = IdempotencyKey.isUUID(key) ? [14, 19] : []
    return key.enumerated().map { index, byte in
      guard !kept.contains(index) else { return byte }
      switch byte {
      case 0x30...0x39: return 0x30 + UInt8(random.next() >> 32 % 10)
      case 0x61...0x66, 0x41...0x46: return (byte & 0x60 | 1) + UInt8(random.next() >> 32 % 6)
      case 0x67...0x7a, 0x47...0x5a: return (byte & 0x60 | 7) + UInt8(random.next() >> 32 % 20)
      default: return byte
      }
    }
  }

  /// RFC 9562, 4: 8-4-4-4-12 hexadecimal digits.
  private static func isUUID(_ key: some Collection<UInt8>) -> Bool {
    guard key.count == 36 else { return false }
    return key.enumerated().allSatisfy { index, byte in
      [8, 13, 18, 23].contains(index)
        ? byte == UInt8(ascii: "-")
        : (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte & 0xdf)
    }
  }
}
