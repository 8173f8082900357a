// The endpoints of a run: by rule, else the template of the path with what the traffic shows to be values.
// In: requests in order. Out: names. Owner: RunAnalysis, or whoever reads a session first to know it from its beginning.
// Bounds: 20,000 steps of paths are remembered; steps deeper than 16 are not learned.

public import HTTPModel

/// Names endpoints, and learns which steps of paths are values although they look like names.
///
/// A step of which many different values were seen, each only a few times, is a value: `/users/{name}`. What was named
/// before that was seen keeps its name; a catalog that learned from the whole session first names all alike.
public struct EndpointCatalog: Sendable {
  private struct Node: Sendable {
    var children = Children()
    /// Requests that came by and went on below.
    var requests = 0
    /// Stands for all children, once they are known to be values.
    var value: Int?
  }

  /// The steps below one: few of them are looked through, many are looked up.
  private struct Children: Sendable {
    private var steps: [(segment: [UInt8], node: Int)] = []
    private var numbers: [[UInt8]: Int] = [:]
    private static let fewest = 8

    var count: Int { steps.count }

    subscript(segment: ArraySlice<UInt8>) -> Int? {
      if steps.count > Self.fewest { return numbers[Array(segment)].map { steps[$0].node } }
      return segment.withUnsafeBytes { segment in
        steps.first { $0.segment.withUnsafeBytes { equalBytes($0, segment) } }?.node
      }
    }

    mutating func add(_ segment: ArraySlice<UInt8>, _ node: Int) {
      steps.append((Array(segment), node))
      if steps.count > Self.fewest { index() }
    }

    mutating func removeNames() {
      steps.removeAll { EndpointCatalog.isName($0.segment) }
      numbers = [:]
      if steps.count > Self.fewest { index() }
    }

    private mutating func index() {
      for number in numbers.count..<steps.count { numbers[steps[number].segment] = number }
    }
  }

  /// The first that matches counts; what was named before they changed keeps its name.
  var patterns: [EndpointPattern]
  private let valuesPerStep: Int
  private var nodes = [Node()]
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
    guard var start = template.firstIndex(of: UInt8(ascii: "/")) else {
      name.append(contentsOf: template)
      return
    }
    name.append(contentsOf: template[..<start])
    var (node, depth) = (0, 0)
    while start < template.count {
      let end = template[(start + 1)...].firstIndex(of: UInt8(ascii: "/")) ?? template.count
      let segment = template[start + 1..<end]
      name.append(UInt8(ascii: "/"))
      if depth < Self.depthLimit, let next = step(segment, below: node) {
        name.append(contentsOf: next.isValue ? Array("{name}".utf8)[...] : segment)
        node = next.node
      } else {
        name.append(contentsOf: segment)
        depth = Self.depthLimit
      }
      depth += 1
      start = end
    }
  }

  /// nil where there is no more room to remember.
  private mutating func step(_ segment: ArraySlice<UInt8>, below node: Int) -> (node: Int, isValue: Bool)? {
    nodes[node].requests += 1
    if let child = nodes[node].children[segment] { return (child, false) }
    let isName = Self.isName(segment)
    if isName, let value = nodes[node].value { return (value, true) }
    guard nodes.count < Self.nodeLimit else { return nil }
    nodes.append(Node())
    let child = nodes.count - 1
    let count = nodes[node].children.count + 1
    if isName, count > valuesPerStep, count * 3 >= nodes[node].requests {
      nodes[node].value = child
      nodes[node].children.removeNames()
      return (child, true)
    }
    nodes[node].children.add(segment, child)
    return (child, false)
  }

  /// The end of a path and what the template put in braces are no names.
  private static func isName(_ segment: some Collection<UInt8>) -> Bool {
    !segment.isEmpty && segment.first != UInt8(ascii: "{")
  }
}
