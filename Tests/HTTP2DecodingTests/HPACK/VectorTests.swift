// The stories of fifteen encoders, where the shared corpus is present.

import Foundation
import HTTP2Decoding
import HTTPModel
import Testing

/// One connection's header lists, as an encoder wrote them.
struct HPACKStory {
  struct Block {
    var wire: [UInt8]
    var fields: [DecodedField]
    /// SETTINGS_HEADER_TABLE_SIZE, where it is acknowledged before this block.
    var tableSize: UInt32?
  }

  var name: String
  var blocks: [Block]

  static let folder: URL = {
    let named = ProcessInfo.processInfo.environment["UMBRA_CORPUS"].map { URL(fileURLWithPath: $0) }
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let corpus = named ?? root.deletingLastPathComponent().appendingPathComponent("shared/corpus")
    return corpus.appendingPathComponent("hpack")
  }()

  /// Of each encoder; raw-data holds lists without blocks.
  static let encoders: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0 != "raw-data" && !$0.hasPrefix(".") }.sorted()
  }()

  static func stories(of encoder: String) throws -> [HPACKStory] {
    let folder = folder.appendingPathComponent(encoder)
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
      let data = try Data(contentsOf: folder.appendingPathComponent(name))
      let story = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      let cases = try #require(story["cases"] as? [[String: Any]])
      return HPACKStory(name: "\(encoder)/\(name)", blocks: try cases.map(block))
    }
  }

  private static func block(_ object: [String: Any]) throws -> Block {
    let headers = try #require(object["headers"] as? [[String: String]])
    return Block(
      wire: octets(try #require(object["wire"] as? String)),
      fields: headers.flatMap { $0.map { DecodedField($0.key, $0.value) } },
      tableSize: (object["header_table_size"] as? Int).map { UInt32($0) })
  }
}

@Suite("Vectors", .enabled(if: !HPACKStory.encoders.isEmpty, "the shared corpus is not here; set UMBRA_CORPUS"))
struct VectorTests {
  @Test("Every story of every encoder is decoded", arguments: HPACKStory.encoders)
  func stories(of encoder: String) throws {
    for story in try HPACKStory.stories(of: encoder) {
      var decoder = HPACKDecoder()
      var list = HPACKFieldList()
      var tableSize: UInt32 = 4096
      for (number, block) in story.blocks.enumerated() {
        if let size = block.tableSize, size != tableSize {
          decoder.acknowledge(maximumTableSize: size)
          tableSize = size
        }
        list.removeAll()
        let outcome = block.wire.withUnsafeBytes { decoder.decode($0, into: &list) }
        #expect(outcome.isComplete && outcome.anomalies.isEmpty, "\(story.name), block \(number)")
        #expect(list.decoded.map(\.unmarked) == block.fields, "\(story.name), block \(number)")
      }
      #expect(decoder.knowledge == .whole)
    }
  }

  @Test("Who joins a story anywhere tells what was sent, or that it cannot know", arguments: HPACKStory.encoders)
  func joining(_ encoder: String) throws {
    for story in try HPACKStory.stories(of: encoder) {
      for first in stride(from: 1, to: story.blocks.count, by: max(1, story.blocks.count / 12)) {
        var decoder = HPACKDecoder(joinedMidstream: true)
        for (number, block) in story.blocks.enumerated().dropFirst(first) {
          if let size = block.tableSize, number == first || size != story.blocks[number - 1].tableSize {
            decoder.acknowledge(maximumTableSize: size)
          }
          let (fields, outcome, list) = decoder.decode(block.wire)
          #expect(outcome.isComplete && !outcome.isError, "\(story.name), block \(number), joined at \(first)")
          #expect(disagreement(fields, block.fields) == nil, "\(story.name), block \(number), joined at \(first)")
          let unresolved = fields.count { !$0.marks.isDisjoint(with: [.nameUnresolved, .valueUnresolved]) }
          #expect(list.unresolved.count == unresolved)
          #expect(outcome.anomalies.contains(.h2UnresolvedIndex) == (unresolved > 0))
        }
      }
    }
  }
}

extension DecodedField {
  /// Without what is said beyond the bytes.
  var unmarked: DecodedField { DecodedField(name: name, value: value) }
}

/// The first field of which something other than the truth is said; unresolved parts say nothing.
func disagreement(_ fields: [DecodedField], _ truth: [DecodedField]) -> String? {
  guard fields.count == truth.count else { return "\(fields.count) fields instead of \(truth.count)" }
  for (field, sent) in zip(fields, truth) {
    if let name = field.name, name != sent.name { return "\(field) instead of \(sent)" }
    if let value = field.value, value != sent.value { return "\(field) instead of \(sent)" }
  }
  return nil
}
