// Secrets in the messages of gRPC calls, by name, by number and by what they look like.

import ContentCoding
import ContentTree
import HTTPModel
import MessageFraming
import Testing

@testable import TrafficRules

@Suite struct CallRedactionTests {
  // MARK: Messages, as short as tests want them

  private static func varint(_ value: Int) -> [UInt8] {
    value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f) | 0x80] + varint(value >> 7)
  }

  private static func field(_ number: Int, _ content: [UInt8]) -> [UInt8] {
    varint(number << 3 | 2) + varint(content.count) + content
  }

  private static func field(_ number: Int, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }
  private static func field(_ number: Int, _ value: Int) -> [UInt8] { varint(number << 3) + varint(value) }

  private func framed(_ message: [UInt8], flag: UInt8 = 0) -> [UInt8] {
    [flag] + (0..<4).map { UInt8(truncatingIfNeeded: message.count >> (24 - 8 * $0)) } + message
  }

  /// FieldDescriptorProto.
  private static func member(
    _ name: String, _ number: Int, _ type: Int, _ typeName: String? = nil, isRepeated: Bool = false
  ) -> [UInt8] {
    field(
      2,
      field(1, name) + field(3, number) + field(4, isRepeated ? 3 : 1) + field(5, type)
        + (typeName.map { field(6, $0) } ?? []))
  }

  /// shop.Login { user = 1; password = 2; card = 3; meta = 4 (map); notes = 5 (repeated); api_key = 6 (bytes); pin = 7;
  /// token = 8 (Card) }, shop.Card { number = 1; holder_name = 2 }, shop.Plain { text = 1 };
  /// /shop.Shop/Login (Login -> Login), /shop.Shop/Plain (Plain -> Login).
  private static let descriptors: ProtobufDescriptors = {
    let entry = field(1, "MetaEntry") + member("key", 1, 9) + member("value", 2, 9) + field(7, field(7, 1))
    let login: [UInt8] =
      [field(1, "Login"), member("user", 1, 9), member("password", 2, 9), member("card", 3, 11, ".shop.Card")]
      .flatMap(\.self)
      + [
        member("meta", 4, 11, ".shop.Login.MetaEntry", isRepeated: true), member("notes", 5, 9, isRepeated: true),
        member("api_key", 6, 12), member("pin", 7, 3), member("token", 8, 11, ".shop.Card"), field(3, entry),
      ].flatMap(\.self)
    let card = field(1, "Card") + member("number", 1, 9) + member("holder_name", 2, 9)
    let plain = field(1, "Plain") + member("text", 1, 9)
    func method(_ name: String, _ input: String) -> [UInt8] {
      field(2, field(1, name) + field(2, ".shop.\(input)") + field(3, ".shop.Login"))
    }
    let service = field(1, "Shop") + method("Login", "Login") + method("Plain", "Plain")
    let file =
      field(1, "shop.proto") + field(2, "shop") + field(4, login) + field(4, card) + field(4, plain)
      + field(6, service) + field(12, "proto3")
    return try! ProtobufDescriptors(fileDescriptorSet: field(1, file))
  }()

  private static let login: [UInt8] =
    [
      field(1, "ann"), field(2, "SECRET-password"), field(3, field(1, "SECRET-4111") + field(2, "SECRET-holder")),
      field(4, field(1, "colour") + field(2, "blue")), field(4, field(1, "token") + field(2, "SECRET-meta")),
    ].flatMap(\.self)
    + [
      field(5, "first"), field(5, "second"), field(6, [0x01, 0xff, 0x53, 0x45, 0x43, 0x02]), field(7, 4711),
      field(8, field(1, "SECRET-deep") + field(2, "SECRET-deeper")),
    ].flatMap(\.self)

  private func call(
    _ messages: [UInt8], _ path: String = "/shop.Shop/Login", _ fields: [(String, String)] = [],
    type: String = "application/grpc"
  ) -> Exchange {
    exchange(
      request("POST", path, [("content-type", type)] + fields, body: messages, version: .http2),
      response(200, [("content-type", type)] + fields, body: messages))
  }

  private func redacted(
    _ exchange: Exchange, _ rule: String = "", key: [UInt8] = [1, 2], types: ProtobufDescriptors? = descriptors
  ) -> Exchange {
    var redactor = Redactor(rules(rule).redact, key: key, descriptors: types)
    var copy = exchange
    redactor.redact(&copy)
    return copy
  }

  private func json(_ message: some Collection<UInt8>) throws -> String {
    text(try ProtobufMessage(Array(message)).jsonText(as: "shop.Login", in: Self.descriptors, naming: .proto))
  }

  private func messages(_ body: [UInt8]) -> [[UInt8]] {
    var (index, found): (Int, [[UInt8]]) = (0, [])
    while index + 5 <= body.count {
      let length = body[index + 1..<index + 5].reduce(0) { $0 << 8 | Int($1) }
      found.append(Array(body[(index + 5)..<min(body.count, index + 5 + length)]))
      index += 5 + length
    }
    return found
  }

  // MARK: By name

  @Test func wellKnownNamesAreHiddenWhereDescriptorsAreGiven() throws {
    let one = call(framed(Self.login))
    let after = redacted(one)
    for body in [after.request!.body, after.response!.body] {
      #expect(body.bytes.count == one.request!.body.bytes.count && body.isComplete)
      let shown = try json(body.bytes.dropFirst(5))
      for secret in ["SECRET-password", "SECRET-meta", "SECRET-deep", "SECRET-deeper", "4711"] {
        #expect(!shown.contains(secret), "\(shown)")
      }
      // No well-known names, and not named by a rule.
      for plain in [#""user":"ann""#, "SECRET-4111", "SECRET-holder", "blue", "first", #""colour""#, #""token":""#] {
        #expect(shown.contains(plain), "\(plain) in \(shown)")
      }
      #expect(!body.bytes.contains(sequence: [0x01, 0xff, 0x53, 0x45, 0x43, 0x02]))
    }
    #expect(redacted(one, types: nil) == one)
    #expect(redacted(one, "redact: { defaults: false }") == one)
    #expect(try json(redacted(one, "redact: { keep: [password] }").request!.body.bytes[5...]).contains("SECRET-pass"))
  }

  @Test(arguments: ["/card/number", "/**/number", "/*/number", "/card"])
  func rulesNameFields(pointer: String) throws {
    let after = redacted(call(framed(Self.login)), "redact: { grpc: [{ method: /shop.Shop/*, fields: '\(pointer)' }] }")
    let shown = try json(after.request!.body.bytes.dropFirst(5))
    #expect(!shown.contains("SECRET-4111") && shown.contains("SECRET-holder") == (pointer != "/card"), "\(shown)")
    let other = redacted(call(framed(Self.login)), "redact: { grpc: [{ method: /shop.Cart/*, fields: '\(pointer)' }] }")
    #expect(try json(other.request!.body.bytes.dropFirst(5)).contains("SECRET-4111"))
  }

  @Test(arguments: ["/notes/1", "/notes", "/notes/*", "/meta/colour", "/card/holderName", "/card/holder_name"])
  func elementsKeysAndSpellings(pointer: String) throws {
    let shown = try json(
      redacted(call(framed(Self.login)), "redact: { grpc: ['\(pointer)'] }").request!.body.bytes.dropFirst(5))
    switch pointer {
    case "/notes/1": #expect(shown.contains(#"["first","#) && !shown.contains("second"))
    case "/notes", "/notes/*": #expect(!shown.contains("first") && !shown.contains("second"))
    case "/meta/colour": #expect(!shown.contains("blue") && shown.contains(#""colour":""#))
    default: #expect(!shown.contains("SECRET-holder") && shown.contains("SECRET-4111"))
    }
  }

  /// Equal values stay equal under one key, in bytes too; numbers become 0.
  @Test func tokensKeepEquality() throws {
    func shown(_ key: [UInt8]) throws -> String {
      try json(redacted(call(framed(Self.login)), key: key).request!.body.bytes.dropFirst(5))
    }
    #expect(try shown([1]) == shown([1]))
    #expect(try shown([1]) != shown([2]))
    #expect(try !shown([1]).contains(#""pin""#))
  }

  @Test func masksAndRemovals() throws {
    let masked = redacted(call(framed(Self.login)), "redact: { with: mask }").request!.body
    #expect(try json(masked.bytes.dropFirst(5)).contains(#""password":"***************""#))
    #expect(masked.bytes.count == Self.login.count + 5)

    let one = call(framed(Self.login) + framed(Self.login))
    let removed = redacted(one, "redact: { with: remove }").request!
    let expected: [UInt8] = [
      Self.field(1, "ann"), Self.field(3, Self.field(1, "SECRET-4111") + Self.field(2, "SECRET-holder")),
      Self.field(4, Self.field(1, "colour") + Self.field(2, "blue")), Self.field(5, "first"), Self.field(5, "second"),
    ].flatMap(\.self)
    #expect(messages(removed.body.bytes) == [expected, expected])
    #expect(removed.body.size == UInt64(removed.body.bytes.count))
    let inner = redacted(one, "redact: { with: remove, defaults: false, grpc: [/card/number] }").request!
    #expect(try json(messages(inner.body.bytes)[0]).contains(#""card":{"holder_name":"SECRET-holder"}"#))
  }

  // MARK: Codings and places

  @Test(arguments: ["gzip", "deflate"])
  func compressedMessagesAreRedactedInside(coding: String) throws {
    let coded = StoredCoding.encode(Self.login, codings: [coding])!
    var one = call(
      framed(coded, flag: 1) + framed(Self.login), "/shop.Shop/Login", [("grpc-encoding", coding)])
    one.request!.fields.append(name: "content-length".utf8, value: "\(one.request!.body.bytes.count)".utf8)
    let time = Timestamp(nanoseconds: 0)
    one.details.messages = StreamMessages(
      .grpc,
      messages: [
        StreamMessage(
          direction: .request, kind: .grpc, flags: [.compressed, .stillCompressed], time: time, offset: 5,
          length: UInt64(coded.count)),
        StreamMessage(
          direction: .request, kind: .grpc, time: time, offset: UInt64(coded.count + 10),
          length: UInt64(Self.login.count)),
      ])
    for style in ["token", "mask", "remove"] {
      let after = redacted(one, "redact: { with: \(style) }")
      let body = after.request!.body
      let stream = try #require(after.details.messages)
      let kept = stream.messages.map { Array(stream.bytes(of: $0, in: body)!) }
      #expect(kept == messages(body.bytes) && kept.count == 2)
      let content = try ContentCoding.decode(kept[0], codings: [coding], limit: 1 << 20)
      #expect(content == kept[1])
      #expect(try !json(content).contains("SECRET-password") && json(content).contains("SECRET-4111"))
      #expect(body.bytes[0] == 1 && body.size == UInt64(body.bytes.count))
      #expect(text(after.request!.fields.first("content-length")!) == "\(body.bytes.count)")
    }
    // Without secrets nothing is written anew.
    let plain = Self.field(1, "hello")
    let other = call(
      framed(StoredCoding.encode(plain, codings: [coding])!, flag: 1), "/shop.Shop/Plain", [("grpc-encoding", coding)])
    #expect(redacted(other).request == other.request)
  }

  @Test func whatCannotBeLookedIntoIsNotKept() {
    let secret = Array("SECRET-snappy".utf8)
    let one = call(framed(secret, flag: 1), "/shop.Shop/Login", [("grpc-encoding", "snappy")])
    #expect(redacted(one).request!.body.bytes == [1, 0, 0, 0, 13] + [UInt8](repeating: 0, count: 13))
    #expect(redacted(one, types: nil) == one)
    // A type without secrets has none to lose.
    let plain = call(framed(secret, flag: 1), "/shop.Shop/Plain", [("grpc-encoding", "snappy")])
    #expect(redacted(plain).request == plain.request)
  }

  @Test func textOfGRPCWebIsWrittenAnew() throws {
    func base64(_ bytes: [UInt8]) -> [UInt8] {
      let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
      return stride(from: 0, to: bytes.count, by: 3).flatMap { start -> [UInt8] in
        let group = bytes[start..<min(start + 3, bytes.count)]
        let bits = group.enumerated().reduce(0) { $0 | Int($1.element) << (16 - 8 * $1.offset) }
        return (0..<4).map { $0 <= group.count ? alphabet[bits >> (18 - 6 * $0) & 63] : 0x3d }
      }
    }
    let frame = framed(Self.login)
    // Padded in the middle, as flushes do.
    let body =
      base64(Array(frame[..<100])) + base64(Array(frame[100...])) + base64(framed(Array("x: y".utf8), flag: 128))
    for style in ["token", "remove"] {
      var one = call(body, type: "application/grpc-web-text+proto")
      one.details.messages = StreamMessages(
        .grpcWebText,
        messages: [
          StreamMessage(
            direction: .request, kind: .grpc, time: Timestamp(nanoseconds: 0), offset: 0,
            length: UInt64(Self.login.count))
        ], bytes: Self.login)
      let after = redacted(one, "redact: { with: \(style) }")
      let decoded = try #require(Base64Stream.decode(after.request!.body.bytes))
      let message = messages(decoded)[0]
      #expect(try !json(message).contains("SECRET-password"))
      #expect(text(decoded.suffix(4)) == "x: y" && after.request!.body.size == UInt64(after.request!.body.bytes.count))
      let stream = try #require(after.details.messages)
      #expect(Array(stream.bytes(of: stream.messages[0], in: nil)!) == message)
    }
  }

  /// Without a record of where messages begin: an answer to a replayed request.
  @Test func answersAloneAreRedactedByTheirRequest() throws {
    var answer = response(200, [("content-type", "application/grpc")], body: framed(Self.login))
    var redactor = Redactor(key: [1], descriptors: Self.descriptors)
    let asked = request("POST", "/shop.Shop/Plain", [("content-type", "application/grpc")], version: .http2)
    redactor.redact(&answer, to: asked)
    #expect(try !json(answer.body.bytes.dropFirst(5)).contains("SECRET-password"))
    var unknown = response(200, [("content-type", "application/grpc")], body: framed(Self.login))
    redactor.redact(&unknown)
    #expect(unknown.body.bytes == framed(Self.login))
  }

  // MARK: By what it looks like

  /// The octet before a text is its length, and may be a letter; the one behind it is a tag, and may be a digit.
  @Test func patternsKeepToTheirFields() throws {
    let mail = String(repeating: "a", count: 56) + "@b.example"
    let card = "4111111111111111"
    let message =
      Self.field(1, mail) + Self.field(6, card) + Self.field(6, Self.field(1, mail) + Self.field(2, 7))
      + Self.field(6, "Bearer abcdefghijklmnopqrstuvwxyz") + Self.field(6, #"{"password":"SECRET99"}"#)
    for types in [nil, Self.descriptors] {
      let one = call(framed(message), "/shop.Shop/Plain")
      let after = redacted(one, "redact: { text: [card, email, bearer, jwt] }", types: types).request!.body.bytes
      let shown = text(try ProtobufMessage(Array(after.dropFirst(5))).jsonText())
      for secret in ["@b.example", card, "uvwxyz", "SECRET99"] where secret != "@b.example" {
        #expect(!shown.contains(secret), "\(shown)")
      }
      #expect(!after.contains(sequence: Array(mail.utf8)) && after.count == message.count + 5)
      #expect(shown.contains(#""2:varint":[7]"#) && shown.contains("Bearer "))
    }
  }

  @Test func damagedBodiesAreSearchedAsFarAsTheyGo() {
    let frame = framed(Self.login)
    for length in 0...frame.count {
      var one = call(Array(frame[..<length]))
      one.request!.body.size = UInt64(frame.count)
      one.request!.body.isComplete = length == frame.count
      for rule in ["", "redact: { with: remove }", "redact: { with: mask, text: [email] }"] {
        let body = redacted(one, rule).request!.body
        #expect(!body.bytes.contains(sequence: Array("SECRET-pass".utf8)))
        #expect(length == frame.count || body.bytes.count == length)
      }
    }
    // A hole: what is behind it in the message can't be read.
    for hole in 5..<frame.count - 10 {
      var one = call(Array(frame[..<hole]) + frame[(hole + 10)...])
      one.request!.body.size = UInt64(frame.count)
      one.request!.body.isComplete = false
      one.request!.body.missing = [BodyRange(lowerBound: UInt64(hole), upperBound: UInt64(hole + 10))]
      let body = redacted(one).request!.body
      #expect(!body.bytes.contains(sequence: Array("SECRET-d".utf8)))
      #expect(body.bytes.count == frame.count - 10)
    }
  }

  // MARK: Told, and compared

  @Test func whatIsSecretIsTold() {
    let one = call(framed(Self.login))
    let rule = rules("redact: { grpc: [/card/number] }").redact
    let places = Redactor.findings(in: one, rule: rule, descriptors: Self.descriptors).map(\.place)
    #expect(
      places.prefix(7) == [
        "request message password", "request message card.number", "request message meta.token",
        "request message api_key", "request message pin", "request message token.number",
        "request message token.holder_name",
      ])
    for style in ["token", "mask", "remove"] {
      let after = redacted(one, "redact: { with: \(style), grpc: [/card/number] }")
      #expect(Redactor.findings(in: after, rule: rule, descriptors: Self.descriptors) == [])
    }
  }

  @Test func blankingMakesWhatTwoKeysMadeDifferentTheSame() {
    let short = Self.field(2, "another secret")
    func blanked(_ message: [UInt8], _ key: [UInt8]) -> Exchange {
      var one = redacted(call(framed(message)), key: key)
      var blanking = Redactor.blanking(descriptors: Self.descriptors)
      blanking.redact(&one)
      return one
    }
    #expect(blanked(Self.login, [1]) == blanked(Self.login, [2]))
    #expect(blanked(short, [1]) == blanked(Self.field(2, "x"), [2]))
  }

  @Test func rulesAreReadWithTheirPlaces() {
    #expect(read("version: 1\nredact: { grpc: [3.2] }").problems.count == 1)
    #expect(read("version: 1\nredact: { grpc: [{ fields: [3.2] }] }").problems.count == 1)
    #expect(read("version: 1\nredact: { grpc: [{ method: /a.B/*, fields: [x] }] }").problems.count == 1)
    #expect(read("version: 1\nredact: { grpc: [{ method: /a.B/* }] }").problems.count == 1)
    let good = read("version: 1\nredact:\n  grpc: [/**/password, { method: /a.B/*, fields: [/card/number, 3.2] }]")
    #expect(good.problems == [] && good.rules.redact.placeOfNamedFields?.line == 3)
    #expect(rules("redact: { grpc: [{ method: /a.B/*, fields: [3.2] }] }").redact.placeOfNamedFields == nil)
  }
}

extension [UInt8] {
  fileprivate func contains(sequence: [UInt8]) -> Bool {
    guard count >= sequence.count else { return false }
    return (0...count - sequence.count).contains { self[$0..<$0 + sequence.count].elementsEqual(sequence) }
  }
}
