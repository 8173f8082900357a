import ContentTree
import HTTPModel
import Testing

@testable import ResponseDiff

/// Searching for the smallest request with an oracle that is a function of the request.
@Suite struct RequestShrinkingTests {
  private func request(
    _ target: String, fields: [(String, String)] = [], body: String = "", method: String = "GET"
  ) -> HTTPRequest {
    var head = HeaderFields(storage: Array("\(method) \(target)".utf8))
    head.append(name: "Host".utf8, value: "shop".utf8)
    for (name, value) in fields { head.append(name: name.utf8, value: value.utf8) }
    if !body.isEmpty { head.append(name: "Content-Length".utf8, value: "\(body.utf8.count)".utf8) }
    let now = Timestamp(nanoseconds: 0)
    let start = UInt32(method.utf8.count)
    return HTTPRequest(
      version: .http11, methodRange: 0..<start, targetRange: start + 1..<start + 1 + UInt32(target.utf8.count),
      fields: head,
      body: HTTPBody(
        bytes: Array(body.utf8), size: UInt64(body.utf8.count), framing: body.isEmpty ? .none : .contentLength),
      timing: MessageTiming(start: now, headEnd: now, end: now))
  }

  private func target(_ request: HTTPRequest) -> String { String(decoding: request.target, as: UTF8.self) }
  private func field(_ name: String, _ request: HTTPRequest) -> String? {
    request.fields.first(named: name).map { String(decoding: $0, as: UTF8.self) }
  }
  private func body(_ request: HTTPRequest) -> String { String(decoding: request.body.bytes, as: UTF8.self) }

  private func search(
    _ request: HTTPRequest, limit: Int = 100, descriptors: ProtobufDescriptors? = nil,
    oracle: (HTTPRequest) -> Bool
  ) -> RequestShrinking {
    var search = RequestShrinking(request, limit: limit, descriptors: descriptors)
    while let candidate = search.next() { search.record(oracle(candidate)) }
    return search
  }

  private let fields: [(String, String)] = [
    ("Accept", "*/*"), ("Accept-Language", "ja"), ("User-Agent", "x"), ("X-A", "1"), ("X-B", "2"), ("X-C", "3"),
    ("Cookie", "a=1; b=2; c=3"), ("Referer", "/"), ("DNT", "1"), ("X-D", "4"),
  ]

  @Test func oneParameterIsFoundInFewRequests() {
    let search = search(request("/items?a=1&b=2&currency=JPY&d=4&e=5&f=6&g=7&h=8", fields: fields)) {
      target($0).contains("currency=JPY")
    }
    #expect(search.outcome == .minimal)
    #expect(target(search.smallest) == "/items?currency=JPY")
    #expect(search.smallest.fields.count == 1 && field("host", search.smallest) == "shop")
    #expect(search.needed.map(\.text) == ["currency=JPY"])
    #expect(search.original.count == 8 + 9 + 3)
    #expect(search.asked <= 24, "\(search.asked)")
  }

  @Test func whatNeedsNothingEndsAtOnce() {
    let search = search(request("/items?a=1&b=2", fields: fields)) { _ in true }
    #expect(search.outcome == .minimal && search.needed.isEmpty && search.asked == 5)
    #expect(target(search.smallest) == "/items")
  }

  @Test func partsOfSeveralKindsThatMatterTogetherStay() {
    let search = search(request("/items?a=1&b=2&c=3", fields: fields)) {
      target($0).contains("b=2") && field("x-c", $0) == "3" && (field("cookie", $0) ?? "").contains("c=3")
    }
    #expect(search.outcome == .minimal)
    #expect(search.needed.map(\.text) == ["b=2", "X-C: 3", "cookie c=3"])
    #expect(field("cookie", search.smallest) == "c=3")
  }

