// The smallest of a request's parts that are needed, found by leaving some out and asking what then shows.
//
// In: how many parts there are, in groups of a kind; of each choice whether it still shows. Out: choices to be asked, and
// in the end those that are needed. Owner: RequestShrinking. Bounds: at most n² + 5n choices of n parts (A. Zeller and
// R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002); about 4 log2 n where one part matters.
//
// The complements of ddmin alone, in chunks from half of what is left down to single parts. First none at all, then whole
// groups are left out: mostly neither any header field nor any cookie matters.

struct DeltaDebugging {
  private enum Stage {
    case nothing
    case group(Int)
    /// So many parts from this place on are left out; of single ones, whether this time round any could be.
    case chunk(size: Int, place: Int, hasRemoved: Bool)
    case over
  }

  /// What is not known to be needless, rising. Every choice of it that is minimal is one that showed.
  private(set) var kept: [Int]
  private let groups: [Range<Int>]
  private var stage = Stage.nothing
  private var refused: Set<[Int]> = []

  /// - Parameter groups: sizes of neighbouring groups of parts.
  init(groups sizes: [Int]) {
    var groups: [Range<Int>] = []
    for size in sizes where size > 0 {
      let start = groups.last?.upperBound ?? 0
      groups.append(start..<start + size)
    }
    self.groups = groups
    kept = Array(0..<(groups.last?.upperBound ?? 0))
  }

  /// The parts to be tried alone; nil where none of those kept can be left out.
  mutating func next() -> [Int]? {
    while true {
      if kept.isEmpty { stage = .over }
      let candidate: [Int]
      switch stage {
      case .over: return nil
      case .nothing: candidate = []
      case .group(let index): candidate = kept.filter { !groups[index].contains($0) }
      case .chunk(let size, let place, _):
        candidate = Array(kept[..<place] + kept[min(place + size, kept.count)...])
      }
      if candidate.count < kept.count, !refused.contains(candidate) { return candidate }
      goOn(removed: false)
    }
  }

  /// Whether what ``next()`` gave shows by itself.
  mutating func record(_ shows: Bool) {
    guard let candidate = next() else { return }
    if shows { kept = candidate } else { refused.insert(candidate) }
    goOn(removed: shows)
  }

  private mutating func goOn(removed: Bool) {
    switch stage {
    case .over: break
    case .nothing: stage = removed ? .over : groups.count > 1 ? .group(0) : firstChunk
    case .group(let index): stage = index + 1 < groups.count ? .group(index + 1) : firstChunk
    case .chunk(let size, let place, let hasRemoved):
      let (next, hasRemoved) = (removed ? place : place + size, hasRemoved || removed)
      if next < kept.count {
        stage = .chunk(size: size, place: next, hasRemoved: hasRemoved)
      } else if size > 1 {
        stage = .chunk(size: max(1, min(size, kept.count) / 2), place: 0, hasRemoved: false)
      } else {
        // What was needed beside others may not be without them.
        stage = hasRemoved ? .chunk(size: 1, place: 0, hasRemoved: false) : .over
      }
    }
  }

  private var firstChunk: Stage { .chunk(size: max(1, kept.count / 2), place: 0, hasRemoved: false) }
}
