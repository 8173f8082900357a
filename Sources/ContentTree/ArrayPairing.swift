// The elements of two arrays to pairs. In: their nodes and hashes. Out: for each element its partner. Owner: JSONComparison.
// Bounds: linear, and n log n of sorting, except for cells taken from a budget that the whole comparison shares.

struct ArrayPairing {
  let e: JSONSide
  let a: JSONSide
  let xs: [Int]
  let ys: [Int]
  let eHashes: [UInt64]
  let aHashes: [UInt64]
  /// Cells that one table may have.
  let alignmentLimit: Int
  /// Cells left to all tables of the comparison.
  var budget: Int

  /// Nothing belongs to it.
  static let alone = -1
  /// Stands for itself in the other array's set, or in a length: no difference of its own.
  static let silent = -2
  /// Of each x its y, ``alone`` or ``silent``.
  var partners: [Int]
  /// Of each y its x, ``alone`` or ``silent``.
  var states: [Int]
  /// Partners do not all stand in the same order.
  private(set) var isReordered = false
  /// There was no budget to find partners; some were taken in order.
  private(set) var isApproximate = false
  /// Elements without partners were not looked at one by one.
  private(set) var hasUnpairedLength = false

  /// Anchors stand in for a longest common subsequence.
  private var lacksTable = false

  init(
    e: JSONSide, a: JSONSide, xs: [Int], ys: [Int], eHashes: [UInt64], aHashes: [UInt64], alignmentLimit: Int,
    budget: Int
  ) {
    (self.e, self.a, self.xs, self.ys, self.eHashes, self.aHashes) = (e, a, xs, ys, eHashes, aHashes)
    (self.alignmentLimit, self.budget) = (alignmentLimit, budget)
    partners = Array(repeating: Self.alone, count: xs.count)
    states = Array(repeating: Self.alone, count: ys.count)
  }

  mutating func pair(_ order: JSONArrayRule.Order?) {
    var start = 0
    while start < xs.count, start < ys.count, eHashes[xs[start]] == aHashes[ys[start]] {
      join(start, start)
      start += 1
    }
    var (xEnd, yEnd) = (xs.count, ys.count)
    while xEnd > start, yEnd > start, eHashes[xs[xEnd - 1]] == aHashes[ys[yEnd - 1]] {
      xEnd -= 1
      yEnd -= 1
      join(xEnd, yEnd)
    }
    let (rows, columns) = (start..<xEnd, start..<yEnd)
    switch order {
    case .key(let name): pairByKey(.init(name: name), rows, columns)
    case .set, .multiset:
      pairByHash(rows, columns)
      if order == .set { silenceRepetitions() }
      assign(rows, columns, least: 0)
    case .list: pairInOrder(rows, columns)
    case nil:
      if let key = inferredKey(rows, columns) { pairByKey(key, rows, columns) } else { pairInOrder(rows, columns) }
    }
    findReordering()
  }

  mutating func join(_ x: Int, _ y: Int) {
    partners[x] = y
    states[y] = x
  }

  /// Whether a table of this size may be made; takes it out of the budget.
  private mutating func allows(_ rows: Int, _ columns: Int) -> Bool {
    let (cells, overflow) = rows.multipliedReportingOverflow(by: columns)
    guard !overflow, cells <= min(alignmentLimit, budget) else { return false }
    budget -= cells
    return true
  }

  private mutating func findReordering() {
    var latest = -1
    for partner in partners where partner >= 0 {
      if partner < latest {
        isReordered = true
        return
      }
      latest = partner
    }
  }

  // MARK: Sets

  /// Equal elements, the first with the first.
  mutating func pairByHash(_ rows: Range<Int>, _ columns: Range<Int>) {
    var places: [UInt64: [Int]] = [:]
    for y in columns.reversed() where states[y] == Self.alone { places[aHashes[ys[y]], default: []].append(y) }
    if places.isEmpty { return }
    for x in rows where partners[x] == Self.alone {
      if let y = places[eHashes[xs[x]]]?.popLast() { join(x, y) }
    }
  }

