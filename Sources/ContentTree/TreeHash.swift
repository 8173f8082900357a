// Hashes of values such that equal values have equal hashes: numbers by value, members in any order.
// In: a document. Out: one word a node, made in one pass. Owner: the comparison that asks. Not cryptographic: what
// hashes alike is still compared before it is believed.

enum TreeHash {
  static let prime: UInt64 = 0x9E37_79B1_85EB_CA87

  @inline(__always)
  static func mix(_ word: UInt64) -> UInt64 {
    var hash = (word ^ word >> 33) &* 0xFF51_AFD7_ED55_8CCD
    hash = (hash ^ hash >> 33) &* 0xC4CE_B9FE_1A85_EC53
    return hash ^ hash >> 33
  }

  static func bytes(_ text: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    var hash = seed &* prime ^ UInt64(text.count)
    var index = 0
    while index &+ 8 <= text.count {
      hash = mix(hash ^ UInt64(littleEndian: text.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
      index &+= 8
    }
    var tail: UInt64 = 0
    while index < text.count {
      tail = tail << 8 | UInt64(text[index])
      index &+= 1
    }
    return mix(hash ^ tail &* prime)
  }

  /// The hash of every node of a document, by index.
  ///
  /// Records stand in the order of the text, so going backwards meets every child before its parent.
  static func all(of document: JSONDocument) -> [UInt64] {
    let records = document.records
    var hashes = [UInt64](repeating: 0, count: records.count)
    for index in records.indices.reversed() {
      let node = JSONNode(index: index)
      switch records[index].kind {
      case .null, .false, .true: hashes[index] = mix(UInt64(records[index].kind.rawValue) &+ 1)
      case .integer, .real: hashes[index] = document.withText(of: node) { JSONNumber.hash($0) }
      case .string: hashes[index] = document.withText(of: node) { bytes($0, seed: 3) }
      case .array:
        var hash = mix(0xA1 &+ UInt64(records[index].extra) << 8)
        var child = index &+ 1
        let end = Int(records[index].next)
        while child < end {
          hash = mix(hash ^ hashes[child]) &+ prime
          child = Int(records[child].next)
        }
        hashes[index] = hash
      case .object:
        var sum = mix(0xB2 &+ UInt64(records[index].extra) << 8)
        var child = index &+ 1
        let end = Int(records[index].next)
        while child < end {
          sum = sum &+ mix(hashes[child] &* 3 ^ hashes[child &+ 1])
          child = Int(records[child &+ 1].next)
        }
        hashes[index] = sum
      }
    }
    return hashes
  }
}
