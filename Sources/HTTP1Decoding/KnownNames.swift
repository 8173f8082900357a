// Purpose: field names that came before, so that a name which comes again is known at a glance, and what it means.
// Input -> output: a field line -> the length of its name and its meaning for framing. Owner: whoever owns HTTP1Parts.
// Bounds: `capacity` names of up to `longest` octets each; one comparison a line, a look through all where it fails.
//
// Clients and servers send the same names in the same order again and again, whatever the values. So each name tells
// which came after it the last time.

/// A few field names as they were spelt.
struct KnownNames: Sendable {
  private struct Name: Sendable {
    /// The name and the colon behind it, zero-filled.
    var words: (UInt64, UInt64, UInt64, UInt64)
    /// All ones where an octet of ``words`` counts.
    var masks: (UInt64, UInt64, UInt64, UInt64)
    var length: UInt8
    var meaning: FieldMeaning
    /// The name that came after this one, of those that are kept; ``none`` where there was none.
    var next: UInt8
  }

  /// Octets that are looked at of a line, which must be there.
  static let window = 32
  private static let longest = window - 1
  private static let capacity = 64
  /// Stands for no name.
  static let none = UInt8.max

  private var names: [Name] = []
  private var firsts = (request: KnownNames.none, response: KnownNames.none)
  /// The next to be forgotten, once all places are taken.
  private var oldest = 0

  /// The name that heads began with the last time.
  @inline(__always)
  func first(_ role: HTTP1Decoder.Role) -> UInt8 { role == .request ? firsts.request : firsts.response }

  /// The name that came after `name` the last time.
  @inline(__always)
  func name(after name: UInt8) -> UInt8 { Int(name) < names.count ? names[Int(name)].next : KnownNames.none }

  /// Whether `name` and a colon stand at `line`, behind which ``window`` octets can be read.
  @inline(__always)
  func match(_ name: UInt8, _ line: Octets) -> (length: Int, meaning: FieldMeaning)? {
    guard Int(name) < names.count else { return nil }
    let raw = UnsafeRawPointer(line)
    return names.withUnsafeBufferPointer { names in
      let known = names.baseAddress! + Int(name)
      let difference =
        (raw.loadUnaligned(as: UInt64.self) ^ known.pointee.words.0) & known.pointee.masks.0
        | (raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self) ^ known.pointee.words.1) & known.pointee.masks.1
        | (raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self) ^ known.pointee.words.2) & known.pointee.masks.2
        | (raw.loadUnaligned(fromByteOffset: 24, as: UInt64.self) ^ known.pointee.words.3) & known.pointee.masks.3
      return difference == 0 ? (Int(known.pointee.length), known.pointee.meaning) : nil
    }
  }

  /// Takes note of a name that was not foreseen.
  /// - Parameters:
  ///   - line: the name, a token, and its colon; ``window`` octets can be read.
  ///   - previous: the name before it in the section, of those that are kept; ``none`` where it is the first.
  /// - Returns: its number; `previous` where it is too long.
  mutating func learn(
    _ line: Octets, _ length: Int, _ meaning: FieldMeaning, after previous: UInt8, _ role: HTTP1Decoder.Role
  ) -> UInt8 {
    guard length <= KnownNames.longest else { return previous }
    let masks = (
      KnownNames.mask(length + 1), KnownNames.mask(length - 7), KnownNames.mask(length - 15),
      KnownNames.mask(length - 23)
    )
    let raw = UnsafeRawPointer(line)
    let words = (
      raw.loadUnaligned(as: UInt64.self) & masks.0,
      raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self) & masks.1,
      raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self) & masks.2,
      raw.loadUnaligned(fromByteOffset: 24, as: UInt64.self) & masks.3
    )
    let known = names.firstIndex { $0.words == words && Int($0.length) == length }
    let place = known ?? place()
    let name = Name(
      words: words, masks: masks, length: UInt8(length), meaning: meaning, next: KnownNames.none)
    if place == names.count { names.append(name) } else if known == nil { names[place] = name }
    let number = UInt8(place)
    if Int(previous) < names.count {
      names[Int(previous)].next = number
    } else if role == .request {
      firsts.request = number
    } else {
      firsts.response = number
    }
    return number
  }

  private mutating func place() -> Int {
    guard names.count == KnownNames.capacity else { return names.count }
    oldest = (oldest + 1) % KnownNames.capacity
    return oldest
  }

  /// Ones for the octets of a word that come first, as they stand in memory.
  private static func mask(_ octets: Int) -> UInt64 {
    octets >= 8 ? .max : octets <= 0 ? 0 : UInt64(littleEndian: 1 << (8 * UInt64(octets)) - 1)
  }
}
