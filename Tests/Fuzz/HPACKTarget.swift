// Header blocks through a decoder that saw all of them, one that joined later, and one that was given a table.
//
// Input: options, then operations: a block, acknowledged SETTINGS, a join, a gap.

import HTTP2Decoding
import HTTPModel

enum HPACKTarget: FuzzTarget {
  static let name = "hpack"

  static func run(_ input: [UInt8]) throws(Violation) {
    var reader = InputReader(input)
    var limits = HPACKLimits()
    let options = reader.byte()
    if options & 1 != 0 { limits.maxTableBytes = 200 }
    if options & 2 != 0 { (limits.maxHeaderListBytes, limits.maxFields) = (300, 5) }
    var peers = HPACKPeers(limits: limits)
    while !reader.isAtEnd {
      let operation = reader.byte()
      switch operation & 7 {
      case 4: peers.acknowledge(UInt32(reader.word()))
      case 5: peers.join()
      case 6: peers.lose()
      case 7: try peers.decode(reader.bytes(Int(reader.word())))
      default: try peers.decode(reader.bytes(Int(reader.byte())))
      }
    }
  }

  /// Requests of RFC 7541, C.4, and what changes tables.
  static var seeds: [[UInt8]] {
    let first: [UInt8] = [
      0x82, 0x86, 0x84, 0x41, 0x8c, 0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff,
    ]
    let second: [UInt8] = [0x82, 0x86, 0x84, 0xbe, 0x58, 0x86, 0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf]
    let third: [UInt8] = [
      0x82, 0x87, 0x85, 0xbf, 0x40, 0x88, 0x25, 0xa8, 0x49, 0xe9, 0x5b, 0xa9, 0x7d, 0x7f, 0x89, 0x25, 0xa8, 0x49, 0xe9,
      0x5b, 0xb8, 0xe8, 0xb4, 0xbf,
    ]
    let secret: [UInt8] = [0x10, 1, 0x61, 1, 0x62, 0x7e, 1, 0x63, 0xbe, 0x0f, 0x2f, 0]
    func block(_ bytes: [UInt8]) -> [UInt8] { [0, UInt8(bytes.count)] + bytes }
    let story = block(first) + block(second)
    return [
      [0] + story + block(third), [0] + story + [5] + block(third) + block(secret) + block([0xc0]),
      [1] + story + block(third) + [6] + block(secret), [2] + story + [5] + block(third),
      [0] + story + [5, 4, 90, 0] + block([0x3f, 0x3b] + third) + [6, 4, 0, 32] + block([0x3f, 0xe1, 0x1f] + secret),
      [0, 7, 4, 0, 0x3f, 0xff, 0xff, 0x7f] + block([0x40, 0x81, 0xff, 0]),
    ]
  }
}

/// What one decoder knows for certain, the others may not know, but must not tell otherwise.
private struct HPACKPeers {
  private var first: HPACKDecoder
  /// The first has seen an error: what is true is not known any more.
  private var isLost = false
  private var others: [HPACKDecoder] = []
  private var list = HPACKFieldList()
  private let limits: HPACKLimits

  init(limits: HPACKLimits) {
    self.limits = limits
    // The one that tells the truth forgets nothing.
    var all = limits
    all.maxTableBytes = 1 << 16
    first = HPACKDecoder(limits: all)
  }

  mutating func acknowledge(_ size: UInt32) {
    first.acknowledge(maximumTableSize: size)
    for index in others.indices { others[index].acknowledge(maximumTableSize: size) }
  }

  mutating func join() {
    let joined = HPACKDecoder(limits: limits, joinedMidstream: true)
    var assuming = joined
    assuming.assume(first.table)
    others = [joined, assuming]
  }

  mutating func lose() {
    for index in others.indices { others[index].loseTable() }
  }

  mutating func decode(_ block: [UInt8]) throws(Violation) {
    let (truth, outcome) = try Self.decode(block, with: &first, into: &list)
    isLost = isLost || outcome.isError
    for index in others.indices {
      let (fields, other) = try Self.decode(block, with: &others[index], into: &list)
      if isLost { continue }
      try require(other.isComplete, "not complete where another is")
      // What a table cannot hold is an error, but nobody knows of one larger than the limit.
      try require(!other.isError || limits.maxTableBytes < 1 << 16, "an error where another has none")
      try require(fields.count == truth.count, "\(fields.count) fields instead of \(truth.count)")
      for (field, sent) in zip(fields, truth) {
        try require(field.name == nil || field.name == sent.name, "another name")
        try require(field.value == nil || field.value == sent.value, "another value")
      }
    }
  }

  private typealias Field = (name: ArraySlice<UInt8>?, value: ArraySlice<UInt8>?)

  private static func decode(
    _ block: [UInt8], with decoder: inout HPACKDecoder, into list: inout HPACKFieldList
  ) throws(Violation) -> ([Field], HPACKDecoder.Outcome) {
    list.removeAll()
    let outcome = block.withUnsafeBytes { decoder.decode($0, into: &list) }
    let limits = decoder.limits
    try require(outcome.isComplete || outcome.isError, "not complete without an error")
    try require(list.count == list.marks.count && list.count <= limits.maxFields, "\(list.count) fields")
    try require(list.byteCount + 32 * list.count <= limits.maxHeaderListBytes, "\(list.byteCount) bytes of fields")
    try require(decoder.table.size <= limits.maxTableBytes, "a table of \(decoder.table.size)")
    var end: UInt32 = 0
    for range in list.ranges {
      try require(
        range.nameStart == end && range.nameEnd >= end && range.valueStart == range.nameEnd
          && range.valueEnd >= range.valueStart, "a field at \(range)")
      end = range.valueEnd
    }
    try require(Int(end) == list.byteCount, "\(list.byteCount) bytes, used to \(end)")
    for ordinal in 0..<decoder.table.count { _ = decoder.table.entry(at: ordinal) }
    let fields: [Field] = list.ranges.indices.map { index in
      let marks = list.marks[index]
      return (
        marks.contains(.nameUnresolved) ? nil : list.name(at: index),
        marks.contains(.valueUnresolved) ? nil : list.value(at: index)
      )
    }
    return (fields, outcome)
  }
}