  @Test func membersOfBodiesGoFromTheOutsideIn() {
    let text = #"{"text":"shoe","filter":{"size":[41,{"eu":42,"uk":8}],"colour":"red"},"page":1,"empty":{}}"#
    let search = search(request("/search", body: text, method: "POST")) {
      body($0).contains(#""uk":8"#) && body($0).contains(#""page":1"#)
    }
    #expect(search.outcome == .minimal)
    #expect(body(search.smallest) == #"{"filter":{"size":[{"uk":8}]},"page":1}"#)
    #expect(field("content-length", search.smallest) == "\(body(search.smallest).utf8.count)")
    #expect(search.smallest.body.size == UInt64(body(search.smallest).utf8.count))
    #expect(search.needed.map(\.text) == ["/filter/size/0/uk", "/page"])
  }

  @Test func formsAndMessagesAreTakenApart() throws {
    let form = search(
      request(
        "/a", fields: [("Content-Type", "application/x-www-form-urlencoded")], body: "a=1&b=2&c=3", method: "POST")
    ) { body($0).contains("b=2") }
    #expect(body(form.smallest) == "b=2" && field("content-type", form.smallest) != nil)

    // Fields 1 (varint), 2 (text), 3 (fixed 64), 4 (fixed 32).
    let message: [UInt8] = [8, 150, 1, 18, 2, 104, 105, 25, 1, 2, 3, 4, 5, 6, 7, 8, 37, 1, 2, 3, 4]
    var call = request("/shop.Shop/Get", fields: [("content-type", "application/grpc")], body: "x", method: "POST")
    call.body.bytes = [0, 0, 0, 0, UInt8(message.count)] + message
    call.body.size = UInt64(call.body.bytes.count)
    let grpc = search(call) { $0.body.bytes.contains(104) }
    #expect(grpc.smallest.body.bytes == [0, 0, 0, 0, 4, 18, 2, 104, 105])
    #expect(grpc.needed.map(\.text) == ["field 2"])
    let named = search(call, descriptors: try shop()) { $0.body.bytes.contains(104) }
    #expect(named.needed.map(\.text) == ["currency"])
    #expect(named.original.map(\.text) == ["field 1", "currency", "field 3", "field 4"])
  }

  private func part(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
    [number << 3 | 2, UInt8(content.count)] + content
  }
  private func text(_ number: UInt8, _ text: String) -> [UInt8] { part(number, Array(text.utf8)) }

  private func call(_ message: [UInt8]) -> HTTPRequest {
    var call = request("/shop.Shop/Get", fields: [("content-type", "application/grpc")], body: "x", method: "POST")
    call.body.bytes = [0, 0, 0, 0, UInt8(message.count)] + message
    call.body.size = UInt64(call.body.bytes.count)
    return call
  }

  /// A filter (1) with a colour (1) and sizes (2) of eu (1) and uk (2), a page (2), labels (3) by language, a nickname (4)
  /// in a wrapper.
  @Test(arguments: [true, false]) func fieldsOfMessagesGoFromTheOutsideIn(isTyped: Bool) throws {
    func label(_ language: String, _ value: String) -> [UInt8] { part(3, text(1, language) + text(2, value)) }
    let sizes = part(2, [8, 41, 16, 7]) + part(2, [8, 42, 16, 8])
    let message =
      part(1, text(1, "red") + sizes) + [16, 1] + label("ja", "kutsu") + label("en", "shoe")
      + part(4, text(1, "hiker"))
    let descriptors = isTyped ? try shopOfMessages() : nil
    let search = search(call(message), limit: 300, descriptors: descriptors) {
      let bytes = $0.body.bytes
      return bytes.firstRange(of: [16, 8]) != nil && bytes.firstRange(of: text(2, "shoe")) != nil
        && bytes.firstRange(of: text(1, "hiker")) != nil
    }
    #expect(search.outcome == .minimal)
    if isTyped {
      #expect(search.original.map(\.text) == ["filter", "page", "labels.ja", "labels.en", "nickname"])
      #expect(search.needed.map(\.text) == ["filter.sizes.uk", "labels.en", "nickname"])
      // An entry of a map is one thing, key and all.
      let smallest = part(1, part(2, [16, 8])) + label("en", "shoe") + part(4, text(1, "hiker"))
      #expect(search.smallest.body == call(smallest).body)
    } else {
      #expect(search.original.map(\.text) == ["field 1", "field 2", "field 3", "field 3", "field 4"])
      #expect(search.needed.map(\.text) == ["field 1.field 2.field 2", "field 3.field 2", "field 4.field 1"])
      let smallest = part(1, part(2, [16, 8])) + part(3, text(2, "shoe")) + part(4, text(1, "hiker"))
      #expect(search.smallest.body == call(smallest).body)
    }
  }

  /// What is no message is not taken apart, and what is damaged deeper down stays whole or goes whole.
  @Test func damagedMessagesAreLeftAlone() {
    let whole = call(part(1, [8, 1]) + [16, 1])
    for damage in [[0], [8], [15, 1], [0x80]] as [[UInt8]] {
      let search = search(call([16, 1] + damage)) { _ in true }
      #expect(search.outcome == .minimal && search.smallest.body.bytes.count <= 7 + damage.count, "\(damage)")
    }
    var cut = whole
    cut.body.bytes[4] = 9
    #expect(search(cut) { _ in true }.original.isEmpty)
    var compressed = whole
    compressed.body.bytes[0] = 1
    #expect(search(compressed) { _ in true }.original.isEmpty)
    let inner = search(call(part(1, [8, 1, 18, 9]) + [16, 1])) { $0.body.bytes.contains(9) }
    #expect(inner.needed.map(\.text) == ["field 1"] && inner.smallest.body == call(part(1, [8, 1, 18, 9])).body)
  }

  private func shopOfMessages() throws -> ProtobufDescriptors {
    func field(_ name: String, _ number: UInt8, _ kind: UInt8, _ type: String = "", isRepeated: Bool = false) -> [UInt8]
    {
      part(
        2,
        text(1, name) + [3 << 3, number, 4 << 3, isRepeated ? 3 : 1, 5 << 3, kind] + (type.isEmpty ? [] : text(6, type))
      )
    }
    let entry =
      text(1, "LabelsEntry") + field("key", 1, 9) + field("value", 2, 9) + part(7, [7 << 3, 1])
    let query =
      text(1, "Query") + field("filter", 1, 11, ".shop.Filter") + field("page", 2, 5)
      + field("labels", 3, 11, ".shop.Query.LabelsEntry", isRepeated: true)
      + field("nickname", 4, 11, ".google.protobuf.StringValue") + part(3, entry)
    let filter = text(1, "Filter") + field("colour", 1, 9) + field("sizes", 2, 11, ".shop.Size", isRepeated: true)
    let size = text(1, "Size") + field("eu", 1, 5) + field("uk", 2, 5)
    let method = text(1, "Get") + text(2, ".shop.Query") + text(3, ".shop.Query")
    let content =
      text(2, "shop") + long(4, query) + part(4, filter) + part(4, size) + part(6, text(1, "Shop") + part(2, method))
    let wrappers = text(2, "google.protobuf") + part(4, text(1, "StringValue") + field("value", 1, 9))
    return try ProtobufDescriptors(fileDescriptorSet: long(1, content) + part(1, wrappers))
  }

  /// As ``part(_:_:)``, of 128 bytes and more.
  private func long(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
    [number << 3 | 2, UInt8(content.count & 0x7f | 0x80), UInt8(content.count >> 7)] + content
  }

  /// Of a service whose method takes a message with one known field, number 2.
  private func shop() throws -> ProtobufDescriptors {
    let field = text(1, "currency") + [3 << 3, 2, 4 << 3, 1, 5 << 3, 9]
    let method = text(1, "Get") + text(2, ".shop.Query") + text(3, ".shop.Query")
    let file =
      text(2, "shop") + part(4, text(1, "Query") + part(2, field)) + part(6, text(1, "Shop") + part(2, method))
    return try ProtobufDescriptors(fileDescriptorSet: part(1, file))
  }

  @Test func whatDoesNotShowIsAskedTwiceOnly() {
    let never = search(request("/a?b=1")) { _ in false }
    #expect(never.outcome == .notReproduced && never.asked == 2)
    var turn = 0
    let once = search(request("/a?b=1")) { _ in
      turn += 1
      return turn == 1
    }
    #expect(once.outcome == .intermittent && once.asked == 2)
  }

  @Test func theLimitHolds() {
    let parameters = (0..<200).map { "p\($0)=\($0)" }.joined(separator: "&")
    for limit in [3, 4, 10, 40] {
      let search = search(request("/a?\(parameters)"), limit: limit) {
        target($0).contains("p7=") && target($0).contains("p100=") && target($0).contains("p199=")
      }
      #expect(search.asked == limit && search.outcome == .limited)
      #expect(target(search.smallest).contains("p7=") && target(search.smallest).contains("p199="))
    }
  }

  /// Whatever subset matters, it and nothing else is left.
  @Test func everySubsetIsFoundExactly() {
    var generator = SplitMix(state: 7)
    for _ in 0..<300 {
      let count = Int(generator.next() % 24) + 1
      let wanted = (0..<count).filter { _ in generator.next() % 5 == 0 }
      let parameters = (0..<count).map { "p\($0)=x" }
      let search = search(request("/a?" + parameters.joined(separator: "&"), fields: fields), limit: 1000) { request in
        let left = Set(target(request).split(whereSeparator: { $0 == "?" || $0 == "&" }).map(String.init))
        return wanted.allSatisfy { left.contains(parameters[$0]) }
      }
      #expect(search.outcome == .minimal)
      #expect(search.needed.map(\.text) == wanted.map { parameters[$0] })
      let n = Double(count + 12)
      #expect(
        Double(search.asked) <= 8 + 4 * Double(wanted.count + 1) * (n.squareRoot() + 4),
        "\(search.asked) for \(wanted.count) of \(count)")
    }
  }

  /// Of what shows and does not by chance, what is told to be needed holds what is.
  @Test func chanceLeavesNothingOutThatMatters() {
    var generator = SplitMix(state: 11)
    var (wrong, minimal) = (0, 0)
    for _ in 0..<400 {
      let search = search(request("/a?a=1&b=2&c=3&d=4&e=5&f=6", fields: fields)) { request in
        let shows = target(request).contains("c=3")
        // One answer in fifty is not what it should be.
        return generator.next() % 50 == 0 ? !shows : shows
      }
      #expect(search.asked <= 100)
      if search.outcome == .minimal {
        minimal += 1
        if !search.needed.map(\.text).contains("c=3") { wrong += 1 }
      }
    }
    #expect(wrong == 0 && minimal > 300, "\(wrong) of \(minimal)")
  }

  private struct SplitMix {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
      return z ^ z >> 31
    }
  }
}
