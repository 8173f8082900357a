// Record fields to what only some exchanges have. Unknown field numbers are passed over.

import HTTPModel

extension ExchangeDetails {
  init(_ bytes: UnsafeRawBufferPointer, key: Int64) throws(RecordFault) {
    self.init()
    var (code, byClient, parent, kind): (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var table: UnsafeRawBufferPointer?
    var (contents, omitted): ([UInt8], UInt64) = ([], 0)
    var reader = RecordReader(bytes)
    while !reader.isAtEnd {
      let (number, type) = try reader.tag()
      switch UInt8(exactly: number) {
      case DetailField.resetCode: code = try reader.value(type)
      case DetailField.resetByClient: byClient = try reader.value(type)
      case DetailField.promisedBy: parent = try reader.value(type)
      case DetailField.unresolved: unresolved = try ExchangeDetails.unresolved(try reader.contents(type))
      case DetailField.messageProtocol: kind = try reader.value(type)
      case DetailField.messages: table = try reader.contents(type)
      case DetailField.messageBytes: contents = Array(try reader.contents(type))
      case DetailField.omittedMessages: omitted = try reader.value(type)
      default: try reader.skip(type)
      }
    }
    if code > 0 { reset = StreamReset(code: try ExchangeDetails.less(code), byClient: byClient != 0) }
    if parent > 0 { promisedBy = try ExchangeDetails.less(parent) }
    if kind > 0 {
      guard let raw = UInt8(exactly: kind &- 1), let spoken = MessageProtocol(rawValue: raw) else {
        throw RecordFault()
      }
      let list = try table.map { table throws(RecordFault) in try StreamMessage.list(table, key: key) } ?? []
      messages = StreamMessages(spoken, messages: list, bytes: contents, omitted: omitted)
    }
  }

  private static func less(_ value: UInt64) throws(RecordFault) -> UInt32 {
    guard let number = UInt32(exactly: value &- 1) else { throw RecordFault() }
    return number
  }

  private static func unresolved(_ bytes: UnsafeRawBufferPointer) throws(RecordFault) -> [UnresolvedField] {
    var fields: [UnresolvedField] = []
    var reader = RecordReader(bytes)
    while !reader.isAtEnd {
      guard let section = UnresolvedField.Section(rawValue: try reader.narrow(UInt8.self)) else { throw RecordFault() }
      let field = try reader.narrow(UInt32.self)
      let flags = try reader.varint()
      fields.append(
        UnresolvedField(
          section: section, field: field, isNameUnknown: flags & DetailField.nameUnknownFlag != 0,
          isAssumed: flags & DetailField.assumedFlag != 0))
    }
    return fields
  }
}

extension StreamMessage {
  fileprivate static func list(_ bytes: UnsafeRawBufferPointer, key: Int64) throws(RecordFault) -> [StreamMessage] {
    var messages: [StreamMessage] = []
    var reader = RecordReader(bytes)
    while !reader.isAtEnd {
      guard let direction = Direction(rawValue: try reader.narrow(UInt8.self)),
        let kind = Kind(rawValue: try reader.narrow(UInt8.self))
      else { throw RecordFault() }
      let flags = Flags(rawValue: try reader.narrow(UInt8.self))
      let time = Timestamp(nanoseconds: key &+ (try reader.zigzag()))
      let microseconds = try reader.narrow(UInt32.self)
      messages.append(
        StreamMessage(
          direction: direction, kind: kind, flags: flags, time: time, microseconds: microseconds,
          offset: try reader.varint(), length: try reader.varint()))
    }
    return messages
  }
}

extension ConnectionFacts {
  static func read(_ bytes: UnsafeRawBufferPointer) throws(RecordFault) -> ConnectionFacts {
    var encapsulation = ""
    var (version, suite, serverName, applicationProtocol): (String?, String?, String?, String?)
    var reader = RecordReader(bytes)
    while !reader.isAtEnd {
      let (number, type) = try reader.tag()
      switch UInt8(exactly: number) {
      case ConnectionField.encapsulation: encapsulation = try text(&reader, type)
      case ConnectionField.tlsVersion: version = try text(&reader, type)
      case ConnectionField.tlsSuite: suite = try text(&reader, type)
      case ConnectionField.serverName: serverName = try text(&reader, type)
      case ConnectionField.applicationProtocol: applicationProtocol = try text(&reader, type)
      default: try reader.skip(type)
      }
    }
    let tls = version.map {
      TLSFacts(version: $0, suite: suite ?? "", serverName: serverName, applicationProtocol: applicationProtocol)
    }
    return ConnectionFacts(encapsulation: encapsulation, tls: tls)
  }

  private static func text(_ reader: inout RecordReader, _ type: WireType) throws(RecordFault) -> String {
    String(decoding: try reader.contents(type), as: UTF8.self)
  }
}
