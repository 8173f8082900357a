import HTTPModel
import SessionFile
import Testing

@Suite struct RepeatedBodiesTests {
  /// Bodies that come again, that differ in one octet, and that come but once, enough of them for all to be forgotten
  /// now and then; some exchanges are given back, others are held on to meanwhile.
  @Test func bodiesThatComeAgainAreTheirOwn() throws {
    var random = SeededGenerator(seed: 29)
    var bodies: [[UInt8]] = []
    for _ in 0..<12 {
      let body = random.bytes(4000 + random.below(20_000))
      var other = body
      other[random.below(other.count)] ^= 1
      bodies += [body, other, Array(body.dropLast())]
    }
    let exchanges = (0..<1500).map { index in
      plainExchange(
        UInt32(index), at: Int64(index),
        body: random.below(2) == 0 ? bodies[random.below(bodies.count)] : random.bytes(4097 + random.below(64)))
    }
    let directory = TemporaryDirectory()
    let path = directory.file("repeated.umbra")
    try writeSession(exchanges, to: path)
    let reader = try SessionReader(path: path)
    for _ in 0..<2 {
      var held: [Exchange] = []
      for expected in exchanges {
        var exchange = try #require(try reader.next())
        #expect(exchange == expected)
        if random.below(3) > 0 { reader.recycle(&exchange) } else { held.append(exchange) }
        guard held.count == 20 else { continue }
        for var exchange in held.dropFirst(10) {
          #expect(exchange == exchanges[Int(exchange.id.ordinal)])
          reader.recycle(&exchange)
        }
        held = Array(held.prefix(10))
      }
      for exchange in held { #expect(exchange == exchanges[Int(exchange.id.ordinal)]) }
      #expect(try reader.next() == nil)
      reader.rewind()
    }
  }

  @Test func aBodyThatComesAgainTakesItsMemoryOnce() throws {
    var random = SeededGenerator(seed: 31)
    let body = random.bytes(64 << 10)
    let directory = TemporaryDirectory()
    let path = directory.file("same.umbra")
    try writeSession((0..<6).map { plainExchange($0, at: Int64($0), body: body) }, to: path)
    let exchanges = try SessionReader(path: path).all()
    let places = exchanges.map { $0.response!.body.bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) } }
    // The first is not known to come again.
    #expect(Set(places.dropFirst()).count == 1)
    #expect(exchanges.allSatisfy { $0.response?.body.bytes == body })
  }
}
