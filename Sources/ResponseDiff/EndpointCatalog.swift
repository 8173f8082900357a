// The endpoints of a run: by rule, else the template of the path with what the traffic shows to be values.
// In: requests in order. Out: names. Owner: RunAnalysis, or whoever reads a session first to know it from its beginning.
// Bounds: 20,000 steps of paths are remembered; steps deeper than 16 are not learned.

public import HTTPModel

/// Names endpoints, and learns which steps of paths are values although they look like names.
///
/// A step of which many different values were seen, each only a few times, is a value: `/users/{name}`. What was named
/// before that was seen keeps its name; a catalog that learned from the whole session first names all alike.
public struct EndpointCatalog: Sendable {
  /// A step of paths below another, or the root.
  private struct Node: Sendable {
    /// The step above; below 0 where this one is not looked up any more, or never was.
    var parent: Int
    /// Where its name stands among those of all.
    var name: Range<Int>
    /// Steps below it that are looked up.
    var children = 0
    /// Requests that came by and went on below.
    var requests = 0
    /// Stands for all children, once they are known to be values.
    var value: Int?
    /// The child that was looked up last; below 0 where none was.
    var recent = -1
  }

  /// The first that matches counts; what was named before they changed keeps its name.
  var patterns: [EndpointPattern]
  private let valuesPerStep: Int
  private var nodes = [Node(parent: -1, name: 0..<0)]
  private var names: [UInt8] = []
  private var numbers = HashIndex()
  /// Nobody can choose paths so that all of them are in one place of the table.
  private let seed = UInt64.random(in: 0 ... .max)
  /// For steps of which a part looks like a value.
  private var stepBuffer: [UInt8] = []
  private static let nodeLimit = 20_000
  private static let depthLimit = 16

  /// - Parameters:
  ///   - patterns: endpoints by rule; the first that matches counts.
  ///   - valuesPerStep: so many different steps at one place are values, where each was seen three times at most on average.
  public init(patterns: [EndpointPattern] = [], valuesPerStep: Int = 50) {
    self.patterns = patterns
    self.valuesPerStep = max(2, valuesPerStep)
  }

  /// The endpoint of a request, learned from on the way.
  public mutating func name(of request: HTTPRequest) -> String {
    var name: [UInt8] = []
    write(request, visit(request), into: &name)
    return String(decoding: name, as: UTF8.self)
  }

  /// What a request's name is made of.
  struct Visit {
    /// Where a path ended that is remembered to its end: this and the method stand for the name. nil where there is
    /// more to the name, or less is remembered.
    fileprivate(set) var leaf: Int?
    fileprivate var pattern: Int?
    /// The steps that stand for values although they look like names, by their bits.
    fileprivate var values: UInt64 = 0
    fileprivate var operation: [UInt8]?
  }

  /// Learns from a request.
  mutating func visit(_ request: HTTPRequest) -> Visit {
    var visit = Visit()
    visit.pattern = EndpointPattern.firstIndex(of: patterns, matching: request)
    if visit.pattern != nil || GRPCComparison.isSpoken(request.fields) { return visit }
    let target = request.target
    let path = target.first == UInt8(ascii: "/") ? target : EndpointTemplate.path(of: target)
    let mayName = path.withUnsafeBufferPointer { learn($0, &visit) }
    if mayName, let operation = GraphQLOperation.name(in: request) {
      visit.leaf = nil
      visit.operation = operation
    }
    return visit
  }

  /// Appends the name of a request that was visited to a buffer that the caller uses again.
  func write(_ request: HTTPRequest, _ visit: Visit, into name: inout [UInt8]) {
    if let pattern = visit.pattern {
      name.append(contentsOf: request.method.prefix(EndpointTemplate.methodLimit))
      name.append(0x20)
      name.append(contentsOf: patterns[pattern].path.utf8)
      return
    }
    EndpointTemplate.write(method: request.method, target: request.target, values: visit.values, into: &name)
    if let operation = visit.operation {
      name.append(0x20)
      name.append(contentsOf: operation)
    }
  }

