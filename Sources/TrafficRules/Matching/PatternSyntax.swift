// Regular expressions and globs to programs. In: a pattern's text. Out: a PatternProgram, or what is wrong at which
// column. Owner: one call. Bounds: PatternProgram.instructionLimit, whatever the repetitions multiply to; nesting of 100.
//
// The syntax is the common part of PCRE and RE2 that can be matched in linear time: no back-references, no look-around.
// It works on octets; a character beyond ASCII is its UTF-8 sequence and cannot stand in a class.

/// What is wrong with a pattern.
struct PatternError: Error {
  var message: String
  /// Bytes before the offending one.
  var offset: Int
}

struct PatternSyntax {
  private let text: [UInt8]
  private var index = 0
  private var program = PatternProgram()
  private var isCaseInsensitive = false
  private var depth = 0

  private indirect enum Node {
    case empty
    case bytes(ByteSet)
    case start, end, wordBoundary(Bool)
    case sequence([Node])
    case alternatives([Node])
    case group(Node, Int?)
    case repeated(Node, least: Int, most: Int?, isGreedy: Bool)
  }

  static func regularExpression(_ text: String) throws(PatternError) -> PatternProgram {
    var syntax = PatternSyntax(text: Array(text.utf8))
    if text.hasPrefix("(?i)") {
      syntax.isCaseInsensitive = true
      syntax.index = 4
    }
    let node = try syntax.alternatives()
    if syntax.index < syntax.text.count { throw syntax.error("this ')' closes nothing") }
    try syntax.emit(.group(node, 0))
    syntax.program.append(.match)
    return syntax.program.finished()
  }

  /// - Parameters:
  ///   - separator: what `*` and `?` stop at, and `**` does not.
  static func glob(_ text: String, separator: UInt8?, isCaseInsensitive: Bool) throws(PatternError) -> PatternProgram {
    var syntax = PatternSyntax(text: Array(text.utf8))
    syntax.isCaseInsensitive = isCaseInsensitive
    var nodes: [Node] = [.start]
    var one = ByteSet.all
    if let separator { one.remove(separator) }
    while let byte = syntax.next() {
      switch byte {
      case UInt8(ascii: "*"):
        let isDouble = syntax.peek == UInt8(ascii: "*")
        if isDouble { syntax.index += 1 }
        let any = Node.repeated(.bytes(isDouble ? .all : one), least: 0, most: nil, isGreedy: true)
        // `/**` at the end is also nothing at all: `/api/**` means `/api` too.
        if isDouble, syntax.peek == nil, let separator, case .bytes(let last)? = nodes.last, last == ByteSet(separator)
        {
          nodes.removeLast()
          nodes.append(.alternatives([.sequence([.bytes(last), any]), .empty]))
        } else {
          nodes.append(any)
        }
      case UInt8(ascii: "?"): nodes.append(.bytes(one))
      case UInt8(ascii: "\\"):
        guard let next = syntax.next() else { throw syntax.error("nothing follows the '\\'") }
        nodes.append(.bytes(syntax.literal(next)))
      default: nodes.append(.bytes(syntax.literal(byte)))
      }
    }
    try syntax.emit(.group(.sequence(nodes + [.end]), 0))
    syntax.program.append(.match)
    return syntax.program.finished()
  }

  private init(text: [UInt8]) { self.text = text }

  private var peek: UInt8? { index < text.count ? text[index] : nil }

  private mutating func next() -> UInt8? {
    guard index < text.count else { return nil }
    defer { index += 1 }
    return text[index]
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  private func error(_ message: String, at offset: Int? = nil) -> PatternError {
    PatternError(message: message, offset: offset ?? index)
  }

  private func literal(_ byte: UInt8) -> ByteSet {
    var set = ByteSet(byte)
    if isCaseInsensitive { set.foldCase() }
    return set
  }

  // MARK: Reading

  private mutating func alternatives() throws(PatternError) -> Node {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 100 else { throw error("groups are nested deeper than 100 levels") }
    var found = [try sequence()]
    while take("|") { found.append(try sequence()) }
    return found.count == 1 ? found[0] : .alternatives(found)
  }

  private mutating func sequence() throws(PatternError) -> Node {
    var nodes: [Node] = []
    while let byte = peek, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
      let start = index
      let node = try atom()
      nodes.append(try repetition(of: node, at: start))
    }
    return nodes.isEmpty ? .empty : .sequence(nodes)
  }

