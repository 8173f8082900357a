// descriptor.proto by hand: FileDescriptorSet, its files, messages, enums and services, by field number.
// In: bytes borrowed for the call. Out: types whose names are not looked up yet. Owner: ProtobufDescriptors.init.
// Bounds: nested types as deep as the limit.

struct ProtobufDescriptorReader {
  let source: UnsafeRawBufferPointer
  let depth: Int
  private(set) var messages: [ProtobufMessageType] = []
  private(set) var enums: [ProtobufEnumType] = []
  private(set) var methods: [ProtobufMethod] = []
  /// Extensions, and the full name of what each extends.
  private var extensions: [(extendee: String, field: ProtobufFieldType)] = []

  /// What a file says that its fields are read by.
  private struct Context {
    /// With a trailing dot, where there is one.
    var prefix: String
    var isProto3 = false
    /// Editions: FeatureSet.field_presence is IMPLICIT.
    var isPresenceImplicit = false
  }

  init(source: UnsafeRawBufferPointer, depth: Int) { (self.source, self.depth) = (source, depth) }

  mutating func readSet() throws(ProtobufError) {
    for file in try fields(0..<source.count) {
      guard file.number == 1, file.wire == .len else { throw ProtobufError(reason: .descriptor, offset: file.start) }
      try readFile(file.content)
    }
    for (extendee, field) in extensions {
      if let index = messages.firstIndex(where: { $0.name == extendee }) { messages[index].add(field) }
    }
  }

  private func fields(_ range: Range<Int>) throws(ProtobufError) -> [ProtobufField] {
    try source.protobufFields(in: [range], depth: depth)
  }

  private func text(_ field: ProtobufField) -> String { String(decoding: source[field.content], as: UTF8.self) }

  /// A name as type_name and extendee give it, without the leading dot.
  private func typeName(_ field: ProtobufField) -> String {
    let name = text(field)
    return name.hasPrefix(".") ? String(name.dropFirst()) : name
  }

  /// FileDescriptorProto.
  private mutating func readFile(_ range: Range<Int>) throws(ProtobufError) {
    let file = try fields(range)
    let package = file.last { $0.number == 2 && $0.wire == .len }.map(text) ?? ""
    var context = Context(prefix: package.isEmpty ? "" : package + ".")
    context.isProto3 = file.last { $0.number == 12 && $0.wire == .len }.map(text) == "proto3"
    for options in file where options.number == 8 && options.wire == .len {
      try readFeatures(of: options.content, at: 50, into: &context)
    }
    for field in file where field.wire == .len {
      switch field.number {
      case 4: try readMessage(field.content, context, level: 1)
      case 5: try readEnum(field.content, context.prefix)
      case 6: try readService(field.content, context.prefix)
      case 7: try readExtension(field.content, context)
      default: break
      }
    }
  }

  /// The FeatureSet in an options message, where there is one.
  private func readFeatures(
    of options: Range<Int>, at number: UInt32, into context: inout Context
  ) throws(ProtobufError) {
    for features in try fields(options) where features.number == number && features.wire == .len {
      for feature in try fields(features.content) where feature.number == 1 && feature.wire == .varint {
        context.isPresenceImplicit = feature.value == 2
      }
    }
  }

  /// DescriptorProto.
  private mutating func readMessage(_ range: Range<Int>, _ outer: Context, level: Int) throws(ProtobufError) {
    guard level <= depth else { throw ProtobufError(reason: .depth, offset: range.lowerBound) }
    let parts = try fields(range)
    let name = outer.prefix + (parts.last { $0.number == 1 && $0.wire == .len }.map(text) ?? "")
    var context = outer
    context.prefix = name + "."
    var type = ProtobufMessageType(name: name)
    for options in parts where options.number == 7 && options.wire == .len {
      for option in try fields(options.content) where option.number == 7 && option.wire == .varint {
        type.isMapEntry = option.value != 0
      }
      try readFeatures(of: options.content, at: 12, into: &context)
    }
    for part in parts where part.number == 2 && part.wire == .len {
      if let (field, _) = try readField(part.content, context) { type.add(field) }
    }
    messages.append(type)
    for part in parts where part.wire == .len {
      switch part.number {
      case 3: try readMessage(part.content, context, level: level + 1)
      case 4: try readEnum(part.content, context.prefix)
      case 6: try readExtension(part.content, context)
      default: break
      }
    }
  }

