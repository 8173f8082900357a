// The walk over two JSON documents that finds where they differ.
// In: two documents borrowed for the call. Out: JSONEdits. Owner: JSONDocument.edits.
// Bounds: recursion as deep as the reader's depth limit; JSONComparisonOptions.
//
// What the two texts share at their beginning and their end is measured once; a pair of values that lies inside either
// part is equal without being looked at. So one changed field in a document costs little more than that measuring.

/// One document's storage, borrowed.
struct JSONSide {
  let records: UnsafePointer<JSONRecord>
  let source: UnsafeRawBufferPointer
  let decoded: UnsafeRawBufferPointer

  @inline(__always)
  func text(_ index: Int) -> UnsafeRawBufferPointer {
    let record = records[index]
    if !record.isEscaped {
      return UnsafeRawBufferPointer(
        start: source.baseAddress.unsafelyUnwrapped + Int(record.offset), count: Int(record.length))
    }
    let place = Int(record.extra)
    let length = UInt32(littleEndian: decoded.loadUnaligned(fromByteOffset: place, as: UInt32.self))
    return UnsafeRawBufferPointer(start: decoded.baseAddress.unsafelyUnwrapped + place + 4, count: Int(length))
  }
}

struct JSONComparison {
  let expected: JSONDocument
  let actual: JSONDocument
  let options: JSONComparisonOptions
  let e: JSONSide
  let a: JSONSide
  /// Bytes that the texts have in common at their beginning and at their end.
  private let commonPrefix: Int
  private let commonSuffix: Int
  private var path: [PathEntry] = []
  private var edits: [JSONEdit] = []
  private var isCut = false
  /// Elements of arrays were paired without the budget to find the right ones.
  var isApproximate = false
  /// Cells that the alignments of arrays may still take.
  var alignmentBudget: Int
  /// Made when an array needs them.
  private var hashes: (expected: [UInt64], actual: [UInt64])?

  /// A step on the way to the values at hand, as an index so that walking allocates nothing.
  enum PathEntry {
    /// The name's node, in the expected or else in the actual document.
    case name(Int, isExpected: Bool)
    case element(Int)
  }

  static func run(expected: JSONDocument, actual: JSONDocument, options: JSONComparisonOptions) -> JSONEdits {
    expected.withSide { e in
      actual.withSide { a in
        var comparison = JSONComparison(expected: expected, actual: actual, options: options, e: e, a: a)
        comparison.compare(0, 0)
        return JSONEdits(
          edits: comparison.edits, isCut: comparison.isCut, isApproximate: comparison.isApproximate)
      }
    }
  }

  private init(
    expected: JSONDocument, actual: JSONDocument, options: JSONComparisonOptions, e: JSONSide, a: JSONSide
  ) {
    (self.expected, self.actual, self.options, self.e, self.a) = (expected, actual, options, e, a)
    // A document of many arrays may take four times what one of them may.
    alignmentBudget = 4 &* options.alignmentLimit
    commonPrefix = sharedPrefix(e.source, a.source)
    commonSuffix = sharedSuffix(e.source, a.source)
  }

  /// Whether the texts show that two values are equal; false says nothing.
  @inline(__always)
  private func areSeenEqual(_ i: Int, _ j: Int) -> Bool {
    let (x, y) = (e.records[i], a.records[j])
    guard x.length == y.length, x.kind == y.kind else { return false }
    let (start, other) = (Int(x.offset), Int(y.offset))
    if start == other, start &+ Int(x.length) <= commonPrefix { return true }
    return e.source.count &- start == a.source.count &- other && e.source.count &- start <= commonSuffix
  }

  mutating func compare(_ i: Int, _ j: Int) {
    if areSeenEqual(i, j) || isCut { return }
    let (x, y) = (e.records[i].kind, a.records[j].kind)
    switch (x, y) {
    case (.object, .object): compareObjects(i, j)
    case (.array, .array): compareArrays(i, j)
    case (.string, .string):
      if !sameBytes(e.text(i), a.text(j)) { emit(.changed, i, j) }
    case (.integer, .integer), (.integer, .real), (.real, .integer), (.real, .real):
      if !JSONNumber.areEqual(e.text(i), a.text(j)), !areNear(i, j) { emit(.changed, i, j) }
    case (.null, .null), (.true, .true), (.false, .false): break
    case (.true, .false), (.false, .true): emit(.changed, i, j)
    default: emit(.type, i, j)
    }
  }

  mutating func compareMember(name: Int, _ i: Int, _ j: Int) {
    if areSeenEqual(i, j) { return }
    path.append(.name(name, isExpected: true))
    compare(i, j)
    path.removeLast()
  }

  mutating func compareElement(_ place: Int, _ i: Int, _ j: Int) {
    if areSeenEqual(i, j) { return }
    path.append(.element(place))
    compare(i, j)
    path.removeLast()
  }

