// Patterns matched in linear time: Thompson's construction, all ways through it walked at once.
//
// In: octets. Out: whether, and where, a pattern matches. Owner: immutable; each call has its own memory. Bounds: time
// is at most the program's length times the text's, memory the program's length; no pattern and no text can do worse.

/// Which octets a step takes.
struct ByteSet: Hashable, Sendable {
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  static let all = ByteSet().inverted
  static let digits = ByteSet(UInt8(ascii: "0")...UInt8(ascii: "9"))
  static let blanks = ByteSet([0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d])
  static let word: ByteSet = {
    var set = ByteSet(UInt8(ascii: "a")...UInt8(ascii: "z"))
    set.foldCase()
    set.formUnion(digits)
    set.insert(UInt8(ascii: "_"))
    return set
  }()

  init() {}
  init(_ byte: UInt8) { insert(byte) }
  init(_ bytes: some Sequence<UInt8>) { for byte in bytes { insert(byte) } }

  @inline(__always)
  func contains(_ byte: UInt8) -> Bool {
    let bit = UInt64(1) << UInt64(byte & 63)
    switch byte >> 6 {
    case 0: return words.0 & bit != 0
    case 1: return words.1 & bit != 0
    case 2: return words.2 & bit != 0
    default: return words.3 & bit != 0
    }
  }

  mutating func insert(_ byte: UInt8) { set(byte, true) }
  mutating func remove(_ byte: UInt8) { set(byte, false) }

  private mutating func set(_ byte: UInt8, _ isIn: Bool) {
    let bit = UInt64(1) << UInt64(byte & 63)
    func changed(_ word: UInt64) -> UInt64 { isIn ? word | bit : word & ~bit }
    switch byte >> 6 {
    case 0: words.0 = changed(words.0)
    case 1: words.1 = changed(words.1)
    case 2: words.2 = changed(words.2)
    default: words.3 = changed(words.3)
    }
  }

  mutating func formUnion(_ other: ByteSet) {
    words = (
      words.0 | other.words.0, words.1 | other.words.1, words.2 | other.words.2, words.3 | other.words.3
    )
  }

  var inverted: ByteSet {
    var set = ByteSet()
    set.words = (~words.0, ~words.1, ~words.2, ~words.3)
    return set
  }

  /// A letter of either case brings the other.
  mutating func foldCase() {
    for byte in UInt8(ascii: "a")...UInt8(ascii: "z") where contains(byte) || contains(byte - 32) {
      insert(byte)
      insert(byte - 32)
    }
  }

  /// The only octet in it; nil where there are none or several.
  var single: UInt8? {
    let found = (0...255).lazy.map { UInt8($0) }.filter { contains($0) }.prefix(2)
    return found.count == 1 ? found.first : nil
  }

  static func == (a: ByteSet, b: ByteSet) -> Bool { a.words == b.words }

  func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
    hasher.combine(words.3)
  }
}

struct PatternProgram: Sendable {
  enum Instruction: Sendable {
    /// By index into ``sets``.
    case bytes(Int)
    /// The first is preferred.
    case split(Int, Int)
    case jump(Int)
    case save(Int)
    case start, end
    case wordBoundary(Bool)
    case match
  }

  static let instructionLimit = 10_000

  var instructions: [Instruction] = []
  private(set) var sets: [ByteSet] = []
  var groupCount = 0
  /// Matches begin at the text's start only.
  private(set) var isAnchored = false
  /// What a match can begin with; nil where it can be empty.
  private(set) var first: ByteSet?

  @discardableResult
  mutating func append(_ instruction: Instruction) -> Int {
    instructions.append(instruction)
    return instructions.count - 1
  }

  mutating func index(of set: ByteSet) -> Int {
    if let known = sets.lastIndex(of: set) { return known }
    sets.append(set)
    return sets.count - 1
  }

  /// With what can be told from the program before any text.
  func finished() -> PatternProgram {
    var program = self
    program.isAnchored = instructions.count > 1 && isStart(instructions[1])
    var (seen, stack, set): (Set<Int>, [Int], ByteSet) = ([], [0], ByteSet())
    while let place = stack.popLast() {
      guard seen.insert(place).inserted else { continue }
      switch instructions[place] {
      case .bytes(let index): set.formUnion(sets[index])
      case .split(let a, let b): stack += [a, b]
      case .jump(let next): stack.append(next)
      case .save, .start, .wordBoundary: stack.append(place + 1)
      case .end, .match: return program
      }
    }
    program.first = set
    return program
  }

