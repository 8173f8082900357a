// Every example of RFC 7541, appendix C.

import HTTP2Decoding
import HTTPModel
import Testing

@Suite("Examples of RFC 7541, appendix C")
struct RFCExamplesTests {
  /// An integer as the size of a table, which has a 5-bit prefix.
  @Test("C.1: integers")
  func integers() {
    var decoder = HPACKDecoder()
    _ = decoder.decode(octets("2a"))
    #expect(decoder.maximumTableSize == 10)
    _ = decoder.decode(octets("3f9a0a"))
    #expect(decoder.maximumTableSize == 1337)
    // C.1.3 has an 8-bit prefix, which no representation has; 42 as an index has 7.
    #expect(decoder.fields("aa") == fields("if-range: "))
  }

  @Test("C.2.1: literal with indexing")
  func literalWithIndexing() {
    var decoder = HPACKDecoder()
    let expected = fields("custom-key: custom-header")
    #expect(decoder.fields("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572") == expected)
    #expect(decoder.entries == expected)
    #expect(decoder.table.size == 55)
  }

  @Test("C.2.2: literal without indexing")
  func literalWithoutIndexing() {
    var decoder = HPACKDecoder()
    #expect(decoder.fields("040c 2f73 616d 706c 652f 7061 7468") == fields(":path: /sample/path"))
    #expect(decoder.table.count == 0)
  }

  @Test("C.2.3: literal never indexed")
  func literalNeverIndexed() {
    var decoder = HPACKDecoder()
    #expect(
      decoder.fields("1008 7061 7373 776f 7264 0673 6563 7265 74")
        == [DecodedField("password", "secret", .neverIndexed)])
    #expect(decoder.table.count == 0)
  }

  @Test("C.2.4: indexed")
  func indexed() {
    var decoder = HPACKDecoder()
    #expect(decoder.fields("82") == fields(":method: GET"))
    #expect(decoder.table.count == 0)
  }

  static let requests = [
    (
      "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
      ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com", ":authority: www.example.com", 57
    ),
    (
      "8286 84be 5808 6e6f 2d63 6163 6865", "8286 84be 5886 a8eb 1064 9cbf",
      ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\ncache-control: no-cache",
      "cache-control: no-cache\n:authority: www.example.com", 110
    ),
    (
      "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
      "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
      ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value",
      "custom-key: custom-value\ncache-control: no-cache\n:authority: www.example.com", 164
    ),
  ]

  @Test("C.3 and C.4: requests", arguments: [false, true])
  func requests(isHuffman: Bool) {
    var decoder = HPACKDecoder()
    for (plain, coded, list, table, size) in Self.requests {
      #expect(decoder.fields(isHuffman ? coded : plain) == fields(list))
      #expect(decoder.entries == fields(table))
      #expect(decoder.table.size == size)
    }
  }

  static let responses = [
    (
      """
      4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133
      2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70
      6c65 2e63 6f6d
      """,
      """
      4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6
      2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3
      """,
      """
      :status: 302
      cache-control: private
      date: Mon, 21 Oct 2013 20:13:21 GMT
      location: https://www.example.com
      """,
      """
      location: https://www.example.com
      date: Mon, 21 Oct 2013 20:13:21 GMT
      cache-control: private
      :status: 302
      """, 222
    ),
    (
      "4803 3330 37c1 c0bf", "4883 640e ffc1 c0bf",
      """
      :status: 307
      cache-control: private
      date: Mon, 21 Oct 2013 20:13:21 GMT
      location: https://www.example.com
      """,
      """
      :status: 307
      location: https://www.example.com
      date: Mon, 21 Oct 2013 20:13:21 GMT
      cache-control: private
      """, 222
    ),
    (
      """
      88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d
      54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049
      5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e
      3d31
      """,
      """
      88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab
      77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f
      9587 3160 65c0 03ed 4ee5 b106 3d50 07
      """,
      """
      :status: 200
      cache-control: private
      date: Mon, 21 Oct 2013 20:13:22 GMT
      location: https://www.example.com
      content-encoding: gzip
      set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1
      """,
      """
      set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1
      content-encoding: gzip
      date: Mon, 21 Oct 2013 20:13:22 GMT
      """, 215
    ),
  ]

  @Test("C.5 and C.6: responses with evictions from 256 bytes", arguments: [false, true])
  func responses(isHuffman: Bool) {
    var decoder = HPACKDecoder()
    decoder.acknowledge(maximumTableSize: 256)
    // The examples take the size as agreed upon; here it is told.
    #expect(decoder.fields("3fe1 01") == [])
    for (plain, coded, list, table, size) in Self.responses {
      #expect(decoder.fields(isHuffman ? coded : plain) == fields(list))
      #expect(decoder.entries == fields(table))
      #expect(decoder.table.size == size)
    }
  }
}
