// Messages edited without being decoded: what no editor touches stays byte for byte.

import ContentTree
import Testing

@Suite struct ProtobufWalkTests {
  /// Does one thing with the fields of some numbers, and remembers where it has been.
  private struct Editor: ProtobufEditor {
    var wanted: @Sendable (ProtobufPlace) -> ProtobufChoice = { _ in .pass }
    var places: [String] = []
    var leaves: [String] = []

    mutating func choice(at place: borrowing ProtobufPlace) -> ProtobufChoice {
      places.append(place.isNamed ? "/" + place.steps.map(\.text).joined(separator: "/") : "\(place.numbers)")
      return wanted(place)
    }

    mutating func edit(
      _ bytes: UnsafeMutableBufferPointer<UInt8>, _ leaf: ProtobufLeaf, isChosen: Bool,
      at place: borrowing ProtobufPlace
    ) {
      leaves.append("\(leaf)")
      guard isChosen else { return }
      for index in bytes.indices {
        switch leaf {
        case .varints: bytes[index] &= 0x80
        case .fixed: bytes[index] = 0
        case .text, .bytes, .damage: bytes[index] = UInt8(ascii: "x")
        }
      }
    }
  }

  private func walk(
    _ bytes: [UInt8], as type: String? = nil, mayResize: Bool = true,
    _ wanted: @escaping @Sendable (ProtobufPlace) -> ProtobufChoice = { _ in .pass }
  ) -> (bytes: [UInt8], editor: Editor) {
    var bytes = bytes
    let result = bytes.withUnsafeMutableBufferPointer {
      ProtobufWalk.edit(
        $0, as: type, in: ProtobufFixtures.descriptors, mayResize: mayResize, with: Editor(wanted: wanted))
    }
    return (result.resized ?? bytes, result.editor)
  }

  @Test(arguments: ProtobufFixtures.cases.indices)
  func whatNobodyTouchesStays(index: Int) {
    let example = ProtobufFixtures.cases[index]
    #expect(walk(example.bytes, as: example.type).bytes == example.bytes)
    #expect(walk(example.bytes).bytes == example.bytes)
  }

  /// Hidden values keep the message readable, and its length.
  @Test(arguments: ProtobufFixtures.cases.indices)
  func whatIsChosenKeepsItsLength(index: Int) throws {
    let example = ProtobufFixtures.cases[index]
    for type in [example.type, nil] {
      let (after, _) = walk(example.bytes, as: type) { _ in .choose }
      #expect(after.count == example.bytes.count)
      if (try? ProtobufMessage(example.bytes).jsonText()) != nil {
        #expect(throws: Never.self) { try ProtobufMessage(after).jsonText() }
      }
    }
    #expect(walk(example.bytes, as: example.type) { _ in .remove }.bytes.isEmpty)
  }

  /// Cut anywhere, and damaged anywhere.
  @Test(arguments: ProtobufFixtures.cases.indices)
  func noInputCrashes(index: Int) {
    let example = ProtobufFixtures.cases[index]
    var random = SplitMix(seed: UInt64(index))
    for length in stride(from: 0, through: example.bytes.count, by: max(1, example.bytes.count / 200)) {
      var bytes = Array(example.bytes[..<length])
      for type in [example.type, nil] {
        #expect(walk(bytes, as: type).bytes == bytes)
        #expect(walk(bytes, as: type, mayResize: false) { _ in .remove }.bytes.count == length)
        _ = walk(bytes, as: type) { $0.numbers.count == 2 ? .remove : .empty }
      }
      for _ in 0..<4 where length > 0 {
        bytes[Int(random.next() % UInt64(length))] = UInt8(truncatingIfNeeded: random.next())
        _ = walk(bytes, as: example.type) { $0.numbers.last == 1 ? .remove : .choose }
        _ = walk(bytes) { $0.numbers.last == 1 ? .remove : .pass }
      }
    }
  }

  // MARK: Against a model

  private indirect enum Node {
    case varint(UInt32, UInt64)
    case fixed(UInt32, UInt64)
    case text(UInt32, [UInt8])
    case message(UInt32, [Node])
    case group(UInt32, [Node])

    var number: UInt32 {
      switch self {
      case .varint(let number, _), .fixed(let number, _), .text(let number, _), .message(let number, _),
        .group(let number, _):
        number
      }
    }
  }

  private func varint(_ value: UInt64) -> [UInt8] {
    value < 0x80 ? [UInt8(value)] : [UInt8(truncatingIfNeeded: value) | 0x80] + varint(value >> 7)
  }

