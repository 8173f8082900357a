// Two sequences of tokens in, the runs they have in common out. Bounds: `editLimit` edits, so time is at most
// (a + b) x limit and memory limit squared; past it the rest counts as replaced.

/// A run that both sequences hold.
struct CommonRun: Hashable {
  var a: Int
  var b: Int
  var count: Int
}

/// The common runs of a shortest edit script, in order (Myers, "An O(ND) Difference Algorithm and Its Variations",
/// 1986, the greedy form), with what both begin and end with taken off first.
func commonRuns(_ a: [Int32], _ b: [Int32], editLimit: Int) -> [CommonRun] {
  var head = 0
  while head < a.count, head < b.count, a[head] == b[head] { head += 1 }
  var tail = 0
  while tail < a.count - head, tail < b.count - head, a[a.count - 1 - tail] == b[b.count - 1 - tail] { tail += 1 }

  var runs: [CommonRun] = []
  func append(_ run: CommonRun) {
    guard run.count > 0 else { return }
    if let last = runs.last, last.a + last.count == run.a, last.b + last.count == run.b {
      runs[runs.count - 1].count += run.count
    } else {
      runs.append(run)
    }
  }
  append(CommonRun(a: 0, b: 0, count: head))
  for run in middleRuns(a[head..<a.count - tail], b[head..<b.count - tail], editLimit: editLimit) { append(run) }
  append(CommonRun(a: a.count - tail, b: b.count - tail, count: tail))
  return runs
}

private func middleRuns(_ a: ArraySlice<Int32>, _ b: ArraySlice<Int32>, editLimit: Int) -> [CommonRun] {
  guard !a.isEmpty, !b.isEmpty else { return [] }
  let (offsetA, offsetB) = (a.startIndex, b.startIndex)
  let limit = min(editLimit, a.count + b.count)
  // furthest[limit + k] is the furthest place in `a` on diagonal k = x - y; one snapshot for each number of edits.
  var furthest = [Int32](repeating: 0, count: 2 * limit + 3)
  let center = limit + 1
  var snapshots: [[Int32]] = []
  for edits in 0...limit {
    snapshots.append(Array(furthest[center - edits...center + edits]))
    for k in stride(from: -edits, through: edits, by: 2) {
      let goesDown = k == -edits || k != edits && furthest[center + k - 1] < furthest[center + k + 1]
      var x = Int(goesDown ? furthest[center + k + 1] : furthest[center + k - 1] + 1)
      var y = x - k
      while x < a.count, y < b.count, a[offsetA + x] == b[offsetB + y] { (x, y) = (x + 1, y + 1) }
      furthest[center + k] = Int32(x)
      guard x >= a.count, y >= b.count else { continue }
      return walkBack(snapshots, from: (a.count, b.count)).map {
        CommonRun(a: $0.a + offsetA, b: $0.b + offsetB, count: $0.count)
      }
    }
  }
  return []
}

/// The path to `end`, from the states before each edit.
private func walkBack(_ snapshots: [[Int32]], from end: (Int, Int)) -> [CommonRun] {
  var runs: [CommonRun] = []
  var (x, y) = end
  for edits in stride(from: snapshots.count - 1, through: 0, by: -1) {
    guard edits > 0 else {
      if x > 0 { runs.append(CommonRun(a: 0, b: 0, count: x)) }
      break
    }
    let before = snapshots[edits]
    // The state before this edit reaches `edits` diagonals to either side.
    func reach(_ k: Int) -> Int32 { before[k + edits] }
    let k = x - y
    let goesDown = k == -edits || k != edits && reach(k - 1) < reach(k + 1)
    let fromX = Int(goesDown ? reach(k + 1) : reach(k - 1))
    let fromY = fromX - (goesDown ? k + 1 : k - 1)
    let startX = goesDown ? fromX : fromX + 1
    if x > startX { runs.append(CommonRun(a: startX, b: startX - k, count: x - startX)) }
    (x, y) = (fromX, fromY)
  }
  return runs.reversed()
}
