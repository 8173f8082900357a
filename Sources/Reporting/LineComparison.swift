// Two texts in, rows out that show them side by side: equal lines together, changed lines in pairs with the changed
// places marked, long equal stretches folded. Bounds: `LineComparison.Limits`.

/// A stretch of a line.
struct LinePiece: Hashable {
  var text: String
  /// Differs from the other side.
  var isMarked: Bool
}

/// One side of a row.
struct ComparedLine: Hashable {
  /// From 1.
  var number: Int
  var pieces: [LinePiece]
}

enum ComparisonRow: Hashable {
  case same(expected: Int, actual: Int, text: String)
  /// At least one side is there.
  case changed(expected: ComparedLine?, actual: ComparedLine?)
  /// Equal lines away from any change, as one text without the last line break.
  case fold(count: Int, text: String)
}

struct LineComparison {
  struct Limits {
    /// Equal lines shown before and after a change.
    var context = 3
    var rows = 300
    /// Edits up to which lines are matched; beyond, all lines between the first and the last change count as changed.
    var lineEdits = 800
    var tokenEdits = 120
    /// Characters of an unbroken stretch of a shown line; its middle is cut.
    var stretch = 600
  }

  private(set) var rows: [ComparisonRow] = []
  /// Lines of either side that differ, shown or not.
  private(set) var changedLines = 0
  /// Rows that did not fit.
  private(set) var omittedRows = 0

  private let expected: [Substring]
  private let actual: [Substring]
  private let limits: Limits

  init(expected: Substring, actual: Substring, limits: Limits = Limits()) {
    self.expected = LineComparison.lines(expected)
    self.actual = LineComparison.lines(actual)
    self.limits = limits
    compare()
  }

