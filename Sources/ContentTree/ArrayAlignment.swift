// Alignments of two sequences: the longest common subsequence of hashes, a cheap stand-in for it, and the alignment of
// elements that are alike. In: hashes or likenesses. Out: pairs of rising indices. Owner: ArrayPairing, which bounds sizes.

/// What of an element is held against others: its kind and the hashes of its first members.
struct Likeness {
  private let kind: JSONKind
  /// Sorted.
  private var names: [UInt64] = []
  private var values: [UInt64] = []
  private static let limit = 32

  init(_ side: JSONSide, _ index: Int, _ hashes: [UInt64]) {
    let record = side.records[index]
    kind = record.kind == .real ? .integer : record.kind == .true ? .false : record.kind
    guard kind == .object || kind == .array else { return }
    var child = index &+ 1
    let end = Int(record.next)
    while child < end, values.count < Self.limit {
      if kind == .object {
        names.append(hashes[child])
        values.append(hashes[child] &* 3 ^ hashes[child &+ 1])
        child = Int(side.records[child &+ 1].next)
      } else {
        values.append(hashes[child])
        child = Int(side.records[child].next)
      }
    }
    names.sort()
    values.sort()
  }

  /// 0 for another kind, 1 for what is the same as far as it was looked at.
  func likeness(to other: Likeness) -> Double {
    guard kind == other.kind else { return 0 }
    switch kind {
    case .object: return 0.05 + 0.3 * share(names, other.names) + 0.65 * share(values, other.values)
    case .array: return 0.3 + 0.7 * share(values, other.values)
    default: return 0.25
    }
  }

  /// Twice what is common, of all.
  private func share(_ a: [UInt64], _ b: [UInt64]) -> Double {
    if a.isEmpty && b.isEmpty { return 1 }
    var (i, j, common) = (0, 0, 0)
    while i < a.count, j < b.count {
      if a[i] == b[j] {
        common &+= 1
        i &+= 1
        j &+= 1
      } else if a[i] < b[j] {
        i &+= 1
      } else {
        j &+= 1
      }
    }
    return Double(2 * common) / Double(a.count + b.count)
  }
}

/// A longest common subsequence, as pairs of rising indices. Time and memory: the product of the counts, 4 bytes a cell.
func commonSubsequence(_ xs: [UInt64], _ ys: [UInt64]) -> [(x: Int, y: Int)] {
  guard !xs.isEmpty, !ys.isEmpty else { return [] }
  let width = ys.count + 1
  var lengths = [UInt32](repeating: 0, count: (xs.count + 1) * width)
  lengths.withUnsafeMutableBufferPointer { lengths in
    for x in xs.indices.reversed() {
      for y in ys.indices.reversed() {
        lengths[x * width + y] =
          xs[x] == ys[y]
          ? lengths[(x + 1) * width + y + 1] + 1
          : max(lengths[(x + 1) * width + y], lengths[x * width + y + 1])
      }
    }
  }
  var pairs: [(x: Int, y: Int)] = []
  var (x, y) = (0, 0)
  while x < xs.count, y < ys.count {
    if xs[x] == ys[y] {
      pairs.append((x, y))
      x += 1
      y += 1
    } else if lengths[(x + 1) * width + y] >= lengths[x * width + y + 1] {
      x += 1
    } else {
      y += 1
    }
  }
  return pairs
}

/// Elements that each side has once, as many as rise together: n log n (the anchors of a patience diff).
func risingAnchors(_ xs: [UInt64], _ ys: [UInt64]) -> [(x: Int, y: Int)] {
  /// The place of what occurs once; -1 of what occurs again.
  func singles(_ hashes: [UInt64]) -> [UInt64: Int] {
    var places: [UInt64: Int] = [:]
    places.reserveCapacity(hashes.count)
    for (index, hash) in hashes.enumerated() {
      if places.updateValue(index, forKey: hash) != nil { places[hash] = -1 }
    }
    return places
  }
  let (left, right) = (singles(xs), singles(ys))
  var candidates: [(x: Int, y: Int)] = []
  for (x, hash) in xs.enumerated() where left[hash] == x {
    if let y = right[hash], y >= 0 { candidates.append((x, y)) }
  }
  // The longest rising run of y: of each length the least last y, and what came before each candidate.
  var tails: [Int] = []
  var before = [Int](repeating: -1, count: candidates.count)
  for (number, candidate) in candidates.enumerated() {
    var (low, high) = (0, tails.count)
    while low < high {
      let middle = (low + high) / 2
      if candidates[tails[middle]].y < candidate.y { low = middle + 1 } else { high = middle }
    }
    before[number] = low > 0 ? tails[low - 1] : -1
    if low == tails.count { tails.append(number) } else { tails[low] = number }
  }
  var run: [(x: Int, y: Int)] = []
  var number = tails.last ?? -1
  while number >= 0 {
    run.append(candidates[number])
    number = before[number]
  }
  return run.reversed()
}

/// The alignment, in order, whose pairs are the most alike together; all of the shorter side that can find a partner does.
func bestAlignment(_ xs: [Likeness], _ ys: [Likeness]) -> [(x: Int, y: Int)] {
  let width = ys.count + 1
  var sums = [Double](repeating: 0, count: (xs.count + 1) * width)
  var cells = [Double](repeating: 0, count: xs.count * ys.count)
  for x in xs.indices.reversed() {
    for y in ys.indices.reversed() {
      let likeness = xs[x].likeness(to: ys[y])
      cells[x * ys.count + y] = likeness
      let paired = likeness > 0 ? sums[(x + 1) * width + y + 1] + likeness : 0
      sums[x * width + y] = max(paired, sums[(x + 1) * width + y], sums[x * width + y + 1])
    }
  }
  var pairs: [(x: Int, y: Int)] = []
  var (x, y) = (0, 0)
  while x < xs.count, y < ys.count {
    let likeness = cells[x * ys.count + y]
    let best = sums[x * width + y]
    if likeness > 0, sums[(x + 1) * width + y + 1] + likeness >= best {
      pairs.append((x, y))
      x += 1
      y += 1
    } else if sums[(x + 1) * width + y] >= best {
      x += 1
    } else {
      y += 1
    }
  }
  return pairs
}
