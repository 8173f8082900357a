// SHA-256 (FIPS 180-4), to compare bodies with the corpus: the target under test has no need of a cryptographic library.

func sha256(_ message: [UInt8]) -> String {
  var state: [UInt32] = roots(8, power: 2)
  let constants: [UInt32] = roots(64, power: 3)
  var bytes = message + [0x80]
  while bytes.count % 64 != 56 { bytes.append(0) }
  for shift in stride(from: 56, through: 0, by: -8) {
    bytes.append(UInt8(truncatingIfNeeded: (message.count * 8) >> shift))
  }
  func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }
  for block in stride(from: 0, to: bytes.count, by: 64) {
    var words = (0..<16).map { index in
      bytes[(block + index * 4)..<(block + index * 4 + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    }
    for index in 16..<64 {
      let (a, b) = (words[index - 15], words[index - 2])
      words.append(
        words[index - 16] &+ (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) &+ words[index - 7]
          &+ (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10))
    }
    var v = state
    for index in 0..<64 {
      let mixed = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)
      let chosen = v[4] & v[5] ^ ~v[4] & v[6]
      let first = v[7] &+ mixed &+ chosen &+ constants[index] &+ words[index]
      let majority = v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2]
      let second = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) &+ majority
      v = [first &+ second, v[0], v[1], v[2], v[3] &+ first, v[4], v[5], v[6]]
    }
    for index in 0..<8 { state[index] &+= v[index] }
  }
  return state.map { word in
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }.joined()
}

/// The first 32 bits behind the point of the roots of the first primes.
private func roots(_ count: Int, power: Int) -> [UInt32] {
  let primes = (2...400).filter { number in (2..<number).allSatisfy { number % $0 != 0 } }.prefix(count)
  return primes.map { prime in
    // The largest root with root^power <= prime * 2^(32 power), bit by bit.
    var root: UInt64 = 0
    for bit in (0...35).reversed() {
      let trial = root | 1 << UInt64(bit)
      if raised(trial, power, isAtMost: UInt64(prime)) { root = trial }
    }
    return UInt32(truncatingIfNeeded: root)
  }
}

private func raised(_ value: UInt64, _ power: Int, isAtMost prime: UInt64) -> Bool {
  let whole = (0..<(power - 1)).reduce(UInt128(value)) { product, _ in product * UInt128(value) }
  return whole <= UInt128(prime) << UInt128(32 * power)
}
