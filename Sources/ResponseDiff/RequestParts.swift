// What a request can do without, and the request without it.
//
// In: a request. Out: its query parameters, header fields, cookies and members of its body as parts; requests that have
// some of them. Owner: RequestShrinking. Bounds: 512 parts of a request; bodies of 1 MB.

import ContentTree
import HTTPModel

/// A part of a request that may not be needed.
public struct RequestPart: Hashable, Sendable {
  /// Where it stands.
  public enum Kind: String, CaseIterable, Sendable { case query, header, cookie, body }

  /// Where it stands.
  public var kind: Kind
  /// For a person: `currency=JPY`, `Accept-Language: ja`, `cookie theme=dark`, `/filter/colour`.
  public var text: String
}

/// A request taken apart.
struct RequestParts {
  let request: HTTPRequest
  private(set) var parts: [RequestPart] = []
  private var parameters: [ArraySlice<UInt8>] = []
  /// By part, the index of its field.
  private var fields: [Int] = []
  /// By part, the index of its field and its place in it.
  private var cookies: [(field: Int, pair: ArraySlice<UInt8>)] = []
  private let body: BodyParts?
  /// The first part of the body.
  private var bodyStart = 0

  static let partLimit = 512
  private static let textLimit = 120

  /// - Parameters:
  ///   - depth: of body members: 0 takes a request apart, and its body's outermost members; more only members that deep in
  ///     its body.
  ///   - descriptors: that name the fields of gRPC messages.
  init(_ request: HTTPRequest, depth: Int = 0, descriptors: ProtobufDescriptors? = nil) {
    self.request = request
    body = BodyParts(request, depth: depth, descriptors)
    if depth == 0 { takeHead() }
    bodyStart = parts.count
    for name in body?.names ?? [] where parts.count < Self.partLimit { add(.body, name) }
  }

  /// How many there are of each kind, in the order of the parts.
  var groups: [Int] { RequestPart.Kind.allCases.map { kind in parts.count { $0.kind == kind } } }

  /// What stands in a request's body that holds nothing else.
  static func leaves(of request: HTTPRequest, _ descriptors: ProtobufDescriptors?) -> [RequestPart] {
    (BodyParts(request, depth: 0, descriptors)?.leaves ?? []).map {
      RequestPart(kind: .body, text: excerptText($0, limit: textLimit))
    }
  }

  private mutating func add(_ kind: RequestPart.Kind, _ text: [UInt8]) {
    parts.append(RequestPart(kind: kind, text: excerptText(text, limit: Self.textLimit)))
  }

  private mutating func takeHead() {
    let target = request.target
    if let mark = target.firstIndex(of: UInt8(ascii: "?")) {
      for pair in target[(mark + 1)...].split(separator: UInt8(ascii: "&")) where parts.count < Self.partLimit {
        parameters.append(pair)
        add(.query, Array(pair))
      }
    }
    var pairs: [(Int, ArraySlice<UInt8>)] = []
    for index in request.fields.ranges.indices where parts.count < Self.partLimit {
      if request.fields.matches(index, "cookie") {
        for pair in request.fields.value(at: index).split(separator: UInt8(ascii: ";")) {
          pairs.append((index, pair.drop { $0 == 0x20 || $0 == 0x09 }))
        }
      } else if !isNeededByProtocol(index) {
        fields.append(index)
        add(.header, request.fields.name(at: index) + Array(": ".utf8) + request.fields.value(at: index))
      }
    }
    for (field, pair) in pairs where parts.count < Self.partLimit {
      cookies.append((field, pair))
      add(.cookie, Array("cookie ".utf8) + pair)
    }
  }

  /// Fields that say where a message goes, how it is framed or what its body is.
  private func isNeededByProtocol(_ index: Int) -> Bool {
    let name = lowercased(request.fields.name(at: index))
    let always = ["host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade", "expect"]
    let ofBody = ["content-type", "content-encoding", "grpc-encoding"]
    if request.fields.isPseudoField(index) || always.contains(where: { name.elementsEqual($0.utf8) }) { return true }
    return !request.body.bytes.isEmpty && ofBody.contains { name.elementsEqual($0.utf8) }
  }

  // MARK: Putting together

  /// The request with these of its parts alone, and with what it can't be without.
  /// - Parameter kept: indices of ``parts``, rising.
  func request(keeping kept: [Int]) -> HTTPRequest {
    let kept = Set(kept)
    var bytes = Array(request.method) + [0x20]
    let methodEnd = UInt32(bytes.count - 1)
    bytes += target(kept)
    let targetEnd = UInt32(bytes.count)
    let newBody = body?.bytes { bodyStart + $0 >= parts.count || kept.contains(bodyStart + $0) }
    var head = HeaderFields(storage: bytes)
    let cookies = cookieValues(kept)
    for index in request.fields.ranges.indices {
      let name = request.fields.name(at: index)
      if let part = fields.firstIndex(of: index), !kept.contains(parameters.count + part) { continue }
      if request.fields.matches(index, "cookie"), let cookies {
        if let value = cookies[index] { head.append(name: name, value: value) }
      } else if let newBody, request.fields.matches(index, "content-length") {
        head.append(name: name, value: "\(newBody.count)".utf8)
      } else {
        head.append(name: name, value: request.fields.value(at: index))
      }
    }
    var smaller = HTTPRequest(
      version: request.version, methodRange: 0..<methodEnd, targetRange: methodEnd + 1..<targetEnd, fields: head,
      trailers: request.trailers, body: request.body, timing: request.timing)
    if let newBody {
      smaller.body = HTTPBody(bytes: newBody, size: UInt64(newBody.count), framing: request.body.framing)
    }
    return smaller
  }

