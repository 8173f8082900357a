// A secret to what takes its place, in the same number of octets; and back: whether a text is such a one.
//
// In: a secret, decoded. Out: the same length in UTF-8, letter for letter, so that no length, no framing and no offset
// of a message changes. Owner: functions of a redactor. Bounds: linear.

/// How secrets are written over.
///
/// A token of 25 characters or more is `redacted.` and hex digits. Shorter ones, those of digits and e-mail addresses
/// keep the kind of each character, and up to four of them follow from the others: so `umbra scan` can tell a token
/// from a secret without knowing the key. Quotes, slashes and control characters stay, since they are spelt in more
/// octets than they are in many texts.
enum SecretText {
  /// Digits, letters and what is not ASCII.
  @inline(__always)
  static func isSubstance(_ byte: UInt8) -> Bool {
    byte >= 0x80 || byte >= 0x61 && byte <= 0x7a || byte >= 0x41 && byte <= 0x5a || byte >= 0x30 && byte <= 0x39
  }

  /// What is never changed.
  @inline(__always)
  private static func stays(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == 0x22 || byte == 0x5c || byte == 0x2f || byte == 0x7f
  }

  private static let longForm = 25
  private static let prefix = Array("redacted.".utf8)

  private enum Form { case long, characters, everything }

  private static func form(_ text: UnsafeBufferPointer<UInt8>) -> Form {
    var (substance, digits, ats, others, ascii) = (0, 0, 0, 0, true)
    for byte in text {
      if isSubstance(byte) { substance += 1 } else if byte == 0x40 { ats += 1 } else if byte != 0x2e { others += 1 }
      if byte >= 0x30, byte <= 0x39 { digits += 1 }
      if byte >= 0x80 { ascii = false }
    }
    if digits == substance, digits > 0 { return .characters }
    if ats == 1, others == 0 || text.count < 100, substance > 2 { return .characters }
    if text.count >= longForm, ascii { return .long }
    return substance >= 4 || substance * 2 >= text.count ? .characters : .everything
  }

  // MARK: Tokens

  /// Writes a token over the secret. It is another text, unless there is none of the kind: `0` stays.
  /// - Parameter digest: of the secret, under a key.
  static func writeToken(_ text: UnsafeMutableBufferPointer<UInt8>, digest: UInt64) {
    let form = form(UnsafeBufferPointer(text))
    if form == .long {
      var random = TokenSequence(seed: digest)
      return writeLong(text, &random)
    }
    // What is drawn for a few characters may be these themselves.
    let secret = Array(text)
    for draw in 0..<UInt8(32) {
      var random = TokenSequence(seed: draw == 0 ? digest : TokenSequence.mix(digest, draw))
      writeCharacters(text, &random, isEverything: form == .everything)
      guard text.elementsEqual(secret) else { return }
    }
  }

  private static func writeLong(_ text: UnsafeMutableBufferPointer<UInt8>, _ random: inout TokenSequence) {
    var position = 0
    for index in text.indices where !stays(text[index]) {
      text[index] = position < prefix.count ? prefix[position] : hexadecimalDigit(random.next(below: 16))
      position += 1
    }
  }

  private static func writeCharacters(
    _ text: UnsafeMutableBufferPointer<UInt8>, _ random: inout TokenSequence, isEverything: Bool
  ) {
    let places = places(UnsafeBufferPointer(text), isEverything: isEverything)
    let free = places.count - checkCount(places.count)
    var check = TokenSequence.checkStart
    for (number, place) in places.enumerated() {
      if number == free { random = TokenSequence(seed: check) }
      write(text, place, &random, isFirst: number == 0)
      if number < free { for index in place { check = TokenSequence.mix(check, text[index]) } }
    }
  }

  /// The characters that are replaced, each as its octets.
  private static func places(_ text: UnsafeBufferPointer<UInt8>, isEverything: Bool) -> [Range<Int>] {
    var places: [Range<Int>] = []
    var index = 0
    while index < text.count {
      let length = UTF8Sequence.length(in: text, at: index, end: text.count) ?? 1
      if isEverything ? !stays(text[index]) : isSubstance(text[index]) { places.append(index..<index + length) }
      index += length
    }
    return places
  }

  private static func checkCount(_ count: Int) -> Int { count < 4 ? 0 : min(4, count / 4) }

