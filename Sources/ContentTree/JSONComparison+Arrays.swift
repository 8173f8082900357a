// Arrays: by index where lengths agree (or as one reordering), else by the longest common subsequence of equal elements.

extension JSONComparison {
  mutating func compareArrays(_ i: Int, _ j: Int) {
    let (n, m) = (Int(e.records[i].extra), Int(a.records[j].extra))
    if n == m { compareByIndex(i, j) } else { compareAligned(i, j) }
  }

  private mutating func compareByIndex(_ i: Int, _ j: Int) {
    var suspects: [(place: Int, x: Int, y: Int)] = []
    var (x, y) = (i &+ 1, j &+ 1)
    var place = 0
    let end = Int(e.records[i].next)
    while x < end {
      if mayDiffer(x, y) { suspects.append((place, x, y)) }
      x = Int(e.records[x].next)
      y = Int(a.records[y].next)
      place &+= 1
    }
    if suspects.count > 1, pairReordered(suspects, i, j) { return }
    for suspect in suspects { compareElement(suspect.place, suspect.x, suspect.y) }
  }

  /// Where the elements are the same in another order, says so and looks at each pair; else does nothing.
  private mutating func pairReordered(_ suspects: [(place: Int, x: Int, y: Int)], _ i: Int, _ j: Int) -> Bool {
    let (eHashes, aHashes) = treeHashes()
    // Same values in the same places are no reordering; they were suspects because their spelling differs.
    let moved = suspects.filter { eHashes[$0.x] != aHashes[$0.y] }
    guard moved.count > 1 else { return false }
    let xs = moved.sorted { (eHashes[$0.x], $0.place) < (eHashes[$1.x], $1.place) }
    let ys = moved.sorted { (aHashes[$0.y], $0.place) < (aHashes[$1.y], $1.place) }
    for (p, q) in zip(xs, ys) where eHashes[p.x] != aHashes[q.y] { return false }
    emit(.elementOrder, i, j)
    for (p, q) in zip(xs, ys) { compareElement(p.place, p.x, q.y) }
    for suspect in suspects where eHashes[suspect.x] == aHashes[suspect.y] {
      compareElement(suspect.place, suspect.x, suspect.y)
    }
    return true
  }

  private func elements(_ side: JSONSide, of array: Int) -> [Int] {
    var elements: [Int] = []
    elements.reserveCapacity(Int(side.records[array].extra))
    var index = array &+ 1
    let end = Int(side.records[array].next)
    while index < end {
      elements.append(index)
      index = Int(side.records[index].next)
    }
    return elements
  }

  private mutating func compareAligned(_ i: Int, _ j: Int) {
    let (xs, ys) = (elements(e, of: i), elements(a, of: j))
    let (eHashes, aHashes) = treeHashes()
    var start = 0
    while start < xs.count, start < ys.count, eHashes[xs[start]] == aHashes[ys[start]] {
      compareElement(start, xs[start], ys[start])
      start += 1
    }
    var (xEnd, yEnd) = (xs.count, ys.count)
    while xEnd > start, yEnd > start, eHashes[xs[xEnd - 1]] == aHashes[ys[yEnd - 1]] {
      xEnd -= 1
      yEnd -= 1
    }
    let (rows, columns) = (xEnd - start, yEnd - start)
    if rows * columns > options.alignmentLimit {
      // Too large for the table: what both have goes by index, and the length stands for the rest.
      for place in start..<min(xs.count, ys.count) { compareElement(place, xs[place], ys[place]) }
      emit(.length, i, j)
      return
    }
    var (x, y) = (start, start)
    for anchor in commonSubsequence(xs[start..<xEnd].map { eHashes[$0] }, ys[start..<yEnd].map { aHashes[$0] }) {
      compareRun(xs, x..<start + anchor.x, ys, y..<start + anchor.y)
      (x, y) = (start + anchor.x, start + anchor.y)
      compareElement(x, xs[x], ys[y])
      x += 1
      y += 1
    }
    compareRun(xs, x..<xEnd, ys, y..<yEnd)
    for offset in 0..<xs.count - xEnd { compareElement(xEnd + offset, xs[xEnd + offset], ys[yEnd + offset]) }
  }

  /// What stands between two pairs of equal elements: pairs in order, then what is left of the longer side.
  private mutating func compareRun(_ xs: [Int], _ xRange: Range<Int>, _ ys: [Int], _ yRange: Range<Int>) {
    let paired = min(xRange.count, yRange.count)
    for offset in 0..<paired {
      let place = xRange.lowerBound + offset
      compareElement(place, xs[place], ys[yRange.lowerBound + offset])
    }
    for place in xRange.dropFirst(paired) { emit(.removed, at: .element(place), xs[place], nil) }
    for place in yRange.dropFirst(paired) { emit(.added, at: .element(place), nil, ys[place]) }
  }
}

/// A longest common subsequence, as pairs of rising indices. Time and memory: the product of the counts, 2 bytes a cell;
/// the smaller count must be under 65,536.
private func commonSubsequence(_ xs: [UInt64], _ ys: [UInt64]) -> [(x: Int, y: Int)] {
  guard !xs.isEmpty, !ys.isEmpty else { return [] }
  let width = ys.count + 1
  var lengths = [UInt16](repeating: 0, count: (xs.count + 1) * width)
  for x in xs.indices.reversed() {
    for y in ys.indices.reversed() {
      lengths[x * width + y] =
        xs[x] == ys[y]
        ? lengths[(x + 1) * width + y + 1] + 1
        : max(lengths[(x + 1) * width + y], lengths[x * width + y + 1])
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