  private mutating func atom() throws(PatternError) -> Node {
    let start = index
    guard let byte = next() else { return .empty }
    switch byte {
    case UInt8(ascii: "."):
      var set = ByteSet.all
      set.remove(0x0a)
      return .bytes(set)
    case UInt8(ascii: "^"): return .start
    case UInt8(ascii: "$"): return .end
    case UInt8(ascii: "("): return try group(at: start)
    case UInt8(ascii: "["): return .bytes(try bracket(at: start))
    case UInt8(ascii: "\\"): return try escape(at: start)
    case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"):
      throw error("nothing stands before this '\(Unicode.Scalar(byte))' that it could repeat", at: start)
    case 0x80...:
      // The rest of the character belongs to it, so that a repetition takes the whole.
      var nodes = [Node.bytes(ByteSet(byte))]
      while let more = peek, more & 0xc0 == 0x80 {
        nodes.append(.bytes(ByteSet(more)))
        index += 1
      }
      return .sequence(nodes)
    default: return .bytes(literal(byte))
    }
  }

  private mutating func group(at start: Int) throws(PatternError) -> Node {
    var number: Int?
    if take("?") {
      guard take(":") else {
        throw error(
          "only (?:…), and (?i) at the beginning, are known: look-around can't be matched in bounded time", at: start)
      }
    } else {
      program.groupCount += 1
      number = program.groupCount
      guard program.groupCount <= 99 else { throw error("more than 99 groups", at: start) }
    }
    let inner = try alternatives()
    guard take(")") else { throw error("this '(' is not closed", at: start) }
    return .group(inner, number)
  }

  private mutating func escape(at start: Int) throws(PatternError) -> Node {
    guard let byte = next() else { throw error("nothing follows the '\\'", at: start) }
    switch byte {
    case UInt8(ascii: "b"): return .wordBoundary(true)
    case UInt8(ascii: "B"): return .wordBoundary(false)
    case UInt8(ascii: "1")...UInt8(ascii: "9"):
      throw error("a back-reference can't be matched in bounded time", at: start)
    default: return .bytes(try escapedSet(byte, at: start))
    }
  }

  private mutating func escapedSet(_ byte: UInt8, at start: Int) throws(PatternError) -> ByteSet {
    switch Unicode.Scalar(byte) {
    case "d": return .digits
    case "D": return ByteSet.digits.inverted
    case "w": return .word
    case "W": return ByteSet.word.inverted
    case "s": return .blanks
    case "S": return ByteSet.blanks.inverted
    case "n": return ByteSet(0x0a)
    case "r": return ByteSet(0x0d)
    case "t": return ByteSet(0x09)
    case "x":
      guard let high = next().flatMap(hexadecimalValue), let low = next().flatMap(hexadecimalValue) else {
        throw error("two hex digits follow '\\x'", at: start)
      }
      return literal(high << 4 | low)
    case let other where other.properties.isAlphabetic:
      throw error("'\\\(other)' means nothing here", at: start)
    default: return literal(byte)
    }
  }

  private mutating func bracket(at start: Int) throws(PatternError) -> ByteSet {
    let isInverted = take("^")
    var set = ByteSet()
    var isFirst = true
    while true {
      guard let byte = next() else { throw error("this '[' is not closed", at: start) }
      if byte == UInt8(ascii: "]"), !isFirst { break }
      isFirst = false
      guard byte < 0x80 else { throw error("a class holds ASCII characters only", at: index - 1) }
      if byte == UInt8(ascii: "\\") {
        guard let escaped = next() else { throw error("this '[' is not closed", at: start) }
        let part = try escapedSet(escaped, at: index - 2)
        guard peek == UInt8(ascii: "-"), let single = part.single else {
          set.formUnion(part)
          continue
        }
        try addRange(from: single, to: &set)
        continue
      }
      try addRange(from: byte, to: &set)
    }
    if isCaseInsensitive { set.foldCase() }
    return isInverted ? set.inverted : set
  }

  /// `a`, or `a-z` where a range follows.
  private mutating func addRange(from low: UInt8, to set: inout ByteSet) throws(PatternError) {
    guard peek == UInt8(ascii: "-"), index + 1 < text.count, text[index + 1] != UInt8(ascii: "]") else {
      set.insert(low)
      return
    }
    index += 1
    var high = next() ?? 0
    if high == UInt8(ascii: "\\"), let escaped = next() {
      guard let single = try escapedSet(escaped, at: index - 2).single else {
        throw error("a range ends with one character", at: index - 2)
      }
      high = single
    }
    guard high < 0x80 else { throw error("a class holds ASCII characters only", at: index - 1) }
    guard low <= high else { throw error("this range runs backwards", at: index - 1) }
    for byte in low...high { set.insert(byte) }
  }

