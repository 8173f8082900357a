/// Finds `query` members of a JSON object, or of the objects of an array, and reads their strings.
///
/// One pass over the bytes, lenient: what is not JSON ends it. Memory: the queries found.
struct JSONQueryReader {
  enum Query: Hashable {
    case document([UInt8])
    /// No text, but a reference to one that the server has.
    case persisted
  }

  private let bytes: [UInt8]
  private var index = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func queries() -> [Query] {
    var found: [Query] = []
    skipSpace()
    guard peek == UInt8(ascii: "[") else {
      if let query = object() { found.append(query) }
      return found
    }
    index += 1
    while index < bytes.count {
      skipSpace()
      switch peek {
      case UInt8(ascii: "{"): if let query = object() { found.append(query) }
      case UInt8(ascii: ","): index += 1
      default: return found
      }
    }
    return found
  }

  /// The query of the object that begins here.
  private mutating func object() -> Query? {
    guard peek == UInt8(ascii: "{") else { return nil }
    index += 1
    var (document, isPersisted): ([UInt8]?, Bool) = (nil, false)
    while true {
      skipSpace()
      if peek == UInt8(ascii: ",") {
        index += 1
        continue
      }
      guard peek == UInt8(ascii: "\"") else { break }
      let name = string()
      skipSpace()
      guard peek == UInt8(ascii: ":") else { break }
      index += 1
      skipSpace()
      if name.elementsEqual("query".utf8), peek == UInt8(ascii: "\"") {
        document = string()
      } else {
        let start = index
        skipValue()
        let names = ["extensions", "documentId", "doc_id"]
        if names.contains(where: { name.elementsEqual($0.utf8) }) {
          // Extensions are for much; a persisted operation is what one of them is called.
          isPersisted =
            isPersisted || name.first != UInt8(ascii: "e") || contains("persistedQuery", bytes[start..<index])
        } else if name.elementsEqual("operationName".utf8) {
          isPersisted = isPersisted || start < bytes.count && bytes[start] == UInt8(ascii: "\"")
        }
      }
    }
    if peek == UInt8(ascii: "}") { index += 1 }
    if let document { return .document(document) }
    return isPersisted ? .persisted : nil
  }

  private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { index += 1 }
  }

  /// The string that begins here, its escapes undone as far as GraphQL's syntax asks: of \u escapes ASCII alone.
  private mutating func string() -> [UInt8] {
    var text: [UInt8] = []
    index += 1
    while let byte = peek, byte != UInt8(ascii: "\"") {
      index += 1
      guard byte == UInt8(ascii: "\\"), let escaped = peek else {
        text.append(byte)
        continue
      }
      index += 1
      switch escaped {
      case UInt8(ascii: "n"): text.append(0x0a)
      case UInt8(ascii: "r"): text.append(0x0d)
      case UInt8(ascii: "t"): text.append(0x09)
      case UInt8(ascii: "b"), UInt8(ascii: "f"): text.append(0x20)
      case UInt8(ascii: "u"):
        let digits = bytes[index..<min(index + 4, bytes.count)]
        index += digits.count
        text.append(UInt8(String(decoding: digits, as: UTF8.self), radix: 16) ?? UInt8(ascii: "?"))
      default: text.append(escaped)
      }
    }
    index = min(index + 1, bytes.count)
    return text
  }

  private mutating func skipValue() {
    var depth = 0
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        skipString()
        if depth == 0 { return }
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 { return }
        depth -= 1
        if depth == 0 {
          index += 1
          return
        }
      case UInt8(ascii: ","): if depth == 0 { return }
      default: break
      }
      index += 1
    }
  }

  private mutating func skipString() {
    index += 1
    while let byte = peek, byte != UInt8(ascii: "\"") { index += byte == UInt8(ascii: "\\") ? 2 : 1 }
    index = min(index + 1, bytes.count)
  }

  private func contains(_ word: String, _ slice: ArraySlice<UInt8>) -> Bool { slice.firstRange(of: word.utf8) != nil }
}