  private static func lines(_ text: Substring) -> [Substring] {
    guard !text.isEmpty else { return [] }
    var lines = text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false).map { Substring($0) }
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }

  private mutating func compare() {
    var vocabulary = Vocabulary()
    let runs = commonRuns(
      expected.map { vocabulary.number($0) }, actual.map { vocabulary.number($0) }, editLimit: limits.lineEdits)
    var (a, b) = (0, 0)
    for run in runs + [CommonRun(a: expected.count, b: actual.count, count: 0)] {
      appendChange(a..<run.a, b..<run.b)
      appendCommon(run, isFirst: run.a == 0 && run.b == 0, isLast: run.a + run.count == expected.count)
      (a, b) = (run.a + run.count, run.b + run.count)
    }
  }

  private mutating func append(_ row: ComparisonRow) {
    if rows.count < limits.rows { rows.append(row) } else { omittedRows += 1 }
  }

  private mutating func appendCommon(_ run: CommonRun, isFirst: Bool, isLast: Bool) {
    func same(_ index: Int) -> ComparisonRow {
      .same(
        expected: run.a + index + 1, actual: run.b + index + 1,
        text: cut(String(expected[run.a + index]), to: limits.stretch))
    }
    let before = isFirst ? 0 : limits.context
    let after = isLast && run.b + run.count == actual.count ? 0 : limits.context
    let folded = run.count - before - after
    guard folded > 1 else {
      for index in 0..<run.count { append(same(index)) }
      return
    }
    for index in 0..<before { append(same(index)) }
    let text = expected[run.a + before..<run.a + before + folded].joined(separator: "\n")
    append(.fold(count: folded, text: text))
    for index in before + folded..<run.count { append(same(index)) }
  }

  private mutating func appendChange(_ a: Range<Int>, _ b: Range<Int>) {
    changedLines += max(a.count, b.count)
    guard rows.count < limits.rows else {
      omittedRows += max(a.count, b.count)
      return
    }
    for (left, right) in pairs(a, b) {
      let (leftPieces, rightPieces) = pieces(left.map { expected[$0] }, right.map { actual[$0] })
      append(
        .changed(
          expected: left.map { ComparedLine(number: $0 + 1, pieces: leftPieces) },
          actual: right.map { ComparedLine(number: $0 + 1, pieces: rightPieces) }))
    }
  }

  /// Which changed line became which: by likeness where the block is small, else in order.
  private func pairs(_ a: Range<Int>, _ b: Range<Int>) -> [(Int?, Int?)] {
    guard a.count * b.count <= 2500, !a.isEmpty, !b.isEmpty else {
      return (0..<max(a.count, b.count)).map { index in
        (index < a.count ? a.lowerBound + index : nil, index < b.count ? b.lowerBound + index : nil)
      }
    }
    // best[i][j]: the greatest sum of likeness from line i of `a` and line j of `b` on.
    let width = b.count + 1
    var best = [Double](repeating: 0, count: (a.count + 1) * width)
    var likeness = [Double](repeating: 0, count: a.count * b.count)
    for i in stride(from: a.count - 1, through: 0, by: -1) {
      for j in stride(from: b.count - 1, through: 0, by: -1) {
        let like = LineComparison.likeness(expected[a.lowerBound + i], actual[b.lowerBound + j])
        likeness[i * b.count + j] = like
        best[i * width + j] = max(
          best[(i + 1) * width + j], best[i * width + j + 1], like > 0 ? like + best[(i + 1) * width + j + 1] : 0)
      }
    }
    var result: [(Int?, Int?)] = []
    var (i, j) = (0, 0)
    while i < a.count, j < b.count {
      let like = likeness[i * b.count + j]
      let here = best[i * width + j]
      if like > 0, here == like + best[(i + 1) * width + j + 1] {
        result.append((a.lowerBound + i, b.lowerBound + j))
        (i, j) = (i + 1, j + 1)
      } else if here == best[(i + 1) * width + j] {
        result.append((a.lowerBound + i, nil))
        i += 1
      } else {
        result.append((nil, b.lowerBound + j))
        j += 1
      }
    }
    result += (i..<a.count).map { (a.lowerBound + $0, nil) }
    result += (j..<b.count).map { (nil, b.lowerBound + $0) }
    return result
  }

  /// 0 for lines that have too little in common to be one line changed; else up to 1. The same name before a colon,
  /// a header's or a member's, weighs more than any value.
  private static func likeness(_ a: Substring, _ b: Substring) -> Double {
    let a = a.utf8.drop { $0 == 0x20 || $0 == 0x09 }
    let b = b.utf8.drop { $0 == 0x20 || $0 == 0x09 }
    let longer = max(a.count, b.count)
    guard longer > 0 else { return 1 }
    let head = zip(a, b).prefix { $0 == $1 }.count
    let rest = min(a.count, b.count) - head
    let tail = zip(a.reversed(), b.reversed()).prefix(rest).prefix { $0 == $1 }.count
    let share = Double(head + tail) / Double(longer)
    if let colon = a.firstIndex(of: 0x3a), a.distance(from: a.startIndex, to: colon) < head { return 0.75 + share / 4 }
    return share >= 0.4 || head >= 8 ? share * 0.75 : 0
  }

  // MARK: Within a line

  private func pieces(_ a: Substring?, _ b: Substring?) -> ([LinePiece], [LinePiece]) {
    guard let a, let b else {
      func whole(_ line: Substring?) -> [LinePiece] {
        line.map { [LinePiece(text: cut(String($0), to: limits.stretch), isMarked: false)] } ?? []
      }
      return (whole(a), whole(b))
    }
    let (tokensA, tokensB) = (LineComparison.tokens(a), LineComparison.tokens(b))
    var vocabulary = Vocabulary()
    let runs = commonRuns(
      tokensA.map { vocabulary.number($0) }, tokensB.map { vocabulary.number($0) }, editLimit: limits.tokenEdits)
    return (
      marked(tokensA, common: runs.map { $0.a..<$0.a + $0.count }),
      marked(tokensB, common: runs.map { $0.b..<$0.b + $0.count })
    )
  }

  private func marked(_ tokens: [Substring], common: [Range<Int>]) -> [LinePiece] {
    var pieces: [LinePiece] = []
    var end = 0
    func append(_ range: Range<Int>, isMarked: Bool) {
      guard !range.isEmpty else { return }
      pieces.append(LinePiece(text: cut(tokens[range].joined(), to: limits.stretch), isMarked: isMarked))
    }
    for run in common + [tokens.count..<tokens.count] {
      append(end..<run.lowerBound, isMarked: true)
      append(run, isMarked: false)
      end = run.upperBound
    }
    return pieces
  }

  /// Words and numbers whole, every other character by itself.
  private static func tokens(_ line: Substring) -> [Substring] {
    func isWord(_ scalar: Unicode.Scalar) -> Bool {
      switch scalar {
      case "0"..."9", "a"..."z", "A"..."Z", "_", "-", "+", ".": true
      default: scalar.value >= 0x80
      }
    }
    var tokens: [Substring] = []
    var rest = line.unicodeScalars
    while let first = rest.first {
      let token = isWord(first) ? rest.prefix(while: isWord) : rest.prefix(1)
      tokens.append(Substring(token))
      rest = rest[token.endIndex...]
    }
    return tokens
  }

  /// `text` with its middle cut where it is longer than `limit` characters.
  private func cut(_ text: String, to limit: Int) -> String {
    guard text.utf8.count > limit, text.unicodeScalars.count > limit else { return text }
    let scalars = text.unicodeScalars
    let half = limit / 2
    return String(scalars.prefix(half)) + " … \(Figure.count(UInt64(scalars.count - 2 * half))) characters … "
      + String(scalars.suffix(half))
  }
}

/// Numbers for texts: equal texts have the same number, by their scalars and not by canonical equivalence.
private struct Vocabulary {
  private var numbers: [[UInt8]: Int32] = [:]

  mutating func number(_ text: Substring) -> Int32 {
    let bytes = Array(text.utf8)
    if let known = numbers[bytes] { return known }
    let next = Int32(numbers.count)
    numbers[bytes] = next
    return next
  }
}