  private mutating func readExtension(_ range: Range<Int>, _ context: Context) throws(ProtobufError) {
    guard let (read, extendee) = try readField(range, context), !extendee.isEmpty else { return }
    var field = read
    field.name = "[\(context.prefix)\(field.name)]"
    field.jsonName = field.name
    field.hasPresence = !field.isRepeated
    extensions.append((extendee, field))
  }

  /// FieldDescriptorProto; nil where its number or type is none.
  private func readField(
    _ range: Range<Int>, _ outer: Context
  ) throws(ProtobufError) -> (field: ProtobufFieldType, extendee: String)? {
    var field = ProtobufFieldType(number: 0)
    var context = outer
    var extendee = ""
    var isOptionalInProto3 = false
    for part in try fields(range) {
      switch (part.number, part.wire) {
      case (1, .len): field.name = text(part)
      case (2, .len): extendee = typeName(part)
      case (3, .varint): field.number = UInt32(truncatingIfNeeded: part.value)
      case (4, .varint): field.isRepeated = part.value == 3
      case (5, .varint):
        guard let kind = ProtobufKind(rawValue: UInt8(truncatingIfNeeded: part.value)) else { return nil }
        field.kind = kind
      case (6, .len): field.type = typeName(part)
      case (8, .len): try readFeatures(of: part.content, at: 21, into: &context)
      case (9, .varint): field.oneof = Int(truncatingIfNeeded: part.value)
      case (10, .len): field.jsonName = text(part)
      case (17, .varint): isOptionalInProto3 = part.value != 0
      default: break
      }
    }
    guard field.number > 0, field.number < 1 << 29 else { return nil }
    if field.jsonName.isEmpty { field.jsonName = camelCase(field.name) }
    let isMessage = field.kind == .message || field.kind == .group
    let isImplicit = context.isProto3 ? !isOptionalInProto3 : context.isPresenceImplicit
    field.hasPresence = !field.isRepeated && (isMessage || field.oneof != nil || !isImplicit)
    return (field, extendee)
  }

  /// EnumDescriptorProto.
  private mutating func readEnum(_ range: Range<Int>, _ prefix: String) throws(ProtobufError) {
    var type = ProtobufEnumType(name: prefix)
    var isFirst = true
    for part in try fields(range) where part.wire == .len {
      if part.number == 1 { type.name = prefix + text(part) }
      guard part.number == 2 else { continue }
      var (name, number) = ("", Int32(0))
      for value in try fields(part.content) {
        if value.number == 1, value.wire == .len { name = text(value) }
        if value.number == 2, value.wire == .varint { number = Int32(truncatingIfNeeded: value.value) }
      }
      // Of several names of one number (allow_alias) the first is written.
      if type.values[number] == nil { type.values[number] = name }
      if isFirst { (type.first, isFirst) = (number, false) }
    }
    enums.append(type)
  }

  /// ServiceDescriptorProto.
  private mutating func readService(_ range: Range<Int>, _ prefix: String) throws(ProtobufError) {
    let parts = try fields(range)
    let name = prefix + (parts.last { $0.number == 1 && $0.wire == .len }.map(text) ?? "")
    for part in parts where part.number == 2 && part.wire == .len {
      var method = ProtobufMethod(path: "", input: "", output: "", isClientStreaming: false, isServerStreaming: false)
      for value in try fields(part.content) {
        switch (value.number, value.wire) {
        case (1, .len): method.path = "/\(name)/\(text(value))"
        case (2, .len): method.input = typeName(value)
        case (3, .len): method.output = typeName(value)
        case (5, .varint): method.isClientStreaming = value.value != 0
        case (6, .varint): method.isServerStreaming = value.value != 0
        default: break
        }
      }
      methods.append(method)
    }
  }
}

/// `user_name` as JSON names it: underscores go, and the letter after one is raised.
func camelCase(_ name: String) -> String {
  var result = ""
  var isRaised = false
  for character in name {
    if character == "_" {
      isRaised = true
    } else {
      result += isRaised ? character.uppercased() : String(character)
      isRaised = false
    }
  }
  return result
}
