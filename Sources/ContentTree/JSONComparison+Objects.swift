// Objects: members are paired by name, whatever their order.

extension JSONComparison {
  mutating func compareObjects(_ i: Int, _ j: Int) {
    var x = i &+ 1
    var y = j &+ 1
    let (xEnd, yEnd) = (Int(e.records[i].next), Int(a.records[j].next))
    // Most pairs have the same members in the same order.
    while x < xEnd, y < yEnd, sameName(x, y) {
      compareMember(name: x, x &+ 1, y &+ 1)
      x = Int(e.records[x &+ 1].next)
      y = Int(a.records[y &+ 1].next)
    }
    if x == xEnd, y == yEnd { return }
    pairByName(members(e, from: x, to: xEnd), members(a, from: y, to: yEnd), i, j)
  }

  @inline(__always)
  private func sameName(_ x: Int, _ y: Int) -> Bool {
    let (p, q) = (e.records[x], a.records[y])
    if p.isEscaped || q.isEscaped { return sameBytes(e.text(x), a.text(y)) }
    return p.length == q.length && sameBytes(e.text(x), a.text(y))
  }

  private func members(_ side: JSONSide, from start: Int, to end: Int) -> [Int] {
    var names: [Int] = []
    var index = start
    while index < end {
      names.append(index)
      index = Int(side.records[index &+ 1].next)
    }
    return names
  }

  /// Sorts both by name, keeping the order of equal names, and merges.
  private mutating func pairByName(_ xs: [Int], _ ys: [Int], _ i: Int, _ j: Int) {
    let sortedX = xs.sorted { precedes(e.text($0), e.text($1)) ?? ($0 < $1) }
    let sortedY = ys.sorted { precedes(a.text($0), a.text($1)) ?? ($0 < $1) }
    var partner: [Int: Int] = [:]
    var added: [Int] = []
    var (p, q) = (0, 0)
    while p < sortedX.count || q < sortedY.count {
      if p == sortedX.count {
        added.append(sortedY[q])
        q += 1
      } else if q == sortedY.count {
        p += 1
      } else {
        switch precedes(e.text(sortedX[p]), a.text(sortedY[q])) {
        case true: p += 1
        case false:
          added.append(sortedY[q])
          q += 1
        default:
          partner[sortedX[p]] = sortedY[q]
          p += 1
          q += 1
        }
      }
    }
    var isReordered = false
    var latest = -1
    for x in xs {
      guard let y = partner[x] else {
        emit(.removed, at: .name(x, isExpected: true), x &+ 1, nil)
        continue
      }
      if y < latest { isReordered = true }
      latest = y
      compareMember(name: x, x &+ 1, y &+ 1)
    }
    for y in added.sorted() { emit(.added, at: .name(y, isExpected: false), nil, y &+ 1) }
    if isReordered, options.seesMemberOrder { emit(.memberOrder, i, j) }
  }
}

/// Whether `a` sorts before `b` byte by byte; nil where they are equal.
private func precedes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool? {
  for index in 0..<min(a.count, b.count) where a[index] != b[index] { return a[index] < b[index] }
  return a.count == b.count ? nil : a.count < b.count
}