  private static func write(
    _ text: UnsafeMutableBufferPointer<UInt8>, _ place: Range<Int>, _ random: inout TokenSequence, isFirst: Bool
  ) {
    let old = text[place.lowerBound]
    switch place.count {
    case 1:
      switch old {
      // A number's first digit stays 0 or becomes none.
      case 0x30 where isFirst: break
      case 0x30...0x39: text[place.lowerBound] = isFirst ? 0x31 + random.next(below: 9) : 0x30 + random.next(below: 10)
      case 0x41...0x5a: text[place.lowerBound] = 0x41 + random.next(below: 26)
      default: text[place.lowerBound] = 0x61 + random.next(below: 26)
      }
    // U+00E0 and on, hiragana, and faces.
    case 2: text[place.lowerBound + 1] = setting(text, place, [0xc3, 0xa0 + random.next(below: 32)])
    case 3: text[place.lowerBound + 2] = setting(text, place, [0xe3, 0x81, 0x81 + random.next(below: 63)])
    default: text[place.lowerBound + 3] = setting(text, place, [0xf0, 0x9f, 0x98, 0x80 + random.next(below: 64)])
    }
  }

  private static func setting(
    _ text: UnsafeMutableBufferPointer<UInt8>, _ place: Range<Int>, _ bytes: [UInt8]
  ) -> UInt8 {
    for (offset, byte) in bytes.enumerated() { text[place.lowerBound + offset] = byte }
    return bytes[bytes.count - 1]
  }

  // MARK: Masks

  static func writeMask(_ text: UnsafeMutableBufferPointer<UInt8>, isNumber: Bool = false) {
    var index = 0
    while index < text.count {
      let length = UTF8Sequence.length(in: UnsafeBufferPointer(text), at: index, end: text.count) ?? 1
      switch length {
      case 1 where isNumber: if text[index] >= 0x30, text[index] <= 0x39 { text[index] = 0x39 }
      case 1: if !stays(text[index]) { text[index] = 0x2a }
      case 2: _ = setting(text, index..<index + 2, [0xc3, 0x97])
      case 3: _ = setting(text, index..<index + 3, [0xe2, 0x80, 0xa2])
      default: _ = setting(text, index..<index + 4, [0xf0, 0x9f, 0x94, 0x92])
      }
      index += length
    }
  }

  // MARK: Recognition

  /// Whether nothing of a secret is left in a text, as far as can be told: it is empty, too short to tell, masked, or a
  /// token. A secret of 4 to 7 digits passes for a token once in ten times, one of 16 digits once in 10,000, a word of
  /// 12 letters once in 17,576.
  static func isHidden(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    if text.allSatisfy({ !isSubstance($0) }) || isMask(text) { return true }
    let letters = text.filter { !stays($0) }
    if letters.count >= longForm, letters.starts(with: prefix) {
      return letters[prefix.count...].allSatisfy { hexadecimalValue($0) != nil }
    }
    // The form that the token was made in cannot be seen any more where it was written over everything.
    return isCheckedToken(text, isEverything: false) || isCheckedToken(text, isEverything: true)
  }

  private static func isMask(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let (cross, bullet): (Set<UInt8>, Set<UInt8>) = ([0xc3, 0x97], [0xe2, 0x80, 0xa2])
    let isStars = text.allSatisfy { byte in
      stays(byte) || byte == 0x2a || byte == 0x2d || cross.contains(byte) || bullet.contains(byte)
        || [0xf0, 0x9f, 0x94, 0x92].contains(byte)
    }
    return isStars || text.allSatisfy { !isSubstance($0) || $0 == 0x39 }
  }

  private static func isCheckedToken(_ text: UnsafeBufferPointer<UInt8>, isEverything: Bool) -> Bool {
    let places = places(text, isEverything: isEverything)
    let count = checkCount(places.count)
    guard count > 0 else { return places.count < 4 }
    var check = TokenSequence.checkStart
    for place in places.dropLast(count) { for index in place { check = TokenSequence.mix(check, text[index]) } }
    var random = TokenSequence(seed: check)
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: text.count) { copy in
      let copy = UnsafeMutableBufferPointer(rebasing: copy[..<text.count])
      _ = copy.initialize(from: text)
      for place in places.suffix(count) { write(copy, place, &random, isFirst: false) }
      return copy.elementsEqual(text)
    }
  }
}

func hexadecimalDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

/// SplitMix64 (Steele, Lea and Flood, 2014), drawn from in small pieces.
struct TokenSequence {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  static let checkStart: UInt64 = 0x756d_6272_6121_0001

  static func mix(_ check: UInt64, _ byte: UInt8) -> UInt64 {
    let mixed = (check ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    return mixed ^ mixed >> 31
  }

  mutating func next(below bound: UInt8) -> UInt8 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return UInt8(truncatingIfNeeded: (mixed ^ mixed >> 31).multipliedFullWidth(by: UInt64(bound)).high)
  }
}