  private mutating func repetition(of node: Node, at start: Int) throws(PatternError) -> Node {
    var node = node
    var isRepeated = false
    while let byte = peek {
      let place = index
      let (least, most): (Int, Int?)
      switch byte {
      case UInt8(ascii: "*"): (least, most) = (0, nil)
      case UInt8(ascii: "+"): (least, most) = (1, nil)
      case UInt8(ascii: "?"): (least, most) = (0, 1)
      case UInt8(ascii: "{"):
        guard let bounds = bounds() else { return node }
        (least, most) = bounds
        index -= 1
      default: return node
      }
      index += 1
      if isRepeated { throw error("what is repeated already can't be repeated again without a group", at: place) }
      guard least <= most ?? .max else { throw error("this repetition asks for more than its limit", at: place) }
      guard max(least, most ?? 0) <= 1000 else { throw error("a repetition of more than 1000", at: place) }
      switch node {
      case .start, .end, .wordBoundary: throw error("an assertion can't be repeated", at: place)
      default: break
      }
      node = .repeated(node, least: least, most: most, isGreedy: !take("?"))
      isRepeated = true
    }
    return node
  }

  /// `{2}`, `{2,}`, `{2,5}`; nil of anything else, which stands for itself.
  private mutating func bounds() -> (Int, Int?)? {
    guard let close = text[index...].firstIndex(of: UInt8(ascii: "}")) else { return nil }
    let inner = String(decoding: text[(index + 1)..<close], as: UTF8.self)
    let parts = inner.split(separator: ",", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), inner.utf8.allSatisfy({ $0 == 0x2c || $0 >= 0x30 && $0 <= 0x39 }),
      let least = Int(parts[0].prefix(9))
    else { return nil }
    if parts.count == 2, !parts[1].isEmpty, Int(parts[1].prefix(9)) == nil { return nil }
    index = close + 1
    if parts.count == 1 { return (least, least) }
    return (least, parts[1].isEmpty ? nil : Int(parts[1].prefix(9)))
  }

  // MARK: Writing

  private mutating func emit(_ node: Node) throws(PatternError) {
    guard program.instructions.count <= PatternProgram.instructionLimit else {
      throw PatternError(
        message: "the repetitions multiply to more than \(PatternProgram.instructionLimit) steps", offset: 0)
    }
    switch node {
    case .empty: break
    case .bytes(let set): program.append(.bytes(program.index(of: set)))
    case .start: program.append(.start)
    case .end: program.append(.end)
    case .wordBoundary(let isWanted): program.append(.wordBoundary(isWanted))
    case .sequence(let nodes): for node in nodes { try emit(node) }
    case .group(let node, let number):
      guard let number else { return try emit(node) }
      program.append(.save(number * 2))
      try emit(node)
      program.append(.save(number * 2 + 1))
    case .alternatives(let nodes):
      var ends: [Int] = []
      for node in nodes.dropLast() {
        let split = program.append(.split(0, 0))
        try emit(node)
        ends.append(program.append(.jump(0)))
        program.instructions[split] = .split(split + 1, program.instructions.count)
      }
      try emit(nodes[nodes.count - 1])
      for end in ends { program.instructions[end] = .jump(program.instructions.count) }
    case .repeated(let node, let least, let most, let isGreedy): try emit(node, least, most, isGreedy)
    }
  }

  private mutating func emit(_ node: Node, _ least: Int, _ most: Int?, _ isGreedy: Bool) throws(PatternError) {
    for _ in 0..<least { try emit(node) }
    func split(_ inside: Int, _ behind: Int) -> PatternProgram.Instruction {
      isGreedy ? .split(inside, behind) : .split(behind, inside)
    }
    guard let most else {
      let start = program.append(.split(0, 0))
      try emit(node)
      program.append(.jump(start))
      program.instructions[start] = split(start + 1, program.instructions.count)
      return
    }
    var starts: [Int] = []
    for _ in least..<max(least, most) {
      starts.append(program.append(.split(0, 0)))
      try emit(node)
    }
    for start in starts { program.instructions[start] = split(start + 1, program.instructions.count) }
  }
}

func hexadecimalValue(_ byte: UInt8) -> UInt8? {
  switch byte {
  case 0x30...0x39: byte - 0x30
  case 0x41...0x46: byte - 0x37
  case 0x61...0x66: byte - 0x57
  default: nil
  }
}