  private func isStart(_ instruction: Instruction) -> Bool { if case .start = instruction { true } else { false } }

  /// Whether it matches somewhere in the text.
  func matches(_ text: some Sequence<UInt8>) -> Bool {
    text.withContiguousStorageIfAvailable { search($0, from: 0, slots: 0) != nil }
      ?? Array(text).withUnsafeBufferPointer { search($0, from: 0, slots: 0) != nil }
  }

  /// The leftmost match at or after `from`: bounds of the whole and of each group, -1 where a group has no part in it.
  func firstMatch(in text: UnsafeBufferPointer<UInt8>, from: Int = 0) -> [Int]? {
    search(text, from: from, slots: 2 * (groupCount + 1))
  }

  /// The ways that are open at one place of the text, in order of preference.
  private struct Ways {
    var places: [Int] = []
    /// `slots` for each.
    var captures: [Int] = []
    /// Where each instruction stands in ``places``.
    var positions: [Int]

    func contains(_ place: Int) -> Bool {
      let position = positions[place]
      return position < places.count && places[position] == place
    }
  }

  private func search(_ text: UnsafeBufferPointer<UInt8>, from: Int, slots: Int) -> [Int]? {
    var now = Ways(positions: [Int](repeating: 0, count: instructions.count))
    var next = now
    var stack: [Step] = []
    var current = [Int](repeating: -1, count: slots)
    var found: [Int]?
    var index = from
    while true {
      if now.places.isEmpty {
        if found != nil || isAnchored && index > 0 { break }
        if let first {
          while index < text.count, !first.contains(text[index]) { index &+= 1 }
          if index == text.count { break }
        }
      }
      if found == nil, !isAnchored || index == 0 {
        add(0, &now, &current, &stack, text, index)
      }
      if now.places.isEmpty, index >= text.count { break }
      next.places.removeAll(keepingCapacity: true)
      next.captures.removeAll(keepingCapacity: true)
      for way in now.places.indices {
        let place = now.places[way]
        switch instructions[place] {
        case .bytes(let set):
          guard index < text.count, sets[set].contains(text[index]) else { continue }
          for slot in 0..<slots { current[slot] = now.captures[way &* slots &+ slot] }
          add(place + 1, &next, &current, &stack, text, index + 1)
          for slot in 0..<slots { current[slot] = -1 }
        case .match:
          if slots == 0 { return [] }
          found = Array(now.captures[way * slots..<(way + 1) * slots])
        default: continue
        }
        // Ways that are less preferred than a match are given up.
        if case .match = instructions[place] { break }
      }
      swap(&now, &next)
      if index >= text.count { break }
      index &+= 1
    }
    return found
  }

  private enum Step {
    case visit(Int)
    case restore(slot: Int, value: Int)
  }

  /// Follows what takes no octet, in order of preference.
  private func add(
    _ place: Int, _ ways: inout Ways, _ captures: inout [Int], _ stack: inout [Step],
    _ text: UnsafeBufferPointer<UInt8>, _ index: Int
  ) {
    stack.append(.visit(place))
    while let step = stack.popLast() {
      guard case .visit(let place) = step else {
        if case .restore(let slot, let value) = step { captures[slot] = value }
        continue
      }
      guard !ways.contains(place) else { continue }
      ways.positions[place] = ways.places.count
      ways.places.append(place)
      ways.captures.append(contentsOf: captures)
      switch instructions[place] {
      case .jump(let next): stack.append(.visit(next))
      case .split(let a, let b):
        stack.append(.visit(b))
        stack.append(.visit(a))
      case .save(let slot):
        if slot < captures.count {
          stack.append(.restore(slot: slot, value: captures[slot]))
          captures[slot] = index
        }
        stack.append(.visit(place + 1))
      case .start: if index == 0 { stack.append(.visit(place + 1)) }
      case .end: if index == text.count { stack.append(.visit(place + 1)) }
      case .wordBoundary(let isWanted):
        let before = index > 0 && ByteSet.word.contains(text[index - 1])
        let after = index < text.count && ByteSet.word.contains(text[index])
        if (before != after) == isWanted { stack.append(.visit(place + 1)) }
      case .bytes, .match: break
      }
    }
  }
}
