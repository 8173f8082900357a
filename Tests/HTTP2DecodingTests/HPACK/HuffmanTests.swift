import HTTP2Decoding
import HTTPModel
import Testing

/// RFC 7541, 5.2 and appendix B.
@Suite("Huffman code")
struct HuffmanTests {
  private func value(_ coded: [UInt8]) -> [UInt8]? {
    var decoder = HPACKDecoder()
    let (fields, outcome, _) = decoder.decode(
      [0, 1, 0x78] + Wire.integer(coded.count, prefix: 7, pattern: 0x80) + coded)
    #expect(outcome.isComplete && fields.count == 1)
    #expect(outcome.isError == (fields[0].value == nil))
    #expect(outcome.anomalies.contains(.hpackHuffmanInvalid) == outcome.isError)
    #expect((decoder.knowledge == .partial) == outcome.isError)
    return fields[0].value
  }

  @Test("The code is complete: no sequence of bits is without a meaning")
  func completeness() {
    #expect(Wire.codes.reduce(0) { $0 + 1 << (30 - $1.length) } == 1 << 30)
    // Appendix B's first and last codes of some lengths.
    #expect(Wire.codes[0x30].bits == 0 && Wire.codes[0x74].bits == 0x9 && Wire.codes[0x20].bits == 0x14)
    #expect(Wire.codes[0x58].bits == 0xfc && Wire.codes[0x7b].bits == 0x7ffe && Wire.codes[0x5c].bits == 0x7fff0)
    #expect(Wire.codes[0].bits == 0x1ff8 && Wire.codes[22].bits == 0x3fff_fffe && Wire.codes[256].bits == 0x3fff_ffff)
  }

  @Test("Every byte, alone and with every other")
  func pairs() {
    for first in UInt8.min...UInt8.max {
      #expect(value(Wire.huffman([first])) == [first])
      let all = (UInt8.min...UInt8.max).flatMap { [first, $0] }
      #expect(value(Wire.huffman(all)) == all)
    }
  }

  @Test("Strings of every length, of frequent, rare and all bytes")
  func lengths() {
    var random = Randomness(seed: 1)
    for count in 0..<200 {
      for symbols in [Array("aeiost012".utf8), Array("GET /a?b=c;d".utf8), Array(0...255), Array(128...255)] {
        let string = (0..<count).map { _ in symbols.randomElement(using: &random) ?? 0 }
        #expect(value(Wire.huffman(string)) == string)
      }
    }
  }

  @Test("Padding is at most seven bits, and all of them ones")
  func padding() {
    #expect(value([]) == [])
    // "0" has five bits, all zeroes.
    #expect(value([0b0000_0111]) == Array("0".utf8))
    for wrong: UInt8 in [0b0000_0000, 0b0000_0110, 0b0000_0011, 0b0000_0101] { #expect(value([wrong]) != [0x30]) }
    #expect(value([0b0000_0110]) == nil)
    #expect(value([0b0000_0111, 0xff]) == nil)
    #expect(value([0xff]) == nil)
    // "?" has ten bits that end in 00, so six are left.
    let question = Wire.huffman(Array("?".utf8))
    #expect(value(question) == Array("?".utf8))
    #expect(value([question[0], question[1] ^ 1]) == nil)
    #expect(value(question + [0xff]) == nil)
    // Eight symbols of five bits fill five bytes; a byte of padding is one too much.
    #expect(value(Wire.huffman(Array("01201201".utf8))) == Array("01201201".utf8))
    #expect(value(Wire.huffman(Array("01201201".utf8)) + [0xff]) == nil)
    #expect(value(Wire.huffman(Array("0120120101201201".utf8)) + [0xff]) == nil)
  }

  @Test("The end of the string must not be in it", arguments: [0, 1, 5, 20, 40])
  func endOfString(before count: Int) {
    let text = [Int](repeating: 0x61, count: count)
    #expect(value(Wire.huffman(symbols: text + [256])) == nil)
    #expect(value(Wire.huffman(symbols: text + [256] + text)) == nil)
    #expect(value(Wire.huffman(symbols: text + [256, 22, 10])) == nil)
  }

  @Test("A code that is cut is an error wherever it is cut")
  func cuts() {
    for symbol: UInt8 in [0x3f, 0x7b, 0x5c, 0xff, 1, 22] {
      let whole = Wire.huffman([UInt8](repeating: 0x61, count: 7) + [symbol])
      for count in 5..<whole.count where count * 8 < 35 + Wire.codes[Int(symbol)].length {
        // Where the bits that are left are few and all ones, they are padding.
        let bits = (count * 8 - 35, Wire.codes[Int(symbol)])
        let isPadding = bits.0 < 8 && bits.1.bits >> UInt32(bits.1.length - bits.0) == (1 << bits.0) - 1
        #expect((value(Array(whole[..<count])) == nil) != isPadding, "\(symbol) cut at \(count)")
      }
    }
  }

  @Test("The rest of the block is decoded after an invalid string, in a name too")
  func restOfBlock() {
    var decoder = HPACKDecoder()
    let (decoded, outcome, list) = decoder.decode(octets("82 4081ff 0161 400161 81ff be 84"))
    #expect(
      decoded == [
        DecodedField(":method", "GET"), DecodedField(nil, "a"), DecodedField("a", nil), DecodedField("a", ""),
        DecodedField(":path", "/"),
      ])
    #expect(outcome.isComplete && outcome.isError && list.unresolved.isEmpty)
    #expect(decoder.table.count == 0 && decoder.knowledge == .partial)
  }
}
