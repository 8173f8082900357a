// What only some exchanges have, to record fields. The numbers are those of umbra-session(5).

import HTTPModel

/// Numbers of the fields of an exchange's details.
enum DetailField {
  /// Plus one.
  static let resetCode: UInt8 = 1
  static let resetByClient: UInt8 = 2
  /// The promising stream plus one.
  static let promisedBy: UInt8 = 3
  /// Three varints each: section, field, flags.
  static let unresolved: UInt8 = 4
  /// Plus one.
  static let messageProtocol: UInt8 = 5
  /// Seven varints each: direction, kind, flags, time since the record's (zigzag), microseconds, offset, length.
  static let messages: UInt8 = 6
  static let messageBytes: UInt8 = 7
  static let omittedMessages: UInt8 = 8

  static let nameUnknownFlag: UInt64 = 1
  static let assumedFlag: UInt64 = 2
}

/// Numbers of the fields of what is known of a connection.
enum ConnectionField {
  static let encapsulation: UInt8 = 1
  static let tlsVersion: UInt8 = 2
  static let tlsSuite: UInt8 = 3
  static let serverName: UInt8 = 4
  static let applicationProtocol: UInt8 = 5
}

extension RecordWriter {
  mutating func write(_ details: ExchangeDetails, key: Int64) {
    let start = beginLong(ExchangeField.details)
    if let reset = details.reset {
      field(DetailField.resetCode, UInt64(reset.code) &+ 1)
      field(DetailField.resetByClient, reset.byClient ? 1 : 0)
    }
    if let parent = details.promisedBy { field(DetailField.promisedBy, UInt64(parent) &+ 1) }
    if !details.unresolved.isEmpty {
      let list = beginLong(DetailField.unresolved)
      for field in details.unresolved {
        varint(UInt64(field.section.rawValue))
        varint(field.field)
        varint(
          (field.isNameUnknown ? DetailField.nameUnknownFlag : 0) | (field.isAssumed ? DetailField.assumedFlag : 0))
      }
      endLong(list)
    }
    if let messages = details.messages { write(messages, key: key) }
    endLong(start)
  }

  private mutating func write(_ messages: StreamMessages, key: Int64) {
    field(DetailField.messageProtocol, UInt64(messages.protocol.rawValue) &+ 1)
    let list = beginLong(DetailField.messages)
    for message in messages.messages {
      varint(UInt64(message.direction.rawValue))
      varint(UInt64(message.kind.rawValue))
      varint(UInt64(message.flags.rawValue))
      zigzag(message.time.nanoseconds &- key)
      varint(message.microseconds)
      varint(message.offset)
      varint(message.length)
    }
    endLong(list)
    field(DetailField.messageBytes, messages.bytes)
    field(DetailField.omittedMessages, messages.omitted)
  }

  mutating func write(_ facts: ConnectionFacts) {
    let start = beginLong(ExchangeField.connection)
    field(ConnectionField.encapsulation, Array(facts.encapsulation.utf8))
    if let tls = facts.tls {
      field(ConnectionField.tlsVersion, Array(tls.version.utf8))
      field(ConnectionField.tlsSuite, Array(tls.suite.utf8))
      if let name = tls.serverName { field(ConnectionField.serverName, Array(name.utf8)) }
      if let name = tls.applicationProtocol { field(ConnectionField.applicationProtocol, Array(name.utf8)) }
    }
    endLong(start)
  }
}

extension RecordBound {
  static func of(_ details: ExchangeDetails) -> Int {
    let messages = details.messages.map { $0.messages.count &* 44 &+ $0.bytes.count } ?? 0
    return 10 &* RecordWriter.fieldBound &+ details.unresolved.count &* 8 &+ messages
  }

  static func of(_ facts: ConnectionFacts) -> Int {
    let tls = facts.tls.map {
      $0.version.utf8.count &+ $0.suite.utf8.count &+ ($0.serverName?.utf8.count ?? 0)
        &+ ($0.applicationProtocol?.utf8.count ?? 0)
    }
    return 7 &* RecordWriter.fieldBound &+ facts.encapsulation.utf8.count &+ (tls ?? 0)
  }
}
