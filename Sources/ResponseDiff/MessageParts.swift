// What the message of a gRPC call can do without, and the body without it.
//
// In: a body, and the message's type where it is known. Out: its fields at one depth by name, and bodies without some of
// them, in which only the lengths of what encloses them differ besides. Owner: BodyParts. Bounds: RequestParts' number of
// parts; ContentTree's nesting.

import ContentTree

/// The fields of a protobuf message that is the only one of a call's body.
struct MessageParts {
  /// Of each field at the depth, by names from the outside in; what no type knows is `field N`.
  let names: [[UInt8]]
  /// Of each field that holds no others.
  let leaves: [[UInt8]]
  private let message: [UInt8]
  private let depth: Int
  private let type: String?
  private let descriptors: ProtobufDescriptors?

  private static let prefix = 5

  /// - Returns: nil where the body is not one uncompressed message of fields.
  init?(body: [UInt8], depth: Int, type: String?, _ descriptors: ProtobufDescriptors?) {
    guard body.count >= Self.prefix, body[0] == 0 else { return nil }
    let length = body[1..<5].reduce(0) { $0 << 8 | Int($1) }
    guard length == body.count - Self.prefix else { return nil }
    message = Array(body[Self.prefix...])
    (self.depth, self.type, self.descriptors) = (depth, type, descriptors)
    let seen = Self.walk(message, type, descriptors, MessageFields(depth: depth)).editor
    if seen.isDamaged { return nil }
    (names, leaves) = (seen.names, seen.leaves)
  }

  /// The body with those of the fields that are kept.
  func body(keeping isKept: (Int) -> Bool) -> [UInt8] {
    let fields = MessageFields(depth: depth, isKept: names.indices.map(isKept))
    let content = Self.walk(message, type, descriptors, fields).resized ?? message
    return [0] + (0..<4).map { UInt8(truncatingIfNeeded: content.count >> (24 - 8 * $0)) } + content
  }

  private static func walk(
    _ message: [UInt8], _ type: String?, _ descriptors: ProtobufDescriptors?, _ fields: MessageFields
  ) -> (editor: MessageFields, resized: [UInt8]?) {
    var message = message
    return message.withUnsafeMutableBufferPointer {
      ProtobufWalk.edit($0, as: type, in: descriptors, mayResize: true, with: fields)
    }
  }
}

/// Names a message's fields, and takes out those that are not kept. What is shown without a name of its own, a map
/// entry's key and value and what a wrapper holds, stays with what encloses it.
private struct MessageFields: ProtobufEditor {
  /// A field and those around it, as far as they have names.
  private struct Enclosing {
    var path: String
    /// How many of its path are fields.
    var level: Int
    /// Of its place.
    var numbers: Int
    var steps: Int
    /// Its key is no field of its own.
    var isEntry = false
  }

  private let depth: Int
  /// By field of the depth; those behind the end are.
  private let isKept: [Bool]
  private(set) var names: [[UInt8]] = []
  private(set) var isDamaged = false
  /// Fields of the depth so far.
  private var count = 0
  private var around: [Enclosing] = []
  private var latestPlace = ProtobufPlace()
  private var latestHasName = false
  /// A leaf, unless the next field stands in it.
  private var latest: (path: String, level: Int)?
  private var ended: [[UInt8]] = []

  init(depth: Int, isKept: [Bool] = []) { (self.depth, self.isKept) = (depth, isKept) }

  var leaves: [[UInt8]] { ended + (latest.map { [Array($0.path.utf8)] } ?? []) }

  mutating func choice(at place: borrowing ProtobufPlace) -> ProtobufChoice {
    let place = copy place
    let entry = entry(place)
    (latestPlace, latestHasName) = (place, false)
    while let last = around.last, last.numbers >= place.numbers.count { around.removeLast() }
    let parent = around.last ?? Enclosing(path: "", level: -1, numbers: 0, steps: 0)
    let name: String
    if place.isNamed {
      name = place.steps.dropFirst(parent.steps).filter { !$0.isIndex }.map(\.text).joined(separator: ".")
    } else {
      name = parent.isEntry ? "" : "field \(place.numbers.last ?? 0)"
    }
    let path = parent.path.isEmpty || name.isEmpty ? parent.path + name : parent.path + "." + name
    let level = parent.level + (name.isEmpty ? 0 : 1)
    around.append(
      Enclosing(
        path: path, level: level, numbers: place.numbers.count, steps: place.steps.count, isEntry: entry != .none))
    if name.isEmpty { return .pass }
    latestHasName = true
    if entry == .named {
      latest?.path = path
      if level == depth, names.count == count { names[count - 1] = Array(path.utf8) }
      return .pass
    }
    if let latest, level <= latest.level, ended.count < RequestParts.partLimit { ended.append(Array(latest.path.utf8)) }
    latest = (path, level)
    guard level == depth else { return .pass }
    if names.count < RequestParts.partLimit { names.append(Array(path.utf8)) }
    count += 1
    return count <= isKept.count && !isKept[count - 1] ? .remove : .pass
  }

  private enum Entry {
    case none
    /// The map has no name of its own, or was asked for by it.
    case unnamed
    case named
  }

  /// What of a map's entry it is whose field was asked for just before, now by its key.
  private func entry(_ place: ProtobufPlace) -> Entry {
    guard place.isNamed, latestPlace.isNamed, place.numbers == latestPlace.numbers,
      place.steps.count == latestPlace.steps.count + 1, place.steps.last?.isIndex == false
    else { return .none }
    return latestHasName ? .named : .unnamed
  }

  mutating func edit(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, _ leaf: ProtobufLeaf, isChosen: Bool, at place: borrowing ProtobufPlace
  ) {
    if leaf == .damage, place.numbers.isEmpty { isDamaged = true }
  }
}
