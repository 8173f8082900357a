// Arrays: which element of one belongs to which of the other, and what that leaves.
//
// Equal ends first; then by a key, named or found; else the longest common subsequence of equal elements, what moved by its
// hash, and what stands between by likeness. Everything beyond equal ends and hashes takes cells (rows times columns) out of
// a budget; without budget, elements are paired in order and the result says that it is approximate.

extension JSONComparison {
  mutating func compareArrays(_ i: Int, _ j: Int) {
    let order = orderRule()
    let (n, m) = (Int(e.records[i].extra), Int(a.records[j].extra))
    if n == m, order == nil || order == .list {
      var suspects = 0
      var suspect = (place: 0, x: 0, y: 0)
      var (x, y, place) = (i &+ 1, j &+ 1, 0)
      let end = Int(e.records[i].next)
      while x < end {
        if mayDiffer(x, y) {
          suspects &+= 1
          suspect = (place, x, y)
        }
        x = Int(e.records[x].next)
        y = Int(a.records[y].next)
        place &+= 1
      }
      // Most pairs of arrays are done here.
      if suspects == 0 { return }
      if suspects == 1 { return compareElement(suspect.place, suspect.x, suspect.y) }
    }
    compareAligned(i, j, order)
  }

  /// What a rule says of the array at hand.
  private func orderRule() -> JSONArrayRule.Order? {
    if options.arrays.isEmpty { return nil }
    let tokens = JSONEdit.tokens(of: steps())
    return options.arrays.first { $0.at.matches(tokens) }?.order
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

  private mutating func compareAligned(_ i: Int, _ j: Int, _ order: JSONArrayRule.Order?) {
    let hashes = treeHashes()
    var pairing = ArrayPairing(
      e: e, a: a, xs: elements(e, of: i), ys: elements(a, of: j), eHashes: hashes.expected, aHashes: hashes.actual,
      alignmentLimit: options.alignmentLimit, budget: alignmentBudget)
    pairing.pair(order)
    alignmentBudget = pairing.budget
    if pairing.isApproximate { isApproximate = true }
    if pairing.isReordered, order != .set, order != .multiset { emit(.elementOrder, i, j) }
    for (place, partner) in pairing.partners.enumerated() {
      if partner >= 0 {
        compareElement(place, pairing.xs[place], pairing.ys[partner])
      } else if partner == ArrayPairing.alone {
        emit(.removed, at: .element(place), pairing.xs[place], nil)
      }
    }
    for (place, state) in pairing.states.enumerated() where state == ArrayPairing.alone {
      emit(.added, at: .element(place), nil, pairing.ys[place])
    }
    if pairing.hasUnpairedLength { emit(.length, i, j) }
  }
}
