// Messages that python's protobuf made, and what it prints of them: see Fixtures/protobuf/make.py.

import ContentTree
import Glibc

enum ProtobufFixtures {
  struct Case {
    var type: String
    var bytes: [UInt8]
    /// With JSON names, and with those of the .proto file.
    var json: String
    var proto: String
  }

  static let descriptors = try! ProtobufDescriptors(fileDescriptorSet: bytes("types.protoset"))

  static let cases: [Case] = bytes("cases.jsonl").split(separator: 0x0a).map { line in
    let document = try! JSONDocument(Array(line))
    func text(_ name: String) -> String { document.text(of: document.node(at: JSONPointer(tokens: [name]))!) }
    return Case(type: text("type"), bytes: hexadecimal(text("bytes")), json: text("json"), proto: text("proto"))
  }

  /// A file beside this one, in Fixtures/protobuf.
  static func bytes(_ name: String) -> [UInt8] {
    let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
    return file("/\(folder)/Fixtures/protobuf/\(name)")
  }

  static func file(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "rb") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { return bytes }
      bytes.append(contentsOf: chunk[..<count])
    }
  }
}

/// Bytes from hexadecimal digits; spaces and line breaks between them do not count.
func hexadecimal(_ text: String) -> [UInt8] {
  let digits = text.utf8.filter { $0 > 0x20 }.map { UInt8($0 < 0x3a ? $0 - 0x30 : ($0 | 0x20) - 0x57) }
  return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
