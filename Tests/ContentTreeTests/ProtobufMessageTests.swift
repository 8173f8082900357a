import ContentTree
import Testing

@Suite("Protobuf by descriptor")
struct ProtobufMessageTests {
  private let descriptors = ProtobufFixtures.descriptors

  private func json(_ hex: String, as type: String) throws -> String {
    String(decoding: try ProtobufMessage(hexadecimal(hex)).jsonText(as: type, in: descriptors), as: UTF8.self)
  }

  @Test("Messages are printed as protobuf's own library prints them")
  func agreement() throws {
    #expect(ProtobufFixtures.cases.count > 90)
    for (number, example) in ProtobufFixtures.cases.enumerated() {
      let message = ProtobufMessage(example.bytes)
      for (naming, text) in [(ProtobufNaming.json, example.json), (.proto, example.proto)] {
        let ours = try message.document(as: example.type, in: descriptors, naming: naming)
        let theirs = try JSONDocument(Array(text.utf8))
        #expect(
          ours.isEqual(to: theirs),
          "line \(number + 1), \(example.type): \(String(decoding: ours.bytes, as: UTF8.self)) is not \(text)")
      }
    }
  }

  @Test("Methods and their types are found by path")
  func methods() throws {
    #expect(
      descriptors.methodPaths == [
        "/umbra.shop.Shop/Get", "/umbra.shop.Shop/Put", "/umbra.shop.Shop/Talk", "/umbra.shop.Shop/Watch",
      ])
    let talk = try #require(descriptors.method(at: "/umbra.shop.Shop/Talk".utf8))
    #expect(talk.input == "umbra.shop.Scalars" && talk.output == "umbra.shop.Maps")
    #expect(talk.isClientStreaming && talk.isServerStreaming)
    let put = try #require(descriptors.method(at: "/umbra.shop.Shop/Put".utf8))
    #expect(put.isClientStreaming && !put.isServerStreaming)
    #expect(descriptors.method(at: "/umbra.shop.Shop/".utf8) == nil)
    #expect(descriptors.messageNames.contains("umbra.old.Order.Line.Deep"))
  }

  @Test("Fields that the type does not know are kept by number")
  func unknownFields() throws {
    #expect(
      try json("1805 b80607 fa0703 616263 b80608", as: "umbra.shop.Scalars")
        == #"{"anInt32":5,"103:varint":[7,8],"127:len":["abc"]}"#)
    #expect(try json("9a3f 02 0801", as: "umbra.shop.Scalars") == #"{"1011:len":[{"1:varint":[1]}]}"#)
  }

  @Test("A field of another wire type than its own is kept as it came")
  func wrongWireType() throws {
    // A string where the type has a number, and both.
    #expect(try json("1a0161", as: "umbra.shop.Scalars") == #"{"3:len":["a"]}"#)
    #expect(try json("1a0161 1805", as: "umbra.shop.Scalars") == #"{"anInt32":5,"3:len":["a"]}"#)
    // A submessage that is cut.
    #expect(
      try json("2201 ff 2202 1801", as: "umbra.shop.Lists") == #"{"scalars":[{"anInt32":1}],"4:len":["base64:/w=="]}"#)
    // A packed field whose last number is cut.
    #expect(try json("0a0205ff", as: "umbra.shop.Lists") == #"{"1:len":["base64:Bf8="]}"#)
  }

  @Test("Values without a name or outside their range are still shown")
  func oddValues() throws {
    #expect(try json("800163", as: "umbra.shop.Scalars") == #"{"colour":99}"#)
    #expect(try json("3803", as: "umbra.old.Order") == #"{"state":3}"#)
    #expect(try json("7202c328", as: "umbra.shop.Scalars") == #"{"aString":"base64:wyg="}"#)
    #expect(try json("0a0a 08ffffffffffffffff7f", as: "umbra.shop.Known").contains("9223372036854775807"))
    #expect(try json("12021005 120408011005", as: "umbra.shop.Known") == #"{"took":"1.000000005s"}"#)
    #expect(
      try json("120d 0801 10ffffffffffffffffff01", as: "umbra.shop.Known")
        == #"{"took":{"seconds":"1","nanos":-1}}"#)
  }

  @Test("Any of a type that is not known is shown by number")
  func unknownAny() throws {
    #expect(
      try json("3a0b 0a03612f62 1204 0a020805", as: "umbra.shop.Known")
        == #"{"any":{"@type":"a/b","value":{"1:len":[{"1:varint":[5]}]}}}"#)
  }

  @Test("Comparing two messages names the field")
  func comparing() throws {
    let expected = try ProtobufMessage(hexadecimal("2202 1801 2202 1802")).document(
      as: "umbra.shop.Lists", in: descriptors)
    let actual = try ProtobufMessage(hexadecimal("2202 1801 2202 1803")).document(
      as: "umbra.shop.Lists", in: descriptors)
    let edits = expected.edits(to: actual).edits
    #expect(edits.map(\.generalPointer) == ["/scalars/*/anInt32"] && edits.map(\.kind) == [.changed])
    let byNumber = try ProtobufMessage(hexadecimal("2202 1801")).document()
      .edits(to: ProtobufMessage(hexadecimal("2202 1801 2202 1803")).document()).edits
    #expect(byNumber.map(\.generalPointer) == ["/4:len/*"] && byNumber.map(\.kind) == [.added])
  }

  @Test("Errors say what and where")
  func errors() throws {
    func error(_ hex: String, as type: String = "umbra.shop.Lists") -> ProtobufError? {
      #expect(throws: ProtobufError.self) { _ = try json(hex, as: type) }
      do { _ = try json(hex, as: type) } catch { return error as? ProtobufError }
      return nil
    }
    #expect(error("08", as: "umbra.Nothing") == ProtobufError(reason: .unknownType, offset: 0))
    #expect(error("0801 08") == ProtobufError(reason: .endOfMessage, offset: 2))
    #expect(error("0801 0a05 00") == ProtobufError(reason: .endOfMessage, offset: 2))
    #expect(error("00") == ProtobufError(reason: .tag, offset: 0))
    #expect(error("0f") == ProtobufError(reason: .tag, offset: 0))
    #expect(error("08 ffffffffffffffffffffff 01") == ProtobufError(reason: .varint, offset: 0))
    #expect(error("0b 0801") == ProtobufError(reason: .group, offset: 0))
    #expect(error("0c") == ProtobufError(reason: .group, offset: 0))
    #expect(throws: ProtobufError(reason: .descriptor, offset: 0)) { try ProtobufDescriptors(fileDescriptorSet: []) }
    #expect(throws: ProtobufError.self) { try ProtobufDescriptors(fileDescriptorSet: Array("not a set".utf8)) }
  }
}