  private func target(_ kept: Set<Int>) -> [UInt8] {
    let target = request.target
    guard !parameters.isEmpty, let mark = target.firstIndex(of: UInt8(ascii: "?")) else { return Array(target) }
    let rest = parameters.indices.filter { kept.contains($0) }.map { parameters[$0] }
    let query = rest.isEmpty ? [] : [UInt8(ascii: "?")] + Array(rest.joined(separator: [UInt8(ascii: "&")]))
    return Array(target[..<mark]) + query
  }

  /// By field, the cookies that stay in it; nil where cookies are no parts.
  private func cookieValues(_ kept: Set<Int>) -> [Int: [UInt8]]? {
    guard !cookies.isEmpty else { return nil }
    var values: [Int: [UInt8]] = [:]
    for (place, cookie) in cookies.enumerated() where kept.contains(parameters.count + fields.count + place) {
      values[cookie.field] = (values[cookie.field].map { $0 + Array("; ".utf8) } ?? []) + cookie.pair
    }
    return values
  }
}

/// The members of a body at one depth.
struct BodyParts {
  private enum Content {
    case json(JSONDocument)
    case form([ArraySlice<UInt8>])
    case message(MessageParts)
  }

  private static let bodyLimit = 1 << 20

  /// Where each part stands: a pointer, a form's field, the names or numbers of a message's field and those around it.
  private(set) var names: [[UInt8]] = []
  private let content: Content
  private let depth: Int

  /// nil where there is no body, its form is not known, or nothing stands that deep in it.
  init?(_ request: HTTPRequest, depth: Int, _ descriptors: ProtobufDescriptors?) {
    let bytes = request.body.bytes
    guard !bytes.isEmpty, bytes.count <= Self.bodyLimit, request.body.isComplete,
      request.fields.first("content-encoding") == nil
    else { return nil }
    let type = lowercased(request.fields.first("content-type") ?? [])
    self.depth = depth
    if type.starts(with: "application/grpc".utf8) {
      let type = descriptors?.method(at: request.target)?.input
      guard let message = MessageParts(body: bytes, depth: depth, type: type, descriptors) else { return nil }
      content = .message(message)
      names = message.names
    } else if type.starts(with: "application/x-www-form-urlencoded".utf8) {
      guard depth == 0 else { return nil }
      let pairs = bytes.split(separator: UInt8(ascii: "&"))
      content = .form(pairs)
      names = pairs.map { Array($0) }
    } else {
      guard let document = try? JSONDocument(bytes) else { return nil }
      content = .json(document)
      collect(document, document.root, 0, [])
    }
    if names.isEmpty { return nil }
  }

  /// What stands in the body that holds nothing else, at any depth.
  var leaves: [[UInt8]] {
    switch content {
    case .form: return names
    case .message(let message): return message.leaves
    case .json(let document):
      var leaves: [[UInt8]] = []
      collectLeaves(document, document.root, [], into: &leaves)
      return leaves
    }
  }

  private func collectLeaves(
    _ document: JSONDocument, _ node: JSONNode, _ path: [String], into leaves: inout [[UInt8]]
  ) {
    for (index, child) in document.children(of: node).enumerated() {
      guard leaves.count < RequestParts.partLimit else { return }
      let path = path + [child.name.map { document.text(of: $0) } ?? String(index)]
      if document.count(of: child.value) == 0 {
        leaves.append(Array(JSONPointer(tokens: path).description.utf8))
      } else {
        collectLeaves(document, child.value, path, into: &leaves)
      }
    }
  }

  /// The body with the parts that are kept.
  func bytes(keeping isKept: (Int) -> Bool) -> [UInt8] {
    switch content {
    case .form(let pairs):
      return Array(pairs.indices.filter(isKept).map { pairs[$0] }.joined(separator: [UInt8(ascii: "&")]))
    case .message(let message): return message.body(keeping: isKept)
    case .json(let document):
      var (out, number) = ([UInt8](), 0)
      write(document, document.root, 0, isKept, &number, &out)
      return out
    }
  }

  private mutating func collect(_ document: JSONDocument, _ node: JSONNode, _ level: Int, _ path: [String]) {
    for (index, child) in document.children(of: node).enumerated() {
      let path = path + [child.name.map { document.text(of: $0) } ?? String(index)]
      if level == depth {
        names.append(Array(JSONPointer(tokens: path).description.utf8))
      } else {
        collect(document, child.value, level + 1, path)
      }
    }
  }

  /// - Parameter number: of the next part.
  private func write(
    _ document: JSONDocument, _ node: JSONNode, _ level: Int, _ isKept: (Int) -> Bool, _ number: inout Int,
    _ out: inout [UInt8]
  ) {
    let kind = document.kind(of: node)
    guard level <= depth, kind == .object || kind == .array else {
      out += document.bytes[document.sourceRange(of: node)]
      return
    }
    out.append(kind == .object ? UInt8(ascii: "{") : UInt8(ascii: "["))
    var isFirst = true
    for child in document.children(of: node) {
      if level == depth {
        number += 1
        if !isKept(number - 1) { continue }
      }
      if !isFirst { out.append(UInt8(ascii: ",")) }
      isFirst = false
      if let name = child.name { out += document.bytes[document.sourceRange(of: name)] + [UInt8(ascii: ":")] }
      write(document, child.value, level + 1, isKept, &number, &out)
    }
    out.append(kind == .object ? UInt8(ascii: "}") : UInt8(ascii: "]"))
  }
}
