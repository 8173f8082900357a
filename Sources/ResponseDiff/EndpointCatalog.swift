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
  }

  /// The first that matches counts; what was named before they changed keeps its name.
  var patterns: [EndpointPattern]
  private let valuesPerStep: Int
  private var nodes = [Node(parent: -1, name: 0..<0)]
  private var names: [UInt8] = []
  private var numbers = HashIndex()
  /// Nobody can choose paths so that all of them are in one place of the table.
  private let seed = UInt64.random(in: 0 ... .max)
  private var template: [UInt8] = []
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
    write(request, into: &name)
    return String(decoding: name, as: UTF8.self)
  }

  /// Appends the name to a buffer that the caller uses again.
  mutating func write(_ request: HTTPRequest, into name: inout [UInt8]) {
    let (method, target) = (request.method, request.target)
    if let pattern = EndpointPattern.first(of: patterns, matching: request) {
      name.append(contentsOf: method.prefix(EndpointTemplate.methodLimit))
      name.append(0x20)
      name.append(contentsOf: pattern.path.utf8)
      return
    }
    template.removeAll(keepingCapacity: true)
    EndpointTemplate.write(method: method, target: target, into: &template)
    if GRPCComparison.isSpoken(request.fields) {
      name.append(contentsOf: template)
      return
    }
    learn(into: &name)
    if let operation = GraphQLOperation.name(in: request) {
      name.append(0x20)
      name.append(contentsOf: operation)
    }
  }

  /// Walks the template's steps down the tree and writes them, values in braces.
  private mutating func learn(into name: inout [UInt8]) {
    // Taken out, so that walking it changes nothing that is read.
    let template = self.template
    template.withUnsafeBufferPointer { template in
      var start = template.firstIndex(of: UInt8(ascii: "/")) ?? template.count
      var (node, depth, written) = (0, 0, 0)
      while start < template.count, depth < Self.depthLimit {
        var end = start &+ 1
        while end < template.count, template[end] != UInt8(ascii: "/") { end &+= 1 }
        let segment = UnsafeBufferPointer(rebasing: template[start &+ 1..<end])
        guard let next = step(segment, below: node) else { break }
        if next.isValue {
          name.append(contentsOf: UnsafeBufferPointer(rebasing: template[written...start]))
          name.append(contentsOf: "{name}".utf8)
          written = end
        }
        node = next.node
        depth += 1
        start = end
      }
      name.append(contentsOf: UnsafeBufferPointer(rebasing: template[written...]))
    }
  }

  /// nil where there is no more room to remember.
  private mutating func step(
    _ segment: UnsafeBufferPointer<UInt8>, below node: Int
  ) -> (node: Int, isValue: Bool)? {
    nodes[node].requests += 1
    let hash = octetHash(segment, seed: seed &+ UInt64(node))
    if let child = child(segment, hash, below: node) { return (child, false) }
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

  private func child(_ segment: UnsafeBufferPointer<UInt8>, _ hash: UInt64, below node: Int) -> Int? {
    numbers.number(of: hash) { number in
      guard nodes[number].parent == node, nodes[number].name.count == segment.count else { return false }
      return names.withUnsafeBytes {
        equalBytes(UnsafeRawBufferPointer(rebasing: $0[nodes[number].name]), UnsafeRawBufferPointer(segment))
      }
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
