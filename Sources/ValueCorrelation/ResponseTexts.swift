// The texts of a response in which values are looked for, and the one at a given place.
// In: a response. Out: texts with their places. Owner: pure functions. Bounds: 1,024 scalars of a JSON body, 256
// controls of a page, texts of at most 8 KiB; a body of more than 1 MiB is passed over.

import ContentTree
import HTTPModel

/// Where a text was found; its place is spelt out only for texts that turn out to hold a value.
enum ResponseText {
  case field(ArraySlice<UInt8>)
  case cookie(ArraySlice<UInt8>)
  case json(JSONWalk)
  case control([UInt8])
  case text

  var place: ResponsePlace {
    switch self {
    case .field(let name): .field(String(decoding: name, as: UTF8.self).lowercased())
    case .cookie(let name): .cookie(String(decoding: name, as: UTF8.self))
    case .json(let walk): .json(walk.pointer)
    case .control(let name): .control(String(decoding: name, as: UTF8.self))
    case .text: .text
    }
  }

  /// A longer text is not looked into.
  static let lengthLimit = 8 << 10
  private static let scalarLimit = 1024

  /// Calls `body` with each text of the head, then of the body.
  static func visit(_ response: HTTPResponse, _ body: (UnsafeBufferPointer<UInt8>, ResponseText) -> Void) {
    visitHead(response.fields, body)
    guard let content = ContentKind.content(of: response) else { return }
    switch ContentKind(response.fields, body: content) {
    case .json:
      guard let walk = JSONWalk(content, limit: scalarLimit) else { return }
      walk.visitScalars { node, _ in
        walk.document.withText(of: node) { text in
          if text.count <= lengthLimit { body(text.bindMemory(to: UInt8.self), .json(walk)) }
        }
      }
    case .html:
      for control in HTMLControl.read(content) where control.value.count <= lengthLimit {
        control.value.withUnsafeBufferPointer { body($0, .control(control.name)) }
      }
    case .text where content.count <= lengthLimit:
      trimmed(content).withUnsafeBufferPointer { body($0, .text) }
    case .text, .form, .other: return
    }
  }

  private static func visitHead(
    _ fields: HeaderFields, _ body: (UnsafeBufferPointer<UInt8>, ResponseText) -> Void
  ) {
    fields.storage.withUnsafeBufferPointer { storage in
      var seen: Set<[UInt8]> = []
      for index in fields.ranges.indices where !fields.isPseudoField(index) {
        let range = fields.ranges[index]
        var value = UnsafeBufferPointer(rebasing: storage[Int(range.valueStart)..<Int(range.valueEnd)])
        guard !value.isEmpty, value.count <= lengthLimit else { continue }
        if fields.matches(index, "set-cookie") {
          let pair = value.prefix { $0 != UInt8(ascii: ";") }
          guard let mark = pair.firstIndex(of: UInt8(ascii: "=")) else { continue }
          let name = pair[..<mark].filter { $0 != 0x20 && $0 != 0x09 }
          value = UnsafeBufferPointer(rebasing: pair[(mark + 1)...])
          body(value, .cookie(name[...]))
        } else if !FieldNames.areGeneral(fields.name(at: index), of: .response) {
          let name = fields.name(at: index)
          // Only the first of a name can be found again.
          if seen.insert(name.map { $0 | 0x20 }).inserted { body(value, .field(name)) }
        }
      }
    }
  }

  // MARK: One place

  /// The text at each of several places of one response, which is read only once.
  static func texts(at places: Set<ResponsePlace>, in response: HTTPResponse) -> [ResponsePlace: [UInt8]] {
    var texts: [ResponsePlace: [UInt8]] = [:]
    var document: JSONDocument?
    var controls: [HTMLControl]?
    lazy var content = ContentKind.content(of: response)
    for place in places {
      switch place {
      case .field(let name): texts[place] = response.fields.first(named: name).map { Array($0) }
      case .cookie(let name): texts[place] = cookie(name, in: response.fields)
      case .json(let pointer):
        guard let content, let pointer = JSONPointer(pointer) else { continue }
        if document == nil { document = try? JSONDocument(content) }
        guard let document, let node = document.node(at: pointer) else { continue }
        switch document.kind(of: node) {
        case .string, .integer, .real: texts[place] = document.withText(of: node) { Array($0) }
        case .null, .true, .false, .object, .array: continue
        }
      case .control(let name):
        guard let content else { continue }
        if controls == nil { controls = HTMLControl.read(content) }
        texts[place] = controls?.first { $0.name.elementsEqual(name.utf8) }?.value
      case .text: texts[place] = content.map { trimmed($0) }
      }
    }
    return texts
  }

  /// The last cookie that is set under a name, as a browser would keep it.
  private static func cookie(_ name: String, in fields: HeaderFields) -> [UInt8]? {
    var found: [UInt8]?
    for index in fields.indices(of: "set-cookie") {
      let pair = fields.value(at: index).prefix { $0 != UInt8(ascii: ";") }
      guard let mark = pair.firstIndex(of: UInt8(ascii: "=")) else { continue }
      if pair[..<mark].filter({ $0 != 0x20 && $0 != 0x09 }).elementsEqual(name.utf8) {
        found = Array(pair[(mark + 1)...])
      }
    }
    return found
  }

  private static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || 0x09...0x0d ~= byte }
    guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) })
    else { return [] }
    return Array(bytes[first...last])
  }
}
