// Numbers by hashes: what is found by octets is hashed once, looked up in a flat table and compared by whoever keeps it.
// In: hashes and numbers. Out: numbers. Owner: the table of features, the catalog of endpoints, the analysis of a run.
// Bounds: twice as many places as entries, at most four times; two words a place.

struct HashIndex: Sendable {
  private struct Place: Sendable {
    var hash: UInt64
    /// Below 0 where the place is free.
    var number: Int
  }

  private var places: [Place]
  private(set) var count = 0

  /// - Parameter capacity: so many go in before it grows.
  init(capacity: Int = 4) {
    var size = 8
    while size < capacity * 2 { size *= 2 }
    places = Array(repeating: Place(hash: 0, number: -1), count: size)
  }

  /// The number under this hash that is the one wanted; nil where there is none.
  @inline(__always)
  func number(of hash: UInt64, where isWanted: (Int) -> Bool = { _ in true }) -> Int? {
    places.withUnsafeBufferPointer { places in
      let mask = places.count &- 1
      var index = Int(truncatingIfNeeded: hash) & mask
      // Half of the places are free, so that each search ends.
      while places[index].number >= 0 {
        if places[index].hash == hash, isWanted(places[index].number) { return places[index].number }
        index = (index &+ 1) & mask
      }
      return nil
    }
  }

  /// - Parameter number: 0 or more.
  mutating func add(_ hash: UInt64, _ number: Int) {
    count += 1
    if count * 2 > places.count { grow() }
    put(Place(hash: hash, number: number))
  }

  private mutating func grow() {
    let old = places
    places = Array(repeating: Place(hash: 0, number: -1), count: old.count * 2)
    for place in old where place.number >= 0 { put(place) }
  }

  private mutating func put(_ place: Place) {
    let mask = places.count &- 1
    var index = Int(truncatingIfNeeded: place.hash) & mask
    while places[index].number >= 0 { index = (index &+ 1) & mask }
    places[index] = place
  }
}

/// A hash of octets that is mixed well; equal octets with one seed have one hash.
@inline(__always)
func octetHash(_ octets: UnsafeBufferPointer<UInt8>, seed: UInt64 = 0, foldsCase: Bool = false) -> UInt64 {
  let bytes = UnsafeRawBufferPointer(octets)
  var hash = seed &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: bytes.count)
  var offset = 0
  while offset &+ 8 <= bytes.count {
    let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    hash = mixed(hash, foldsCase ? lowercased(word) : word)
    offset &+= 8
  }
  let left = bytes.count &- offset
  if left > 0 {
    // Some octets come twice rather than one by one: the count stands for which.
    let rest: UInt64
    if bytes.count >= 8 {
      rest = bytes.loadUnaligned(fromByteOffset: bytes.count &- 8, as: UInt64.self)
    } else if left >= 4 {
      rest =
        UInt64(bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)) &<< 32
        | UInt64(bytes.loadUnaligned(fromByteOffset: left &- 4, as: UInt32.self))
    } else {
      rest = UInt64(bytes[0]) &<< 16 | UInt64(bytes[left &>> 1]) &<< 8 | UInt64(bytes[left &- 1])
    }
    hash = mixed(hash, foldsCase ? lowercased(rest) : rest)
  }
  return SplitMix64.mixed(hash)
}

@inline(__always)
private func mixed(_ hash: UInt64, _ word: UInt64) -> UInt64 {
  let product = (hash ^ word).multipliedFullWidth(by: 0x9FB2_1C65_1E98_DF25)
  return product.high ^ product.low
}

/// Eight octets with ASCII's capitals made small.
@inline(__always)
private func lowercased(_ word: UInt64) -> UInt64 {
  let low = word & 0x7f7f_7f7f_7f7f_7f7f
  let fromA = low &+ 0x3f3f_3f3f_3f3f_3f3f
  let beyondZ = low &+ 0x2525_2525_2525_2525
  let capitals = ~word & 0x8080_8080_8080_8080 & (fromA ^ beyondZ)
  return word | capitals &>> 2
}
