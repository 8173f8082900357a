// A line comparison in, the markup of its rows out. The rows are most of a page and a template engine's look-ups would
// be most of its cost, so they are written here: tags are literals of this file, all else is a number or escaped.

struct ComparisonMarkup {
  private(set) var text = ""
  private let escaping = MarkupEscaping()

  mutating func append(_ row: ComparisonRow, isFoldShown: Bool = true, isFoldOpen: Bool = false) {
    switch row {
    case .same(let expected, let actual, let line):
      let shown = escaping.escapeText(line)
      tag("<div class=\"r\">")
      cell("<p data-n=\"", expected, "\">")
      text += shown
      tag("</p>")
      cell("<p data-n=\"", actual, "\">")
      text += shown
      tag("</p></div>\n")
    case .changed(let expected, let actual):
      tag("<div class=\"r c\">")
      if let expected {
        cell("<del data-n=\"", expected.number, "\">")
        append(expected.pieces)
        tag("</del>")
      } else {
        tag("<p class=\"none\"></p>")
      }
      if let actual {
        cell("<ins data-n=\"", actual.number, "\">")
        append(actual.pieces)
        tag("</ins>")
      } else {
        tag("<p class=\"none\"></p>")
      }
      tag("</div>\n")
    case .fold(let count, let lines):
      guard isFoldShown else { return gap("\(Figure.count(UInt64(count))) equal lines, left out") }
      tag(isFoldOpen ? "<details class=\"fold\" open><summary>" : "<details class=\"fold\"><summary>")
      text += Figure.count(UInt64(count))
      // The line break after `<pre>` belongs to the tag.
      tag(" equal lines</summary><pre>\n")
      text += escaping.escapeText(lines)
      tag("</pre></details>\n")
    }
  }

  /// A line in place of rows that are not shown.
  mutating func gap(_ sentence: String) {
    tag("<p class=\"gap\">")
    text += escaping.escapeText(sentence)
    tag("</p>\n")
  }

  private mutating func append(_ pieces: [LinePiece]) {
    for piece in pieces {
      if piece.isMarked { tag("<mark>") }
      text += escaping.escapeText(piece.text)
      if piece.isMarked { tag("</mark>") }
    }
  }

  private mutating func cell(_ start: StaticString, _ number: Int, _ end: StaticString) {
    tag(start)
    text += String(number)
    tag(end)
  }

  private mutating func tag(_ literal: StaticString) {
    literal.withUTF8Buffer { text += String(decoding: $0, as: UTF8.self) }
  }
}
