// The operation that a GraphQL request names, since all of them share one path (GraphQL over HTTP, 5).
// In: a request. Out: the operation's name. Owner: a pure function. Bounds: bodies up to 1 MB; names up to 64 bytes.

import ContentTree
import HTTPModel

enum GraphQLOperation {
  private static let bodyLimit = 1 << 20
  private static let nameLimit = 64

  /// nil for a request that is not GraphQL's, or does not name its operation.
  static func name(in request: HTTPRequest) -> [UInt8]? {
    // Most paths end in another letter.
    let path = EndpointTemplate.path(of: request.target)
    guard path.last == UInt8(ascii: "l") else { return nil }
    let last = path.suffix(while: { $0 != UInt8(ascii: "/") })
    guard last.elementsEqual("graphql".utf8) || last.elementsEqual("gql".utf8) else { return nil }
    if request.body.bytes.isEmpty {
      guard let mark = request.target.firstIndex(of: UInt8(ascii: "?")),
        let fields = FormField.read(Array(request.target[(mark + 1)...]), limit: 100)
      else { return nil }
      if let named = fields.first(where: { $0.name.elementsEqual("operationName".utf8) }) { return valid(named.value) }
      return fields.first { $0.name.elementsEqual("query".utf8) }.flatMap { named(in: $0.value) }
    }
    guard request.body.bytes.count <= bodyLimit, let document = try? JSONDocument(request.body.bytes),
      document.kind(of: document.root) == .object
    else { return nil }
    var query: JSONNode?
    for child in document.children(of: document.root) {
      guard let name = child.name, document.kind(of: child.value) == .string else { continue }
      switch document.text(of: name) {
      case "operationName": return document.withText(of: child.value) { valid(Array($0)) }
      case "query": query = child.value
      default: break
      }
    }
    return query.flatMap { document.withText(of: $0) { named(in: Array($0.prefix(4096))) } }
  }

  /// The name of the first operation in a document: `query Name(...) {`.
  private static func named(in query: [UInt8]) -> [UInt8]? {
    let words = query.prefix { $0 != UInt8(ascii: "{") && $0 != UInt8(ascii: "(") }
      .split { $0 <= 0x20 || $0 == UInt8(ascii: ",") }
    guard words.count >= 2, ["query", "mutation", "subscription"].contains(where: { words[0].elementsEqual($0.utf8) })
    else { return nil }
    return valid(Array(words[1]))
  }

  private static func valid(_ name: [UInt8]) -> [UInt8]? {
    let isName = name.allSatisfy { byte in
      byte == UInt8(ascii: "_") || byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26
    }
    return isName && !name.isEmpty && name.count <= nameLimit ? name : nil
  }
}

extension ArraySlice<UInt8> {
  /// The longest end of which each byte is wanted.
  fileprivate func suffix(while isWanted: (UInt8) -> Bool) -> ArraySlice<UInt8> {
    self[(lastIndex { !isWanted($0) }.map { $0 + 1 } ?? startIndex)...]
  }
}