  private func encoded(_ nodes: [Node]) -> [UInt8] {
    nodes.flatMap { node -> [UInt8] in
      let tag = UInt64(node.number) << 3
      switch node {
      case .varint(_, let value): return varint(tag) + varint(value)
      case .fixed(_, let value): return varint(tag | 1) + (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      case .text(_, let bytes): return varint(tag | 2) + varint(UInt64(bytes.count)) + bytes
      case .message(_, let nodes):
        let inner = encoded(nodes)
        return varint(tag | 2) + varint(UInt64(inner.count)) + inner
      case .group(_, let nodes): return varint(tag | 3) + encoded(nodes) + varint(tag | 4)
      }
    }
  }

  private func random(_ random: inout SplitMix, depth: Int) -> [Node] {
    (0..<(1 + random.next() % 5)).map { _ in
      let number = UInt32(1 + random.next() % 20)
      switch random.next() % (depth > 0 ? 5 : 3) {
      case 0: return .varint(number, random.next() >> (random.next() % 64))
      case 1: return .fixed(number, random.next())
      case 2: return .text(number, (0..<(1 + random.next() % 200)).map { _ in UInt8(0x41 + random.next() % 26) })
      // A number at its head, so that it is none of those that might be text.
      case 3: return .message(number, [.varint(1, 0)] + self.random(&random, depth: depth - 1))
      default: return .group(number, self.random(&random, depth: depth - 1))
      }
    }
  }

  private func without(_ removed: UInt32, _ nodes: [Node]) -> [Node] {
    nodes.filter { $0.number != removed }.map { node in
      switch node {
      case .message(let number, let nodes): .message(number, without(removed, nodes))
      case .group(let number, let nodes): .group(number, without(removed, nodes))
      default: node
      }
    }
  }

  @Test func whatIsRemovedLeavesTheMessageThatWouldHaveBeenWithoutIt() {
    var random = SplitMix(seed: 8)
    for _ in 0..<2000 {
      let nodes = self.random(&random, depth: 4)
      let removed = UInt32(2 + random.next() % 19)
      let bytes = encoded(nodes)
      let after = walk(bytes) { $0.numbers.last == removed ? .remove : .pass }.bytes
      #expect(after == encoded(without(removed, nodes)), "\(removed) of \(nodes)")
    }
  }

  /// 1: "AB", 2: { 3: "CD", 4: 1 }
  private static let small = hexadecimal("0a02 4142 1206 1a02 4344 2001")

  @Test func lengthsOfWhatEnclosesFollow() {
    #expect(walk(Self.small) { $0.numbers == [2, 3] ? .remove : .pass }.bytes == hexadecimal("0a024142 1202 2001"))
    #expect(walk(Self.small) { $0.numbers == [2, 3] ? .empty : .pass }.bytes == hexadecimal("0a024142 1204 1a00 2001"))
    #expect(walk(Self.small) { $0.numbers == [2] ? .remove : .pass }.bytes == hexadecimal("0a024142"))
    // A length that was padded is written anew only where it changes; a tag never is.
    let padded = hexadecimal("8a00 82808000 4142 9200 8600 1a02 4344 2001")
    #expect(walk(padded).bytes == padded)
    #expect(
      walk(padded) { $0.numbers == [2, 3] ? .remove : .pass }.bytes == hexadecimal("8a00828080004142 9200 02 2001"))
  }

  @Test func aCutFieldIsSeenAsFarAsItGoes() {
    let cut = Array(Self.small.dropLast(3))
    let (after, editor) = walk(cut, mayResize: false) { place in
      place.numbers == [2, 3] ? .choose : place.numbers == [2] ? .enter : .pass
    }
    #expect(after == hexadecimal("0a02 4142 1206 1a02 78"))
    #expect(editor.places == ["[1]", "[2]", "[2, 3]"])
  }

  /// But for what JSON shows in one word, and members of a oneof that a later one takes the place of.
  @Test func placesAreThoseOfTheJSONThatAMessageIsShownAs() throws {
    for example in ProtobufFixtures.cases
    where example.type != "umbra.shop.Choice" && !example.json.contains("google.protobuf.") {
      let document = try JSONDocument(Array(example.proto.utf8))
      for place in walk(example.bytes, as: example.type).editor.places where place.hasPrefix("/") && place != "/" {
        let tokens = place.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if ["seconds", "nanos", "paths"].contains(tokens.filter { Int($0) == nil }.last) { continue }
        // Keys may have slashes in them, which this test can't tell from steps.
        if tokens[0] == "counts" { continue }
        let pointer = JSONPointer(tokens: tokens)
        #expect(document.node(at: pointer) != nil, "\(place) in \(example.type) \(example.proto)")
      }
    }
  }
}

private struct SplitMix {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}
