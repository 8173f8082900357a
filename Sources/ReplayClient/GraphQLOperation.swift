/// Whether a GraphQL request may change something (GraphQL over HTTP, 5; GraphQL, 2.3).
///
/// Bytes of a request's body in, a verdict out; one pass, no tree. What cannot be told (a persisted operation, of which
/// only the hash is sent) counts as a change.
enum GraphQLOperation {
  /// Whether a body is, or may be, a GraphQL request with a mutation.
  ///
  /// - Parameter contentType: as sent; parameters are left out of account.
  static func mayMutate(body: [UInt8], contentType: some Sequence<UInt8>) -> Bool {
    let type = contentType.prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 }.map { $0 | 0x20 }
    if type.elementsEqual("application/graphql".utf8) { return hasMutation(document: body) }
    guard type.elementsEqual("application/json".utf8) || type.elementsEqual("application/graphql+json".utf8) else {
      return false
    }
    var reader = JSONQueryReader(body)
    return reader.queries().contains { query in
      switch query {
      case .document(let document): hasMutation(document: document)
      case .persisted: true
      }
    }
  }

  /// Whether a document defines a mutation: the word at its top level, outside strings and comments.
  static func hasMutation(document: [UInt8]) -> Bool {
    var (index, depth) = (0, 0)
    while index < document.count {
      switch document[index] {
      case UInt8(ascii: "#"):
        while index < document.count, document[index] != 0x0a, document[index] != 0x0d { index += 1 }
        continue
      case UInt8(ascii: "\""):
        index = endOfString(document, index)
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "("): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: ")"): depth -= 1
      case let byte where isNameByte(byte):
        let start = index
        while index < document.count, isNameByte(document[index]) { index += 1 }
        // A name that an operation or a fragment has, or a directive's or variable's, follows a keyword or a sign.
        if depth <= 0, isDefinition(document, start), document[start..<index].elementsEqual("mutation".utf8) {
          return true
        }
        continue
      default: break
      }
      index += 1
    }
    return false
  }

  /// Nothing or a closing brace stands before this word: it begins a definition.
  private static func isDefinition(_ document: [UInt8], _ start: Int) -> Bool {
    var index = start - 1
    while index >= 0 {
      switch document[index] {
      case 0x09, 0x0a, 0x0d, 0x20, UInt8(ascii: ","), 0xef, 0xbb, 0xbf: index -= 1
      case UInt8(ascii: "}"): return true
      default:
        // Behind a comment's end or a description's; otherwise the word is something's name.
        return !isNameByte(document[index]) && document[index] != UInt8(ascii: "@") && document[index] != 0x24
          || lineIsComment(document, index)
      }
    }
    return true
  }

  private static func lineIsComment(_ document: [UInt8], _ end: Int) -> Bool {
    var index = end
    while index >= 0, document[index] != 0x0a, document[index] != 0x0d {
      if document[index] == UInt8(ascii: "#") { return true }
      index -= 1
    }
    return false
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte & 0xdf) || byte == UInt8(ascii: "_")
  }

  /// Behind a string or a block string; the document's end where it has none.
  private static func endOfString(_ document: [UInt8], _ start: Int) -> Int {
    let quote = UInt8(ascii: "\"")
    if document[start...].starts(with: [quote, quote, quote]) {
      var index = start + 3
      while index < document.count {
        if document[index] == UInt8(ascii: "\\") {
          index += 4
        } else if document[index...].starts(with: [quote, quote, quote]) {
          return index + 3
        } else {
          index += 1
        }
      }
      return document.count
    }
    var index = start + 1
    while index < document.count, document[index] != quote, document[index] != 0x0a {
      index += document[index] == UInt8(ascii: "\\") ? 2 : 1
    }
    return min(index + 1, document.count)
  }
}
