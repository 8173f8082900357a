// Purpose: what a decoded field list says as a message, and which rules it breaks (RFC 9113, 8.2 and 8.3).
// Input -> output: HPACKFieldList -> where pseudo-header fields stand, what framing needs, anomalies. Nothing is copied.

import HTTPModel

struct FieldScan {
  var method: Range<UInt32>?
  var scheme: Range<UInt32>?
  var authority: Range<UInt32>?
  var path: Range<UInt32>?
  var `protocol`: Range<UInt32>?
  var status: UInt16?
  var hasStatus = false
  /// Fields before this one are pseudo-header fields, or were never seen and stand before one.
  var firstRegular = 0
  /// Pseudo-header fields stand behind regular ones.
  var isMixed = false
  var contentLength: UInt64?
  var anomalies = AnomalySet()

  var hasRequestFields: Bool {
    method != nil || scheme != nil || authority != nil || path != nil || `protocol` != nil
  }

  init(_ fields: borrowing HPACKFieldList) {
    let count = fields.ranges.count
    let hasMarks = !fields.unionOfMarks.isEmpty
    var regularSeen = false
    fields.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
      let ranges = fields.ranges.span
      for index in 0..<count {
        let range = ranges[unchecked: index]
        if hasMarks, fields.marks[index].contains(.nameUnresolved) { continue }
        let name = base + Int(range.nameStart)
        let nameCount = Int(range.nameEnd &- range.nameStart)
        if nameCount > 0, name[0] == 0x3a {
          if regularSeen {
            isMixed = true
            anomalies.insert(.h2PseudoFieldMisplaced)
          } else {
            firstRegular = index + 1
          }
          let isKnown = !hasMarks || !fields.marks[index].contains(.valueUnresolved)
          note(name, nameCount, range, isKnown ? base : nil)
          continue
        }
        regularSeen = true
        checkName(name, nameCount, room: bytes.count &- Int(range.nameStart))
        let value = base + Int(range.valueStart)
        regular(name, nameCount, value, Int(range.valueEnd &- range.valueStart))
      }
      if containsControl(base, bytes.count) { checkValues(base, fields.ranges) }
    }
  }

  /// - Parameter base: nil where the value is not known.
  private mutating func note(
    _ name: UnsafePointer<UInt8>, _ count: Int, _ range: FieldRange, _ base: UnsafePointer<UInt8>?
  ) {
    let value = range.valueStart..<range.valueEnd
    switch count {
    case 5 where equals(name, ":path"): Self.set(&path, value, &anomalies)
    case 7 where equals(name, ":method"): Self.set(&method, value, &anomalies)
    case 7 where equals(name, ":scheme"): Self.set(&scheme, value, &anomalies)
    case 7 where equals(name, ":status"):
      if hasStatus { anomalies.insert(.h2PseudoFieldRepeated) }
      hasStatus = true
      guard let base else { return }
      let digits = UnsafeBufferPointer(start: base + Int(value.lowerBound), count: value.count)
      guard digits.count == 3, digits.allSatisfy({ $0 &- 0x30 < 10 }) else {
        anomalies.insert(.h2PseudoFieldInvalid)
        return
      }
      if status == nil { status = digits.reduce(UInt16(0)) { $0 &* 10 &+ UInt16($1 &- 0x30) } }
    case 9 where equals(name, ":protocol"): Self.set(&`protocol`, value, &anomalies)
    case 10 where equals(name, ":authority"): Self.set(&authority, value, &anomalies)
    default: anomalies.insert(.h2PseudoFieldInvalid)
    }
  }

  /// The first one counts.
  @inline(__always)
  private static func set(
    _ part: inout Range<UInt32>?, _ value: Range<UInt32>, _ anomalies: inout AnomalySet
  ) {
    if part == nil { part = value } else { anomalies.insert(.h2PseudoFieldRepeated) }
  }

  /// RFC 9113, 8.2.1.
  /// - Parameter room: bytes that can be read from `name` on.
  @inline(__always)
  private mutating func checkName(_ name: UnsafePointer<UInt8>, _ count: Int, room: Int) {
    var faults: UInt64 = count == 0 ? 1 : 0
    var index = 0
    while index < count {
      guard index &+ 8 <= room else { break }
      var word = UnsafeRawPointer(name).loadUnaligned(fromByteOffset: index, as: UInt64.self)
      if count &- index < 8 {
        // What is not of the name becomes "a".
        let mask = ~UInt64(0) << UInt64(truncatingIfNeeded: (count &- index) &* 8)
        word = word & ~mask | 0x6161_6161_6161_6161 & mask
      }
      faults |= Self.faults(word.littleEndian)
      index &+= 8
    }
    while index < count {
      let byte = name[index]
      if byte &- 0x21 > 0x5d || byte &- 0x41 < 26 || byte == 0x3a { faults = 1 }
      index &+= 1
    }
    if faults != 0 { anomalies.insert(.h2FieldNameInvalid) }
  }

  /// Not 0 where one of eight bytes is a control, SP, a capital, a colon, DEL or beyond ASCII.
  @inline(__always)
  private static func faults(_ word: UInt64) -> UInt64 {
    let high: UInt64 = 0x8080_8080_8080_8080
    let low = word & ~high
    // No sum carries into the next byte.
    let controls = ~(low &+ each(0x80 - 0x21))
    let capitals = (low &+ each(0x80 - 0x41)) & ~(low &+ each(0x80 - 0x5b))
    let colons = ~((low ^ each(0x3a)) &+ each(0x7f))
    let deletes = low &+ 0x0101_0101_0101_0101
    return (word | controls | capitals | colons | deletes) & high
  }

  @inline(__always)
  private static func each(_ byte: UInt64) -> UInt64 { byte &* 0x0101_0101_0101_0101 }

  /// Fields that framing depends on, or that HTTP/2 forbids (8.2.2).
  @inline(__always)
  private mutating func regular(
    _ name: UnsafePointer<UInt8>, _ count: Int, _ value: UnsafePointer<UInt8>, _ valueCount: Int
  ) {
    if valueCount > 0, isBlank(value[0]) || isBlank(value[valueCount - 1]) { anomalies.insert(.h2FieldValueInvalid) }
    switch count {
    case 2 where equals(name, "te"):
      if valueCount != 8 || !equals(value, "trailers") { anomalies.insert(.h2ConnectionSpecificField) }
    case 7 where equals(name, "upgrade"), 10 where equals(name, "connection") || equals(name, "keep-alive"),
      16 where equals(name, "proxy-connection"), 17 where equals(name, "transfer-encoding"):
      anomalies.insert(.h2ConnectionSpecificField)
    case 14 where equals(name, "content-length"):
      guard let length = decimal(value, valueCount) else {
        anomalies.insert(.h2FieldValueInvalid)
        return
      }
      if contentLength ?? length != length { anomalies.insert(.h2ContentLengthMismatch) }
      contentLength = length
    default: break
    }
  }

  private mutating func checkValues(_ base: UnsafePointer<UInt8>, _ ranges: [FieldRange]) {
    for range in ranges {
      for index in Int(range.valueStart)..<Int(range.valueEnd) {
        if base[index] == 0 || base[index] == 0x0a || base[index] == 0x0d { anomalies.insert(.h2FieldValueInvalid) }
      }
    }
  }
}

