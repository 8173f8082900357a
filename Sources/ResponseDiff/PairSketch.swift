// Which pairs show a difference, in bounded memory, so that places that differ together can be told.
// In: pairs' numbers. Out: how alike two sets are. Owner: PlaceTable. Bounds: 64 words a set.
//
// A. Broder's bottom-k sketch: of hashed members the k least are kept; among the k least of a union, the share that is in
// both estimates the Jaccard index of the sets. Sets of up to k members are compared exactly.

struct PairSketch {
  private static let size = 64
  /// Rising.
  private var least: [UInt64] = []

  mutating func insert(_ number: UInt64) {
    let hash = SplitMix64.mixed(number)
    if least.count == Self.size, hash >= least[Self.size - 1] { return }
    let place = least.firstIndex { $0 >= hash } ?? least.count
    if place < least.count, least[place] == hash { return }
    least.insert(hash, at: place)
    if least.count > Self.size { least.removeLast() }
  }

  /// 0 for sets without a common member, 1 for equal ones.
  func likeness(to other: PairSketch) -> Double {
    var (i, j, union, common) = (0, 0, 0, 0)
    while union < Self.size, i < least.count || j < other.least.count {
      let a = i < least.count ? least[i] : .max
      let b = j < other.least.count ? other.least[j] : .max
      if a == b { common += 1 }
      if a <= b { i += 1 }
      if b <= a { j += 1 }
      union += 1
    }
    return union == 0 ? 0 : Double(common) / Double(union)
  }
}