  /// Walks a path's steps down the tree. True where the last one may be the place at which GraphQL is spoken.
  @inline(__always)
  private mutating func learn(_ path: UnsafeBufferPointer<UInt8>, _ visit: inout Visit) -> Bool {
    var steps = PathSteps(path)
    var (node, depth, isWhole, mayName) = (0, 0, true, false)
    while let found = steps.next() {
      mayName = found.text.last == UInt8(ascii: "l")
      guard isWhole, depth < Self.depthLimit, let next = step(found, below: node) else {
        isWhole = false
        continue
      }
      if next.isValue { visit.values |= 1 &<< UInt64(depth) }
      node = next.node
      depth &+= 1
    }
    if isWhole, depth > 0, !steps.isCut { visit.leaf = node }
    return mayName
  }

  @inline(__always)
  private mutating func step(_ step: PathSteps.Step, below node: Int) -> (node: Int, isValue: Bool)? {
    guard let value = step.value else { return self.step(step.text, below: node) }
    if value.length == step.text.count {
      let placeholder = value.placeholder
      return self.step(
        UnsafeBufferPointer(start: placeholder.utf8Start, count: placeholder.utf8CodeUnitCount), below: node)
    }
    // Taken out, so that walking the tree changes nothing that is read.
    var text: [UInt8] = []
    swap(&text, &stepBuffer)
    text.removeAll(keepingCapacity: true)
    step.append(to: &text)
    defer { swap(&text, &stepBuffer) }
    return text.withUnsafeBufferPointer { self.step($0, below: node) }
  }

  /// nil where there is no more room to remember.
  private mutating func step(
    _ segment: UnsafeBufferPointer<UInt8>, below node: Int
  ) -> (node: Int, isValue: Bool)? {
    nodes[node].requests += 1
    let recent = nodes[node].recent
    if recent >= 0, isChild(recent, segment, below: node) { return (recent, false) }
    let hash = octetHash(segment, seed: seed &+ UInt64(node))
    if let child = numbers.number(of: hash, where: { isChild($0, segment, below: node) }) {
      nodes[node].recent = child
      return (child, false)
    }
    let isName = Self.isName(segment)
    if isName, let value = nodes[node].value { return (value, true) }
    guard nodes.count < Self.nodeLimit else { return nil }
    let child = nodes.count
    let count = nodes[node].children + 1
    if isName, count > valuesPerStep, count * 3 >= nodes[node].requests {
      nodes.append(Node(parent: -1, name: 0..<0))
      nodes[node].value = child
      removeNames(below: node)
      return (child, true)
    }
    nodes.append(Node(parent: node, name: names.count..<names.count + segment.count))
    names.append(contentsOf: segment)
    nodes[node].children = count
    numbers.add(hash, child)
    return (child, false)
  }

  @inline(__always)
  private func isChild(_ number: Int, _ segment: UnsafeBufferPointer<UInt8>, below node: Int) -> Bool {
    guard nodes[number].parent == node, nodes[number].name.count == segment.count else { return false }
    return names.withUnsafeBytes {
      equalBytes(UnsafeRawBufferPointer(rebasing: $0[nodes[number].name]), UnsafeRawBufferPointer(segment))
    }
  }

  private mutating func removeNames(below node: Int) {
    for child in nodes.indices where nodes[child].parent == node {
      let isName = names.withUnsafeBufferPointer { Self.isName(UnsafeBufferPointer(rebasing: $0[nodes[child].name])) }
      guard isName else { continue }
      nodes[child].parent = -1
      nodes[node].children -= 1
    }
  }

  /// The end of a path and what the template put in braces are no names.
  private static func isName(_ segment: UnsafeBufferPointer<UInt8>) -> Bool {
    !segment.isEmpty && segment.first != UInt8(ascii: "{")
  }
}