@inline(__always)
private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

/// The bytes at `bytes` are as many as `text` has.
@inline(__always)
private func equals(_ bytes: UnsafePointer<UInt8>, _ text: StaticString) -> Bool {
  let wanted = text.utf8Start
  for index in 0..<text.utf8CodeUnitCount where bytes[index] != wanted[index] { return false }
  return true
}

private func decimal(_ digits: UnsafePointer<UInt8>, _ count: Int) -> UInt64? {
  guard (1...19).contains(count) else { return nil }
  var value: UInt64 = 0
  for index in 0..<count {
    let digit = digits[index] &- 0x30
    guard digit < 10 else { return nil }
    value = value &* 10 &+ UInt64(digit)
  }
  return value
}

/// Whether one of the bytes is below SP.
@inline(__always)
private func containsControl(_ base: UnsafePointer<UInt8>, _ count: Int) -> Bool {
  let raw = UnsafeRawPointer(base)
  let spaces: UInt64 = 0x2020_2020_2020_2020
  var found: UInt64 = 0
  var index = 0
  while index &+ 8 <= count {
    let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
    found |= (word &- spaces) & ~word
    index &+= 8
  }
  var isControl = found & 0x8080_8080_8080_8080 != 0
  while index < count {
    isControl = isControl || base[index] < 0x20
    index &+= 1
  }
  return isControl
}
