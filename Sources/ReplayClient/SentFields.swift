import Glibc

/// Names and values of fields that were sent before, as the strings that HPACK takes.
///
/// In: bytes of recorded fields. Out: strings, and how a field is to be written. Most fields of a request were in one
/// before it, and their strings serve again. Confined to the event loop. Bounds: so many names and values as the two
/// tables have places, of limited lengths.
struct SentFields {
  private var names = [FieldName?](repeating: nil, count: 256)
  private var numbers = 0
  private var values = [Value](repeating: Value(), count: 512)

  private struct Value {
    var hash: UInt64 = 0
    var text = ""
    /// How often it came, less how often another one wanted its place: at 0 it has to give way.
    var credit: UInt8 = 0
  }

  /// In bytes. What is longer is made anew each time.
  private static let nameLimit = 256
  private static let valueLimit = 1024
  private static let creditLimit: UInt8 = 16

  /// A field's name, from its spelling.
  mutating func name(_ spelling: UnsafeRawBufferPointer) -> FieldName {
    let hash = SentFields.hash(spelling, seed: 0)
    var place = Int(truncatingIfNeeded: hash >> 32)
    for _ in 0..<4 {
      place = (place + 1) & (names.count - 1)
      guard let known = names[place] else { break }
      if known.hash == hash, known.isSpelled(spelling) { return known }
    }
    let name = FieldName(spelling, hash: hash, number: numbers)
    numbers += 1
    if spelling.count <= SentFields.nameLimit { names[place] = name }
    return name
  }

  mutating func name(_ spelling: StaticString) -> FieldName {
    name(UnsafeRawBufferPointer(start: spelling.utf8Start, count: spelling.utf8CodeUnitCount))
  }

  /// A value as text, and a number that is the same only for the same value under the same name; 0 for a long one.
  mutating func value(_ bytes: UnsafeRawBufferPointer, of name: FieldName) -> (text: String, hash: UInt64) {
    guard bytes.count <= SentFields.valueLimit else { return (SentFields.text(bytes), 0) }
    let hash = SentFields.hash(bytes, seed: name.hash) | 1
    let place = Int(truncatingIfNeeded: hash >> 32) & (values.count - 1)
    return values.withUnsafeMutableBufferPointer { values in
      if values[place].hash == hash, SentFields.isEqual(values[place].text, bytes) {
        values[place].credit = min(values[place].credit + 1, SentFields.creditLimit)
        return (values[place].text, hash)
      }
      let text = SentFields.text(bytes)
      if values[place].credit > 0 {
        values[place].credit -= 1
      } else {
        values[place] = Value(hash: hash, text: text)
      }
      return (text, hash)
    }
  }

  /// Bytes that are no UTF-8 become U+FFFD.
  static func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }

  fileprivate static func isEqual(_ text: String, _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard text.utf8.count == bytes.count else { return false }
    return text.utf8.withContiguousStorageIfAvailable { isEqual(UnsafeRawBufferPointer($0), bytes) } ?? false
  }

  fileprivate static func isEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard let x = a.baseAddress, let y = b.baseAddress else { return a.count == b.count }
    return a.count == b.count && memcmp(x, y, a.count) == 0
  }

  /// Eight bytes at a time. It decides what is kept and what is indexed, never what is sent.
  private static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    var hash = seed ^ UInt64(truncatingIfNeeded: bytes.count) &* 0x9e37_79b9_7f4a_7c15
    func mix(_ word: UInt64) {
      let product = (hash ^ word).multipliedFullWidth(by: 0xa076_1d64_78bd_642f)
      hash = product.high ^ product.low
    }
    var rest = bytes.count
    while rest > 8 {
      mix(bytes.loadUnaligned(fromByteOffset: bytes.count - rest, as: UInt64.self))
      rest -= 8
    }
    // The last eight, some of them once more; of fewer, both ends.
    if bytes.count >= 8 {
      mix(bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self))
    } else if bytes.count >= 4 {
      mix(
        UInt64(bytes.loadUnaligned(as: UInt32.self)) << 32
          | UInt64(bytes.loadUnaligned(fromByteOffset: bytes.count - 4, as: UInt32.self)))
    } else if bytes.count > 0 {
      mix(UInt64(bytes[0]) << 16 | UInt64(bytes[bytes.count / 2]) << 8 | UInt64(bytes[bytes.count - 1]))
    }
    return hash
  }
}

/// Which fields of a connection have a place in its table of HPACK (RFC 7541, 2.3.2).
///
/// Those whose values stay the same from one request to the next: each other one, a request's identifier say, would push
/// them out, and make each search longer. Each name gets a place with its first value, to be written as a number later.
/// Confined to the event loop; bounds: one entry for each of the names that were sent first.
struct IndexedFields {
  private struct Latest {
    var hash: UInt64 = 0
    /// How often it was sent without another value between; once it is indexed it remains so for as long.
    var repeats: UInt32 = 0
    var isIndexed = false
  }

  private var latest: [Latest] = []

  private static let nameLimit = 256
  private static let repeatLimit = 2

  mutating func isIndexed(_ name: FieldName, _ hash: UInt64) -> Bool {
    guard name.number < IndexedFields.nameLimit, hash != 0 else { return false }
    while latest.count <= name.number { latest.append(Latest()) }
    return latest.withUnsafeMutableBufferPointer { latest in
      let isFirst = latest[name.number].hash == 0
      if latest[name.number].hash == hash {
        latest[name.number].repeats &+= 1
        if latest[name.number].repeats >= IndexedFields.repeatLimit { latest[name.number].isIndexed = true }
      } else {
        latest[name.number] = Latest(hash: hash, isIndexed: isFirst)
      }
      return latest[name.number].isIndexed
    }
  }
}

/// A field's name in one spelling: what HTTP/2 sends for it, and what is to be done with its values.
final class FieldName {
  enum Role {
    case ordinary
    /// Must not stand in a table that requests share (RFC 7541, 7.1.3).
    case secret
    /// Changes with every request.
    case changing
    case scheme
    case authority
    case host
    case cookie
    case te
    /// Speaks of its connection, which in HTTP/2 no field does (RFC 9113, 8.2.2).
    case connection
    /// Not ASCII: HTTP/2 has no such names (RFC 9113, 8.2.1).
    case unsendable
  }

  /// In lower case.
  let text: String
  let role: Role
  /// How many names there were before it.
  let number: Int
  let hash: UInt64
  private let spelling: [UInt8]

  init(_ spelling: UnsafeRawBufferPointer, hash: UInt64, number: Int) {
    self.spelling = Array(spelling)
    self.hash = hash
    self.number = number
    text = String(decoding: spelling.map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 }, as: UTF8.self)
    role = spelling.allSatisfy { $0 < 0x80 } ? FieldName.role(of: text) : .unsendable
  }

  func isSpelled(_ bytes: UnsafeRawBufferPointer) -> Bool {
    spelling.withUnsafeBytes { SentFields.isEqual($0, bytes) }
  }

  private static func role(of name: String) -> Role {
    switch name {
    case "authorization", "proxy-authorization": .secret
    case "content-length", "if-modified-since", "if-none-match", "range": .changing
    case ":scheme": .scheme
    case ":authority": .authority
    case "host": .host
    case "cookie": .cookie
    case "te": .te
    case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "http2-settings": .connection
    default: .ordinary
    }
  }
}
