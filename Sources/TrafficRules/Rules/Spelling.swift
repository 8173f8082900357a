// The known word that is nearest to one that is not known. In: a word, those that are known. Bounds: the words' lengths.

enum Spelling {
  /// nil where none is near: more than a third of the letters differ.
  static func nearest(_ word: String, in known: [String]) -> String? {
    let letters = Array(word.lowercased().utf8.prefix(64))
    var best: (word: String, distance: Int)?
    for candidate in known {
      let distance = distance(letters, Array(candidate.lowercased().utf8.prefix(64)))
      if distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    guard let best, best.distance <= max(1, (max(letters.count, best.word.utf8.count) + 1) / 3) else { return nil }
    return best.word
  }

  /// Letters put in, left out, changed, or changing places with their neighbour.
  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var rows = [[Int]](repeating: Array(0...b.count), count: a.count + 1)
    for i in 1..<max(1, a.count + 1) {
      rows[i][0] = i
      for j in 1..<max(1, b.count + 1) {
        var cost = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { cost = min(cost, rows[i - 2][j - 2] + 1) }
        rows[i][j] = cost
      }
    }
    return rows[a.count][b.count]
  }
}
