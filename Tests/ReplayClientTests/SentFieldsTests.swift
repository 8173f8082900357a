// The header lists that HTTP/2 is given: strings that serve again are those that belong there.

import HTTPModel
import NIOHPACK
import ReplaySchedule
import Testing

@testable import ReplayClient

@Suite struct SentFieldsTests {
  private struct Field: Equatable, CustomStringConvertible {
    var name: String
    var value: String
    var description: String { "\(name): \(value)" }
  }

  private func composer(_ change: (inout ReplayOptions) -> Void = { _ in }) throws -> HTTP2RequestComposer {
    HTTP2RequestComposer(
      options: testOptions {
        $0.marker = nil
        change(&$0)
      }, target: try ReplayTarget(url: "h2c://127.0.0.1:1"))
  }

  private func list(_ headers: HPACKHeaders) -> [Field] { headers.map { Field(name: $0.name, value: $0.value) } }

  /// Which fields of the list get a place in HPACK's table.
  private func indexed(_ headers: HPACKHeaders) -> [String] {
    headers.filter { $0.indexable == .indexable }.map(\.name).filter { !$0.hasPrefix(":") }
  }

  @Test func whatWasSentBeforeIsNeverSentInPlaceOfSomethingElse() throws {
    var source = SplitMix64(seed: 7)
    let composer = try composer()
    var tables = [IndexedFields](repeating: IndexedFields(), count: 3)
    for number in 0..<4000 {
      var fields: [(name: [UInt8], value: [UInt8])] = []
      for _ in 0..<source.next() % 12 {
        // More names than are kept; values that come again, that do not, that are long, that are no text.
        let name = Array("X-\(source.next() % (number % 2 == 0 ? 20 : 600))".utf8)
        let value: [UInt8] =
          switch source.next() % 6 {
          case 0: []
          case 1: Array("id-\(source.next())".utf8)
          case 2: Array(repeating: 0x61, count: Int(source.next() % 1500))
          case 3: [0x61, 0xff, UInt8(truncatingIfNeeded: source.next()), 0x7a]
          default: Array("value \(source.next() % 40)".utf8)
          }
        fields.append((name, value))
      }
      var exchange = multiplexed("/\(number)")
      for field in fields { exchange.request!.fields.append(name: field.name, value: field.value) }
      let headers = composer.compose(exchange.request!, wasTLS: false, indexed: &tables[number % 3])
      let expected = [(":method", "GET"), (":path", "/\(number)"), (":scheme", "http"), (":authority", "shop")]
      let sent = fields.map {
        Field(
          name: String(decoding: $0.name, as: UTF8.self).lowercased(), value: String(decoding: $0.value, as: UTF8.self))
      }
      try #require(list(headers) == expected.map { Field(name: $0.0, value: $0.1) } + sent)
    }
  }

  @Test func whatStaysTheSameIsIndexedAndWhatChangesIsNot() throws {
    let composer = try composer()
    var table = IndexedFields()
    func names(_ fields: [(String, String)], on table: inout IndexedFields) -> [String] {
      indexed(composer.compose(multiplexed("/", fields: fields).request!, wasTLS: false, indexed: &table))
    }
    // The first of each name is, for the name's sake.
    let first = [("accept", "*/*"), ("x-id", "0"), ("cookie", "a=1"), ("authorization", "secret"), ("range", "0")]
    #expect(names(first, on: &table) == ["accept", "x-id", "cookie"])
    for number in 1..<20 {
      let fields = [("accept", "*/*"), ("x-id", "\(number)"), ("cookie", "a=2"), ("authorization", "secret")]
      #expect(names(fields, on: &table) == (number > 2 ? ["accept", "cookie"] : ["accept"]), "\(number)")
    }
    // Another connection has its own table.
    var other = IndexedFields()
    #expect(names([("accept", "*/*"), ("cookie", "a=3")], on: &other) == ["accept", "cookie"])
    #expect(names([("cookie", "a=2")], on: &table) == ["cookie"])
  }

  @Test func fieldsWhoseNamesHTTP2DoesNotHaveAreLeftOut() throws {
    let composer = try composer()
    var table = IndexedFields()
    let fields = [("x-ä", "1"), ("x-b", "2"), ("x-\u{1F300}", "3")]
    var request = multiplexed("/", fields: fields).request!
    for (name, value) in fields { request.trailers.append(name: name.utf8, value: value.utf8) }
    for _ in 0..<2 {
      let headers = composer.compose(
        request, wasTLS: false, replaced: [(Array("x-ä".utf8), Array("4".utf8))], indexed: &table)
      #expect(list(headers).suffix(2).map(\.name) == [":authority", "x-b"])
      #expect(composer.trailers(of: request, indexed: &table).map(list) == [Field(name: "x-b", value: "2")])
    }
    #expect(indexed(try #require(composer.trailers(of: request, indexed: &table))) == ["x-b"])
  }

  @Test func ofHTTP1TheConnectionsFieldsAreLeftOutAndCookiesStandApart() throws {
    let composer = try composer()
    var table = IndexedFields()
    let text =
      "GET http://shop/a?b HTTP/1.1\r\nHost: shop\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: 5\r\nX-Hop: 1\r\n"
      + "TE: Trailers\r\nCookie: a=1; b=2; ; c=3\r\nX-Mixed: Case\r\nUpgrade: h2c\r\n\r\n"
    for _ in 0..<3 {
      let headers = composer.compose(recorded(text).request!, wasTLS: false, indexed: &table)
      #expect(
        list(headers).map(\.description) == [
          ":method: GET", ":scheme: http", ":authority: shop", ":path: /a?b", "te: Trailers", "cookie: a=1",
          "cookie: b=2", "cookie: c=3", "x-mixed: Case",
        ])
    }
  }
}
