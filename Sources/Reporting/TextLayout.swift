// Text laid out in terminal columns: wrapping, shortening, padding. Input must be visible already; no result is wider
// than asked, whatever the characters.

/// The widest line that text reports print, in columns.
let textWidth = 80

/// `text` in at most `width` columns, its middle replaced by `…` where it is wider: of a path, both ends tell most.
func shortened(_ text: String, to width: Int) -> String {
  if columns(of: text) <= width { return text }
  guard width > 1 else { return width == 1 ? "…" : "" }
  let tail = (width - 1) / 2
  return prefix(of: text, columns: width - 1 - tail) + "…" + suffix(of: text, columns: tail)
}

/// Two values for one line, in at most `width` columns together; where both begin alike and are cut, the cut begins
/// shortly before the first difference.
func shortenedPair(_ a: String, _ b: String, to width: Int) -> (String, String) {
  let (widthA, widthB) = (columns(of: a), columns(of: b))
  if widthA + widthB <= width { return (a, b) }
  let half = width / 2
  if widthA <= half { return (a, shortened(b, to: width - widthA)) }
  if widthB <= half { return (shortened(a, to: width - widthB), b) }
  let common = zip(a, b).prefix { $0 == $1 }.count
  guard common > 16 else { return (shortened(a, to: half), shortened(b, to: half)) }
  return (
    shortened("…" + a.dropFirst(common - 8), to: half), shortened("…" + b.dropFirst(common - 8), to: half)
  )
}

/// `text` in lines of at most `width` columns, broken at spaces, and within a word only where it is wider than a line.
func wrapped(_ text: String, to width: Int) -> [String] {
  var lines: [String] = []
  var line = ""
  var lineWidth = 0
  for word in text.split(separator: " ") {
    var word = String(word)
    var wordWidth = columns(of: word)
    if lineWidth > 0, lineWidth + 1 + wordWidth > width {
      lines.append(line)
      (line, lineWidth) = ("", 0)
    }
    while wordWidth > width {
      let head = prefix(of: word, columns: width)
      // A character wider than the line would never fit.
      guard !head.isEmpty else { return lines }
      lines.append(head)
      word.removeFirst(head.count)
      wordWidth = columns(of: word)
    }
    line += lineWidth > 0 ? " " + word : word
    lineWidth = columns(of: line)
  }
  if lineWidth > 0 { lines.append(line) }
  return lines
}

/// Filled with spaces on the right up to `width` columns.
func padded(_ text: String, to width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - columns(of: text)))
}

/// Filled with spaces on the left up to `width` columns.
func rightAligned(_ text: String, to width: Int) -> String {
  String(repeating: " ", count: max(0, width - columns(of: text))) + text
}

private func prefix(of text: String, columns limit: Int) -> String {
  var used = 0
  return String(
    text.prefix {
      used += columns(of: $0)
      return used <= limit
    })
}

private func suffix(of text: String, columns limit: Int) -> String {
  String(prefix(of: String(text.reversed()), columns: limit).reversed())
}

/// A shell command in lines that can be pasted, broken between its words; a word that is wider than a line stays whole.
/// - Parameter width: columns, an indent of 2 and what joins the lines included.
func commandLines(_ command: String, width: Int) -> [String] {
  var lines: [String] = []
  var current = ""
  for word in commandWords(command) {
    if !current.isEmpty, columns(of: current) + 1 + columns(of: word) > width - 4 {
      lines.append((lines.isEmpty ? "" : "  ") + current + " \\")
      current = ""
    }
    current += (current.isEmpty ? "" : " ") + word
  }
  return lines + [(lines.isEmpty ? "" : "  ") + current]
}

/// Words as a shell tells them apart, each as it stands. Escapes within `$'…'` are none of a word's ends.
private func commandWords(_ command: String) -> [Substring] {
  var (words, start): ([Substring], String.Index) = ([], command.startIndex)
  var (isQuoted, isANSI, isEscaped): (Bool, Bool, Bool) = (false, false, false)
  var previous: Character = " "
  for index in command.indices {
    let character = command[index]
    if isEscaped {
      isEscaped = false
    } else if character == "\\", !isQuoted || isANSI {
      isEscaped = true
    } else if character == "'" {
      isANSI = !isQuoted && previous == "$"
      isQuoted.toggle()
    } else if character == " ", !isQuoted {
      if start < index { words.append(command[start..<index]) }
      start = command.index(after: index)
    }
    previous = character
  }
  if start < command.endIndex { words.append(command[start...]) }
  return words
}
