// Secrets in JSON by their members' names and places. In: octets of one or many JSON texts, whole, cut or damaged, alone
// or between other text. Bounds: one pass; memory is the depth, where rules name places.

import ContentTree

extension SecretSearch {
  private struct Walk {
    var depth = 0
    /// The depth of the container all of which is secret.
    var secretDepth: Int?
    var isNextSecret = false
    /// Names and indices of the containers above; kept where rules name places.
    var path: [String] = []
    /// Of each container: the index of its next element, or nil of an object.
    var indices: [Int?] = []
    var name: String?
  }

  /// Deeper places match no rule; names count at any depth.
  private static let depthLimit = 200

  mutating func searchJSON(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ range: Range<Int>, nesting: Int) {
    var walk = Walk()
    var index = range.lowerBound
    while index < range.upperBound {
      switch bytes[index] {
      case UInt8(ascii: "\""): index = string(bytes, index, range.upperBound, &walk, nesting)
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        enter(&walk, isArray: bytes[index] == UInt8(ascii: "["))
        index += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        leave(&walk)
        index += 1
      case UInt8(ascii: ","):
        next(&walk)
        index += 1
      case UInt8(ascii: "-"), 0x30...0x39: index = number(bytes, index, range.upperBound, &walk)
      case 0x0a:
        // One text a line: a line that was cut says nothing about the next.
        if walk.depth == 0 { walk.isNextSecret = false }
        index += 1
      default: index += 1
      }
    }
  }

  private func enter(_ walk: inout Walk, isArray: Bool) {
    let isSecret = isSecret(&walk)
    if !catalog.pointers.isEmpty {
      if walk.depth > 0 { walk.path.append(token(walk)) }
      if walk.indices.count < Self.depthLimit { walk.indices.append(isArray ? 0 : nil) }
    }
    if isSecret, walk.secretDepth == nil { walk.secretDepth = walk.depth }
    walk.depth += 1
    walk.isNextSecret = false
    walk.name = nil
  }

  private func leave(_ walk: inout Walk) {
    guard walk.depth > 0 else { return }
    walk.depth -= 1
    if walk.secretDepth == walk.depth { walk.secretDepth = nil }
    walk.isNextSecret = false
    guard !catalog.pointers.isEmpty, walk.depth < Self.depthLimit else { return }
    _ = walk.indices.popLast()
    _ = walk.path.popLast()
  }

  private func next(_ walk: inout Walk) {
    walk.isNextSecret = false
    walk.name = nil
    if let last = walk.indices.indices.last, let index = walk.indices[last] { walk.indices[last] = index + 1 }
  }

  private func token(_ walk: borrowing Walk) -> String {
    walk.name ?? (walk.indices.last.flatMap { $0 }.map { String($0) } ?? "")
  }

  /// Whether the value that begins here is.
  private func isSecret(_ walk: inout Walk) -> Bool {
    if walk.isNextSecret || walk.secretDepth != nil { return true }
    guard !catalog.pointers.isEmpty, walk.depth < Self.depthLimit else { return false }
    let path = walk.depth == 0 ? [] : walk.path + [token(walk)]
    let last = path.last
    return catalog.pointers.contains { pattern in
      if case .name(let name)? = pattern.steps.last, name != last { return false }
      return pattern.matches(path)
    }
  }

  /// - Returns: the index behind it.
  private mutating func string(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ start: Int, _ end: Int, _ walk: inout Walk, _ nesting: Int
  ) -> Int {
    var index = start + 1
    var (hasEscape, hasPairs, hasAddress) = (false, false, false)
    scan: while index < end {
      switch bytes[index] {
      case 0x22: break scan
      case 0x5c:
        hasEscape = true
        index += 2
        continue
      // No string goes over lines: what seemed to be one began in the middle.
      case 0x0a: break scan
      case UInt8(ascii: "="): hasPairs = true
      case UInt8(ascii: "@"): hasAddress = true
      default: break
      }
      index += 1
    }
    index = min(index, end)
    let content = start + 1..<index
    let isClosed = index < end && bytes[index] == 0x22
    let behind = isClosed ? index + 1 : index
    var colon = behind
    while colon < end, bytes[colon] == 0x20 || bytes[colon] >= 0x09 && bytes[colon] <= 0x0d { colon += 1 }
    if isClosed, colon < end, bytes[colon] == UInt8(ascii: ":"), walk.name == nil {
      readName(bytes, content, hasEscape, &walk)
      return colon + 1
    }
    if isSecret(&walk) {
      writer.hideJSON(bytes, start..<behind, isString: true, name: walk.name ?? "value")
    } else if hasEscape, content.count > 6 {
      if catalog.mayHoldSecret(bytes.slice(content)) { lookInside(bytes, content, .json, nesting: nesting) }
    } else {
      if hasPairs { searchPairs(bytes, content, in: .text, nesting: nesting) }
      if hasAddress { searchUserInformation(bytes, content) }
    }
    walk.isNextSecret = false
    return behind
  }

  private func readName(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ range: Range<Int>, _ hasEscape: Bool, _ walk: inout Walk
  ) {
    let keepsName = !catalog.pointers.isEmpty || writer.inspects
    guard hasEscape else {
      walk.isNextSecret = catalog.fields.contains(bytes.slice(range))
      walk.name = keepsName ? String(decoding: bytes.slice(range), as: UTF8.self) : ""
      return
    }
    let text = SpeltText(bytes, range.prefix(1024), .json).characters
    walk.isNextSecret = text.withUnsafeBufferPointer { catalog.fields.contains($0) }
    walk.name = keepsName ? String(decoding: text, as: UTF8.self) : ""
  }

  private mutating func number(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ start: Int, _ end: Int, _ walk: inout Walk
  ) -> Int {
    var index = start + 1
    scan: while index < end {
      switch bytes[index] {
      case 0x30...0x39, UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"):
        index += 1
      default: break scan
      }
    }
    if isSecret(&walk) { writer.hideJSON(bytes, start..<index, isString: false, name: walk.name ?? "value") }
    walk.isNextSecret = false
    return index
  }
}
