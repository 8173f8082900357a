import Testing

@testable import Reporting

@Suite struct LineComparisonTests {
  @Test func commonRunsAreALongestCommonSubsequence() {
    var generator = Xorshift(state: 88_172_645_463_325_252)
    for _ in 0..<2000 {
      let a = (0..<Int(generator.next() % 14)).map { _ in Int32(generator.next() % 4) }
      let b = (0..<Int(generator.next() % 14)).map { _ in Int32(generator.next() % 4) }
      let runs = commonRuns(a, b, editLimit: 100)
      for run in runs { #expect(a[run.a..<run.a + run.count] == b[run.b..<run.b + run.count][...]) }
      for (one, next) in zip(runs, runs.dropFirst()) {
        #expect(one.a + one.count <= next.a && one.b + one.count <= next.b)
      }
      #expect(runs.reduce(0) { $0 + $1.count } == longestCommonSubsequence(a, b), "\(a) \(b)")
    }
  }

  private func longestCommonSubsequence(_ a: [Int32], _ b: [Int32]) -> Int {
    var row = [Int](repeating: 0, count: b.count + 1)
    for x in a {
      var diagonal = 0
      for (j, y) in b.enumerated() {
        let above = row[j + 1]
        row[j + 1] = x == y ? diagonal + 1 : max(above, row[j])
        diagonal = above
      }
    }
    return row[b.count]
  }

  @Test func pastTheLimitTheMiddleCountsAsReplaced() {
    let a = (0..<5000).map(Int32.init)
    let b = [0] + (5000..<9999).map(Int32.init) + [4999]
    #expect(
      commonRuns(a, b, editLimit: 50) == [CommonRun(a: 0, b: 0, count: 1), CommonRun(a: 4999, b: 5000, count: 1)])
  }

  @Test func everyLineOfBothSidesIsShownOnceOrFolded() {
    var generator = Xorshift(state: 362_436_069)
    let words = ["{", "  \"a\": 1,", "  \"b\": 22,", "  \"b\": 23,", "é", "}", "name: value", ""]
    for _ in 0..<500 {
      func text() -> String {
        (0..<Int(generator.next() % 30)).map { _ in words.randomElement(using: &generator)! + "\n" }.joined()
      }
      let (expected, actual) = (text(), text())
      var (left, right) = ("", "")
      for row in LineComparison(expected: expected[...], actual: actual[...]).rows {
        switch row {
        case .same(_, _, let line):
          left += line + "\n"
          right += line + "\n"
        case .changed(let a, let b):
          if let a { left += a.pieces.map(\.text).joined() + "\n" }
          if let b { right += b.pieces.map(\.text).joined() + "\n" }
        case .fold(_, let lines):
          left += lines + "\n"
          right += lines + "\n"
        }
      }
      #expect(left == expected)
      #expect(right == actual)
    }
  }

  @Test func changedPlacesAreMarkedAndTheSameMemberIsOneRow() throws {
    let comparison = LineComparison(
      expected: "{\n  \"price\": 12.5,\n  \"total\": 3\n}", actual: "{\n  \"price\": \"12.50\",\n  \"total\": 3\n}")
    #expect(comparison.changedLines == 1)
    guard case .changed(let expected?, let actual?) = comparison.rows[1] else {
      Issue.record("line 2 should be one changed row: \(comparison.rows)")
      return
    }
    #expect(expected.number == 2 && actual.number == 2)
    #expect(expected.pieces.filter(\.isMarked).map(\.text) == ["12.5"])
    #expect(actual.pieces.filter(\.isMarked).map(\.text) == ["\"12.50\""])
  }

  @Test func equalTextsAreOneFold() {
    let comparison = LineComparison(expected: "a\nb\nc\n", actual: "a\nb\nc\n")
    #expect(comparison.rows == [.fold(count: 3, text: "a\nb\nc")])
    #expect(LineComparison(expected: "", actual: "").rows.isEmpty)
  }

  @Test func canonicallyEqualTextsOfOtherBytesDiffer() {
    #expect(LineComparison(expected: "e\u{301}", actual: "\u{e9}").changedLines == 1)
  }

  @Test func hugeTextsStayWithinBounds() {
    let lines = LineComparison(
      expected: (0..<30_000).map { "a\($0)\n" }.joined()[...], actual: (0..<30_000).map { "b\($0)\n" }.joined()[...])
    #expect(lines.rows.count <= LineComparison.Limits().rows)
    #expect(lines.omittedRows >= 29_000)
    let line = LineComparison(
      expected: Substring(String(repeating: "a,", count: 32_000)),
      actual: Substring(String(repeating: "b;", count: 32_000)))
    #expect(line.rows.count == 2 || line.rows.count == 1)
  }
}