  private mutating func silenceRepetitions() {
    let expected = Set(xs.map { eHashes[$0] })
    let actual = Set(ys.map { aHashes[$0] })
    for x in xs.indices where partners[x] == Self.alone && actual.contains(eHashes[xs[x]]) { partners[x] = Self.silent }
    for y in ys.indices where states[y] == Self.alone && expected.contains(aHashes[ys[y]]) { states[y] = Self.silent }
  }

  /// Elements without partners, the most alike first, whatever their places; at least as alike as `least`.
  mutating func assign(_ rows: Range<Int>, _ columns: Range<Int>, least: Double) {
    let left = rows.filter { partners[$0] == Self.alone }
    let right = columns.filter { states[$0] == Self.alone }
    if left.isEmpty || right.isEmpty { return }
    guard allows(left.count, right.count) else {
      isApproximate = true
      return
    }
    let (p, q) = (left.map { Likeness(e, xs[$0], eHashes) }, right.map { Likeness(a, ys[$0], aHashes) })
    var cells: [(likeness: Double, x: Int, y: Int)] = []
    for x in p.indices {
      for y in q.indices {
        let likeness = p[x].likeness(to: q[y])
        if likeness > 0, likeness >= least { cells.append((likeness, x, y)) }
      }
    }
    cells.sort { ($1.likeness, abs($0.x - $0.y), $0.x) < ($0.likeness, abs($1.x - $1.y), $1.x) }
    for cell in cells where partners[left[cell.x]] == Self.alone && states[right[cell.y]] == Self.alone {
      join(left[cell.x], right[cell.y])
    }
  }

  // MARK: Lists

  private mutating func pairInOrder(_ rows: Range<Int>, _ columns: Range<Int>) {
    if rows.isEmpty || columns.isEmpty { return }
    let anchors: [(x: Int, y: Int)]
    let (p, q) = (rows.map { eHashes[xs[$0]] }, columns.map { aHashes[ys[$0]] })
    if allows(rows.count, columns.count) {
      anchors = commonSubsequence(p, q)
    } else {
      anchors = risingAnchors(p, q)
      lacksTable = true
    }
    for anchor in anchors { join(rows.lowerBound + anchor.x, columns.lowerBound + anchor.y) }
    // Equal elements that are left have moved.
    pairByHash(rows, columns)
    var (x, y) = (rows.lowerBound, columns.lowerBound)
    for anchor in anchors {
      pairBetween(x..<rows.lowerBound + anchor.x, y..<columns.lowerBound + anchor.y)
      (x, y) = (rows.lowerBound + anchor.x + 1, columns.lowerBound + anchor.y + 1)
    }
    pairBetween(x..<rows.upperBound, y..<columns.upperBound)
    // In arrays of one length nothing was added or removed as long as it can be another element that changed.
    assign(rows, columns, least: xs.count == ys.count ? 0 : 0.5)
  }

  /// What stands between two pairs of equal elements: as many on both sides in order, else by likeness in order.
  private mutating func pairBetween(_ rows: Range<Int>, _ columns: Range<Int>) {
    let left = rows.filter { partners[$0] == Self.alone }
    let right = columns.filter { states[$0] == Self.alone }
    if left.isEmpty || right.isEmpty { return }
    if lacksTable { isApproximate = true }
    guard left.count != right.count else {
      for (x, y) in zip(left, right) { join(x, y) }
      return
    }
    guard allows(left.count, right.count) else {
      // The length stands for what has no partner.
      for (x, y) in zip(left, right) { join(x, y) }
      for x in left.dropFirst(right.count) { partners[x] = Self.silent }
      for y in right.dropFirst(left.count) { states[y] = Self.silent }
      (isApproximate, hasUnpairedLength) = (true, true)
      return
    }
    let (p, q) = (left.map { Likeness(e, xs[$0], eHashes) }, right.map { Likeness(a, ys[$0], aHashes) })
    for pair in bestAlignment(p, q) { join(left[pair.x], right[pair.y]) }
  }
}
