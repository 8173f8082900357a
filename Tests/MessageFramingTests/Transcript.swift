// Decoders driven over cut streams, what they tell written down; and bytes to drive them with.

import HTTPModel
import MessageFraming

/// Bytes from hexadecimal digits; spaces between them do not count.
func hexadecimal(_ text: String) -> [UInt8] {
  let digits = text.utf8.filter { $0 > 0x20 }.map { UInt8($0 < 0x3a ? $0 - 0x30 : ($0 | 0x20) - 0x57) }
  return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// A stream's parts in order: bytes, or a count of bytes that were not captured.
enum Part {
  case bytes([UInt8])
  case gap(UInt64?)
  case frameBoundary
}

/// All ways to cut `bytes` in two, whole, byte by byte, and in threes.
func cuts(of bytes: [UInt8]) -> [[Part]] {
  var ways: [[Part]] = [[.bytes(bytes)], bytes.map { .bytes([$0]) }]
  ways.append(stride(from: 0, to: bytes.count, by: 3).map { .bytes(Array(bytes[$0..<min($0 + 3, bytes.count)])) })
  for place in bytes.indices { ways.append([.bytes(Array(bytes[..<place])), .bytes(Array(bytes[place...]))]) }
  return ways
}

extension GRPCMessageDecoder {
  /// Events, and where in the stream each was told.
  mutating func transcript(_ parts: [Part]) -> [String] {
    var told: [String] = []
    func pull(_ bytes: [UInt8], _ decoder: inout GRPCMessageDecoder) {
      var offset = 0
      bytes.withUnsafeBytes {
        while let event = decoder.nextEvent(in: $0, at: &offset) {
          switch event {
          case .began: told.append("began at \(decoder.position)")
          case .message(let message):
            told.append(
              "message \(message.offset)+\(message.length) flag \(message.flag)\(message.isIncomplete ? " incomplete" : "")"
            )
          case .truncated(let message, let passed):
            told.append("truncated \(message.offset)+\(passed)/\(message.length)")
          case .anomaly(let anomaly): told.append(anomaly.identifier)
          }
        }
      }
      if offset != bytes.count { told.append("\(bytes.count - offset) bytes are left") }
    }
    for part in parts {
      switch part {
      case .bytes(let bytes): pull(bytes, &self)
      case .gap(let count):
        gap(count)
        pull([], &self)
      case .frameBoundary: frameBoundary()
      }
    }
    finish()
    pull([], &self)
    return told
  }
}

extension WebSocketDecoder where Inflater: ~Copyable {
  mutating func transcript(_ parts: [Part]) -> [String] {
    var told: [String] = []
    func pull(_ bytes: [UInt8], _ decoder: inout WebSocketDecoder<Inflater>) {
      var offset = 0
      bytes.withUnsafeBytes { bytes in
        while let event = decoder.nextEvent(in: bytes, at: &offset) {
          switch event {
          case .began(let isControl): told.append(isControl ? "control began" : "began")
          case .message(let message):
            let text = decoder.withBytes(of: message) { shown($0) }
            var flags = ""
            if message.flags.contains(.compressed) { flags += " compressed" }
            if message.flags.contains(.stillCompressed) { flags += " still" }
            if message.flags.contains(.incomplete) { flags += " incomplete" }
            if message.flags.contains(.cut) { flags += " cut" }
            told.append("\(message.kind) \(text)\(message.frames > 1 ? " in \(message.frames)" : "")\(flags)")
          case .anomaly(let anomaly): told.append(anomaly.identifier)
          }
        }
      }
      if offset != bytes.count { told.append("\(bytes.count - offset) bytes are left") }
    }
    for part in parts {
      switch part {
      case .bytes(let bytes): pull(bytes, &self)
      case .gap(let count):
        gap(count)
        pull([], &self)
      case .frameBoundary: break
      }
    }
    finish()
    pull([], &self)
    return told
  }
}

/// Short payloads of printable characters as they are, others in hexadecimal, long ones as their length.
private func shown(_ bytes: UnsafeRawBufferPointer) -> String {
  if bytes.count > 60 { return "of \(bytes.count)" }
  if bytes.allSatisfy({ (0x20..<0x7f).contains($0) }) { return "'\(String(decoding: bytes, as: UTF8.self))'" }
  return bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
}

/// A frame as a sender writes it.
/// - Parameter key: masks the payload.
func frame(_ opcode: UInt8, _ payload: [UInt8], fin: Bool = true, rsv: UInt8 = 0, key: [UInt8]? = nil) -> [UInt8] {
  var bytes: [UInt8] = [(fin ? 0x80 : 0) | rsv << 4 | opcode]
  let mask: UInt8 = key == nil ? 0 : 0x80
  switch payload.count {
  case ..<126: bytes.append(mask | UInt8(payload.count))
  case ..<65536: bytes += [mask | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
  default: bytes += [mask | 127] + (0..<8).map { UInt8(payload.count >> (56 - 8 * $0) & 255) }
  }
  guard let key else { return bytes + payload }
  return bytes + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
}

/// A length-prefixed message.
func message(_ payload: [UInt8], flag: UInt8 = 0) -> [UInt8] {
  [flag] + (0..<4).map { UInt8(payload.count >> (24 - 8 * $0) & 255) } + payload
}

/// A generator whose numbers are the same in each run.
struct Randomness: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }
}
