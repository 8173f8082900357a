// Message types and services of a FileDescriptorSet (descriptor.proto), as far as showing messages needs them.
// In: the set's bytes, as `protoc --descriptor_set_out --include_imports` writes them. Out: types by name, methods by path.
// Owner: a value. Bounds: ProtobufLimits; memory grows with the set.

/// Message types, enums and services of a set of .proto files.
public struct ProtobufDescriptors: Sendable {
  var messages: [ProtobufMessageType] = []
  var enums: [ProtobufEnumType] = []
  var messageIndex: [String: Int] = [:]
  var enumIndex: [String: Int] = [:]
  private(set) var methods: [String: ProtobufMethod] = [:]

  /// Reads a serialized `google.protobuf.FileDescriptorSet`; of definitions with one name the first counts.
  /// - Throws: `descriptor` where the bytes are something else, or the reason why they are no protobuf message.
  public init(fileDescriptorSet bytes: [UInt8], limits: ProtobufLimits = ProtobufLimits()) throws(ProtobufError) {
    guard bytes.count <= limits.size else { throw ProtobufError(reason: .size, offset: limits.size) }
    let result: Result<[ProtobufMethod], ProtobufError> = bytes.withUnsafeBytes { source in
      var reader = ProtobufDescriptorReader(source: source, depth: limits.depth)
      do throws(ProtobufError) {
        try reader.readSet()
      } catch {
        return .failure(error)
      }
      (messages, enums) = (reader.messages, reader.enums)
      return .success(reader.methods)
    }
    for method in try result.get() where methods[method.path] == nil { methods[method.path] = method }
    for (index, type) in messages.enumerated() where messageIndex[type.name] == nil { messageIndex[type.name] = index }
    for (index, type) in enums.enumerated() where enumIndex[type.name] == nil { enumIndex[type.name] = index }
    resolveTypes()
    if messages.isEmpty && enums.isEmpty && methods.isEmpty { throw ProtobufError(reason: .descriptor, offset: 0) }
  }

  /// The method that a gRPC path names: `/package.Service/Method`.
  public func method(at path: some Sequence<UInt8>) -> ProtobufMethod? {
    methods[String(decoding: Array(path), as: UTF8.self)]
  }

  /// The name of a field as its file spells it; nil where the type or the field is not among these.
  /// - Parameter message: full name of its type.
  public func name(ofField number: UInt32, in message: String) -> String? {
    messageIndex[message].flatMap { messages[$0].field(number)?.name }
  }

  /// Full names, sorted.
  public var messageNames: [String] { messageIndex.keys.sorted() }

  /// Paths of all methods, sorted.
  public var methodPaths: [String] { methods.keys.sorted() }

  /// Type names become indices. A well-known type whose file is not in the set has a place of its own all the same: how
  /// it is shown does not depend on its descriptor.
  private mutating func resolveTypes() {
    for message in messages.indices {
      for field in messages[message].fields.indices {
        let type = messages[message].fields[field].type
        switch messages[message].fields[field].kind {
        case .message, .group:
          if messageIndex[type] == nil, ProtobufWellKnown(name: type) != nil {
            messageIndex[type] = messages.count
            messages.append(ProtobufMessageType(name: type))
          }
          messages[message].fields[field].typeIndex = messageIndex[type]
        case .enum: messages[message].fields[field].typeIndex = enumIndex[type]
        default: break
        }
      }
    }
  }
}

/// A method of a service.
public struct ProtobufMethod: Hashable, Sendable {
  /// `/package.Service/Method`, as gRPC's `:path`.
  public var path: String
  /// Full names of message types.
  public var input: String
  public var output: String
  public var isClientStreaming: Bool
  public var isServerStreaming: Bool
}

/// A field's type; raw values are those of FieldDescriptorProto.Type.
enum ProtobufKind: UInt8, Sendable {
  case double = 1
  case float, int64, uint64, int32, fixed64, fixed32, bool, string, group, message, bytes, uint32, `enum`
  case sfixed32, sfixed64, sint32, sint64

  /// How a single value stands on the wire.
  var wire: ProtobufWire {
    switch self {
    case .double, .fixed64, .sfixed64: .i64
    case .float, .fixed32, .sfixed32: .i32
    case .string, .message, .bytes, .group: .len
    default: .varint
    }
  }
}

struct ProtobufFieldType: Sendable {
  var number: UInt32
  var name = ""
  var jsonName = ""
  var kind = ProtobufKind.int32
  var isRepeated = false
  /// Not being set is something else than having the default value.
  var hasPresence = false
  var oneof: Int?
  /// Full name of a message or enum, and its place in the descriptors where they hold it.
  var type = ""
  var typeIndex: Int?
  /// The names as JSON spells them.
  var spelling: [UInt8] = []
  var jsonSpelling: [UInt8] = []
}

struct ProtobufMessageType: Sendable {
  let name: String
  let wellKnown: ProtobufWellKnown?
  /// By rising number, no two alike.
  var fields: [ProtobufFieldType] = []
  /// An entry of a map: a key (1) and a value (2).
  var isMapEntry = false
  private(set) var hasOneofs = false

  init(name: String) {
    self.name = name
    wellKnown = ProtobufWellKnown(name: name)
  }

  func field(_ number: UInt32) -> ProtobufFieldType? {
    var (low, high) = (0, fields.count)
    // Most types number their fields from 1 without gaps.
    if number >= 1, number <= high, fields[Int(number) - 1].number == number { return fields[Int(number) - 1] }
    while low < high {
      let middle = (low + high) / 2
      if fields[middle].number == number { return fields[middle] }
      if fields[middle].number < number { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  /// A field of the same number is not added again.
  mutating func add(_ field: ProtobufFieldType) {
    var field = field
    field.spelling = JSONText.spelling(ofName: field.name)
    field.jsonSpelling = JSONText.spelling(ofName: field.jsonName)
    if field.oneof != nil { hasOneofs = true }
    let place = fields.firstIndex { $0.number >= field.number } ?? fields.count
    if place == fields.count || fields[place].number != field.number { fields.insert(field, at: place) }
  }
}

struct ProtobufEnumType: Sendable {
  var name: String
  var values: [Int32: String] = [:]
  /// In proto3 and open enums the default; in others the first.
  var first: Int32 = 0
}