  mutating func emit(_ kind: JSONEdit.Kind, at last: PathEntry, _ i: Int?, _ j: Int?) {
    path.append(last)
    emit(kind, i, j)
    path.removeLast()
  }

  mutating func emit(_ kind: JSONEdit.Kind, _ i: Int?, _ j: Int?) {
    if isCut { return }
    let steps = steps()
    if !options.ignore.isEmpty {
      let tokens = JSONEdit.tokens(of: steps)
      if options.ignore.contains(where: { $0.covers(tokens) }) { return }
    }
    if edits.count == options.editLimit {
      isCut = true
      return
    }
    edits.append(
      JSONEdit(
        kind: kind, path: steps, expected: i.map { JSONNode(index: $0) }, actual: j.map { JSONNode(index: $0) }))
  }

  /// The way to the values at hand.
  func steps() -> [JSONStep] {
    path.map { entry in
      switch entry {
      case .name(let index, true): JSONStep.member(expected.stepName(JSONNode(index: index)))
      case .name(let index, false): JSONStep.member(actual.stepName(JSONNode(index: index)))
      case .element(let index): JSONStep.element(index)
      }
    }
  }

  /// Whether a rule lets two numbers that differ pass.
  private func areNear(_ i: Int, _ j: Int) -> Bool {
    if options.numbers.isEmpty { return false }
    let tokens = JSONEdit.tokens(of: steps())
    guard let rule = options.numbers.first(where: { $0.at.matches(tokens) }),
      let x = Double(String(decoding: e.text(i), as: UTF8.self)),
      let y = Double(String(decoding: a.text(j), as: UTF8.self))
    else { return false }
    return rule.allows(x, y)
  }

  /// Equal hashes are a strong hint; callers go on to compare what hashes alike.
  mutating func treeHashes() -> (expected: [UInt64], actual: [UInt64]) {
    if let hashes { return hashes }
    let made = (TreeHash.all(of: expected), TreeHash.all(of: actual))
    hashes = made
    return made
  }

  /// Whether two elements of arrays are worth a closer look.
  @inline(__always)
  func mayDiffer(_ i: Int, _ j: Int) -> Bool {
    if areSeenEqual(i, j) { return false }
    let (x, y) = (e.records[i], a.records[j])
    // Scalars with equal text are equal; a container's text is not scanned again at each level.
    guard x.kind == y.kind, x.kind != .array, x.kind != .object, x.isEscaped == y.isEscaped else { return true }
    return !sameBytes(e.text(i), a.text(j))
  }
}

extension JSONDocument {
  /// A member's name as a step of a path: whole up to 256 bytes, else its beginning and a hash of all of it, so that
  /// the paths of many edits under one monstrous name stay small.
  fileprivate func stepName(_ name: JSONNode) -> String {
    let limit = 256
    guard records[name.index].length > limit else { return text(of: name) }
    return withText(of: name) { bytes in
      if bytes.count <= limit { return text(of: name) }
      let start = Array(bytes.prefix(limit))
      let kept = String(decoding: start.prefix(characterBoundary(in: start, atMost: limit - 32)), as: UTF8.self)
      return kept + "…" + String(TreeHash.bytes(bytes, seed: 9), radix: 16)
    }
  }

  fileprivate func withSide<R>(_ body: (JSONSide) -> R) -> R {
    records.withUnsafeBufferPointer { records in
      bytes.withUnsafeBytes { source in
        decoded.withUnsafeBytes { decoded in
          body(JSONSide(records: records.baseAddress!, source: source, decoded: decoded))
        }
      }
    }
  }
}

private func sharedPrefix(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
  let limit = min(a.count, b.count)
  var index = 0
  while index &+ 8 <= limit {
    let x = UInt64(littleEndian: a.loadUnaligned(fromByteOffset: index, as: UInt64.self))
    let y = UInt64(littleEndian: b.loadUnaligned(fromByteOffset: index, as: UInt64.self))
    if x != y { return index &+ (x ^ y).trailingZeroBitCount / 8 }
    index &+= 8
  }
  while index < limit, a[index] == b[index] { index &+= 1 }
  return index
}

private func sharedSuffix(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
  let limit = min(a.count, b.count)
  var length = 0
  while length &+ 8 <= limit {
    let x = UInt64(
      littleEndian: a.loadUnaligned(fromByteOffset: a.count &- length &- 8, as: UInt64.self))
    let y = UInt64(
      littleEndian: b.loadUnaligned(fromByteOffset: b.count &- length &- 8, as: UInt64.self))
    if x != y { return length &+ (x ^ y).leadingZeroBitCount / 8 }
    length &+= 8
  }
  while length < limit, a[a.count &- length &- 1] == b[b.count &- length &- 1] { length &+= 1 }
  return length
}
