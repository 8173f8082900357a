// Secrets in one protobuf message of a gRPC call. In: fields as a walk comes by them. Out: what is hidden, and calls of
// the writer. Owner: one walk. Bounds: those of the walk; names are compared once for each field.

import ContentTree

/// What is hidden in the messages of one direction of a call.
struct CallScope {
  /// A message's full name; nil where descriptors don't know it.
  var type: String?
  /// Fields with well-known names are.
  var hidesKnownNames = false
  var numbers: [[UInt32]] = []
  /// As ``RedactRule/GRPCFields/foldedName(_:)`` spells them.
  var names: [JSONPointerPattern] = []
  /// The messages are JSON.
  var isJSON = false
  var isWeb = false
  /// Of compressed messages.
  var coding: String?

  /// Fields are looked for: what can't be looked into is not kept.
  var wantsFields: Bool { !numbers.isEmpty || type != nil && (hidesKnownNames || !names.isEmpty) }
}

/// The search is borrowed for the walk: a copy of it would copy its memory of tokens.
struct CallFieldEditor: ProtobufEditor {
  let search: UnsafeMutablePointer<SecretSearch>
  let scope: CallScope

  func choice(at place: borrowing ProtobufPlace) -> ProtobufChoice {
    guard isWanted(place) else {
      let numbers = place.numbers
      return scope.numbers.contains { $0.count > numbers.count && $0.starts(with: numbers) } ? .enter : .pass
    }
    switch search.pointee.writer.mode {
    case .blank: return .empty
    case .replace(.remove): return .remove
    case .replace, .inspect: return .choose
    }
  }

  private func isWanted(_ place: borrowing ProtobufPlace) -> Bool {
    let numbers = place.numbers
    if scope.numbers.contains(numbers) { return true }
    guard place.isNamed, var name = place.name else { return false }
    if scope.hidesKnownNames, name.withUTF8({ search.pointee.catalog.fields.contains($0) }) { return true }
    guard !scope.names.isEmpty else { return false }
    let steps = place.steps
    let path = steps.map { RedactRule.GRPCFields.foldedName($0.text) }
    if scope.names.contains(where: { $0.matches(path) }) { return true }
    guard steps.contains(where: \.isIndex) else { return false }
    let names = zip(steps, path).filter { !$0.0.isIndex }.map(\.1)
    return scope.names.contains { $0.matches(names) }
  }

  func edit(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ leaf: ProtobufLeaf, isChosen: Bool, at place: borrowing ProtobufPlace
  ) {
    guard isChosen else { return look(bytes, leaf) }
    let name = search.pointee.writer.inspects ? Self.text(of: place) : ""
    switch leaf {
    case .text where bytes.allSatisfy { $0 >= 0x20 || $0 == 0x0a || $0 == 0x09 || $0 == 0x0d }:
      search.pointee.writer.hide(bytes, 0..<bytes.count, .plain, name: name)
    case .text, .bytes, .damage: search.pointee.writer.hideOctets(bytes, name: name)
    case .varints: search.pointee.writer.hideNumbers(bytes, keeping: 0x80, name: name)
    case .fixed: search.pointee.writer.hideNumbers(bytes, keeping: 0, name: name)
    }
  }

  /// Looks at a value that no rule names.
  private func look(_ bytes: UnsafeMutableBufferPointer<UInt8>, _ leaf: ProtobufLeaf) {
    switch leaf {
    case .varints, .fixed: return
    case .text:
      if let form = TextForm(startOf: UnsafeBufferPointer(bytes)) { return search.pointee.search(bytes, form) }
    case .bytes: break
    case .damage:
      if scope.wantsFields, !search.pointee.writer.inspects { return search.pointee.writer.zero(bytes) }
    }
    if !search.pointee.catalog.kinds.isEmpty { search.pointee.searchKinds(bytes) }
  }

  private static func text(of place: borrowing ProtobufPlace) -> String {
    let (steps, numbers) = (place.steps, place.numbers)
    guard place.isNamed else { return "field " + numbers.map(String.init).joined(separator: ".") }
    return steps.lazy.filter { !$0.isIndex }.map(\.text).joined(separator: ".")
  }
}
