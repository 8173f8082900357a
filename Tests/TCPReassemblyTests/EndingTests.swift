import HTTPModel
import PacketHeaders
import TCPReassembly
import Testing

@Suite("How connections end, and begin again")
struct EndingTests {
  private let millisecond: Int64 = 1_000_000

  @Test func finCarriesTheLastBytes() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "GET", ack: 0, .fin)
    wire.server(0, "200", ack: 4, .fin)
    #expect(wire.only.originator.text == "GET")
    #expect(wire.only.responder.text == "200")
    #expect(wire.only.originator.end == .fin)
    #expect(wire.only.responder.end == .fin)
    #expect(wire.only.closed == .finished)
  }

  @Test func finBeforeTheLastBytes() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "GET")
    wire.server(6, "", ack: 3, .fin)
    wire.client(3, "", ack: 6)
    wire.server(0, "200", ack: 3, after: 1_200_000)
    wire.server(3, "end", ack: 3, .fin)
    wire.client(3, "", ack: 7, .fin)
    #expect(wire.only.responder.text == "200end")
    #expect(wire.only.responder.gaps.isEmpty)
    #expect(wire.only.closed == .finished)
  }

  @Test func finAndLastDataRepeated() {
    let wire = Wire()
    wire.handshake()
    wire.server(0, "200", ack: 0)
    wire.server(3, "", ack: 0, .fin)
    wire.client(0, "", ack: 4, .fin)
    wire.server(4, "", ack: 1)
    wire.server(0, "200", ack: 0)
    wire.server(3, "", ack: 0, .fin)
    wire.finish()
    #expect(wire.order.count == 1)
    #expect(wire.only.responder.text == "200")
    #expect(wire.statistics.duplicateBytes == 3)
    #expect(wire.statistics.connections == 1)
  }

  @Test func halfClose() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "GET", ack: 0, .fin)
    #expect(wire.only.originator.end == .fin)
    #expect(wire.only.closed == nil)
    wire.server(0, "", ack: 4)
    wire.server(0, "200", ack: 4)
    wire.client(4, "", ack: 3)
    wire.server(3, "body", ack: 4, .fin)
    #expect(wire.only.responder.text == "200body")
    #expect(wire.only.closed == .finished)
  }

  @Test func bytesAfterFINAreLeftOut() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "abc", ack: 0, .fin)
    wire.client(3, "XYZ")
    wire.client(0, "abcXYZ")
    wire.finish()
    #expect(wire.only.originator.text == "abc")
    #expect(wire.statistics.ignored.afterEnd == 6)
    #expect(wire.statistics.duplicateBytes == 3)
  }

  @Test func finBeforeBytesThatWereSentIsNotBelieved() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "abcdef")
    wire.client(2, "", ack: 0, .fin)
    wire.client(6, "ghi")
    #expect(wire.only.originator.text == "abcdefghi")
    #expect(wire.only.originator.end == nil)
  }

  @Test func resetAfterCompleteExchanges() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "GET")
    wire.server(0, "200", ack: 3)
    wire.client(3, "", ack: 3, .rst)
    #expect(wire.only.originator.end == .reset)
    #expect(wire.only.responder.end == .reset)
    #expect(wire.only.closed == .reset)
  }

  @Test func resetWhileBytesWait() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "GET")
    wire.server(3, "body", ack: 3)
    wire.server(7, "", ack: 3, .rst)
    #expect(wire.only.closed == nil)
    wire.server(0, "200", ack: 3)
    #expect(wire.only.responder.text == "200body")
    #expect(wire.only.closed == .reset)
  }

  @Test func resetWhileBytesWaitThatNeverCome() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "GET")
    wire.server(3, "body", ack: 3)
    wire.server(9, "more", ack: 3)
    wire.client(3, "", ack: 13, .rst)
    wire.advance(21 * millisecond)
    #expect(wire.only.responder.text == "bodymore")
    #expect(wire.only.responder.gaps.count == 2)
    #expect(wire.only.closed == .reset)
  }

  @Test(arguments: [1 << 30, -(1 << 29), 70_000, -5])
  func resetOutsideTheWindowIsNotBelieved(distance: Int) {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "GET /")
    wire.server(0, "200", ack: 5)
    wire.client(5 + distance, "", .rst)
    wire.client(5, "more", ack: 3)
    #expect(wire.only.originator.text == "GET /more")
    #expect(wire.statistics.resetsIgnored == 1)
  }

  @Test func resetThatRefusesTheConnection() {
    let wire = Wire()
    wire.send(.client, .server, Wire.c, .syn)
    wire.send(.server, .client, 0, ack: Wire.c &+ 1, .rst)
    wire.send(.client, .server, Wire.c &+ 100, .syn)
    wire.finish()
    #expect(wire.statistics.connections == 2)
    #expect(wire.order.isEmpty)
  }

  @Test func textOfAResetIsNoData() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "GET")
    wire.server(0, "go away", ack: 3, .rst)
    #expect(wire.only.responder.bytes.isEmpty)
    #expect(wire.statistics.ignored.notStream == 7)
  }

  @Test func lateSegmentsMakeNoPhantomConnection() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "GET")
    wire.server(0, "200", ack: 3)
    wire.server(3, "", ack: 3, .rst)
    wire.server(0, "200", ack: 3)
    wire.server(3, "tail", ack: 3)
    wire.client(3, "", ack: 3)
    wire.finish()
    #expect(wire.order.count == 1)
    #expect(wire.statistics.connections == 1)
    #expect(wire.statistics.ignored.afterEnd == 4)
  }

  @Test func aClosedConnectionIsForgottenAfterAWhile() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "GET", ack: 0, .fin)
    wire.server(0, "200", ack: 4, .fin)
    wire.advance(6000 * millisecond)
    wire.client(100, "new", ack: 200)
    wire.finish()
    #expect(wire.order.count == 2)
  }

  // MARK: The same addresses again

  private func second(_ wire: Wire) {
    wire.send(.client, .server, 500_000, .syn)
    wire.send(.server, .client, 900_000, ack: 500_001, .syn)
    wire.send(.client, .server, 500_001, ack: 900_001)
    wire.send(.client, .server, 500_001, ack: 900_001, .psh, Array("second".utf8))
    wire.send(.server, .client, 900_001, ack: 500_007, .psh, Array("answer".utf8))
    wire.finish()
    #expect(wire.order.count == 2)
    #expect(wire.order.last?.originator.text == "second")
    #expect(wire.order.last?.responder.text == "answer")
    #expect(wire.order.last?.opened.sawHandshake == true)
  }

  @Test func addressesUsedAgainAfterFIN() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "first", ack: 0, .fin)
    wire.server(0, "one", ack: 6, .fin)
    second(wire)
    #expect(wire.only.closed == .finished)
  }

  @Test func addressesUsedAgainWithoutAClose() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "first")
    wire.client(9, "x")
    second(wire)
    #expect(wire.only.closed == .replaced)
    #expect(wire.only.originator.text == "firstx")
    #expect(wire.statistics.connectionsReplaced == 1)
  }

  @Test func addressesUsedAgainAfterHalfClose() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "first", ack: 0, .fin)
    second(wire)
    #expect(wire.only.closed == .replaced)
  }

  @Test func addressesUsedAgainAndTheSYNACKWasLost() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "first")
    wire.send(.client, .server, 500_000, .syn)
    wire.send(.client, .server, 500_001, ack: 900_001, .psh, Array("second".utf8))
    #expect(wire.order.count == 2)
    #expect(wire.order.last?.originator.text == "second")
  }

  @Test func addressesUsedAgainAndTheSYNWasLost() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "first")
    wire.send(.server, .client, 900_000, ack: 500_001, .syn)
    wire.send(.client, .server, 500_001, ack: 900_001, .psh, Array("second".utf8))
    wire.send(.server, .client, 900_001, ack: 500_007, .psh, Array("answer".utf8))
    #expect(wire.order.last?.opened.originator == .client)
    #expect(wire.order.last?.originator.text == "second")
    #expect(wire.order.last?.responder.text == "answer")
  }

  @Test func addressesUsedAgainWithoutASYN() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "first", ack: 0, .fin)
    wire.server(0, "one", ack: 6, .fin)
    wire.send(.client, .server, 0x7000_0000, ack: 5, .psh, Array("second".utf8))
    wire.finish()
    #expect(wire.order.count == 2)
    #expect(wire.order.last?.originator.text == "second")
  }

  @Test func aStraySYNDoesNotEndAConnection() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "abc")
    wire.send(.client, .server, 123_456_789, .syn, [1, 2, 3])
    wire.server(0, "", ack: 3)
    wire.client(3, "def")
    wire.finish()
    #expect(wire.order.count == 1)
    #expect(wire.only.originator.text == "abcdef")
    #expect(wire.statistics.ignored.notStream == 3)
  }

  @Test func sameAddressOnBothSides() {
    let wire = Wire()
    wire.send(.client, .client, 5, .syn)
    wire.send(.client, .client, 6, ack: 6, .psh, Array("abc".utf8))
    wire.send(.client, .client, 9, ack: 9, .fin)
    wire.finish()
    #expect(wire.only.originator.text == "abc")
  }

  // MARK: Time

  @Test func idleConnectionsExpireByPacketTime() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "abc")
    wire.client(5, "f")
    wire.advance(500_000 * millisecond)
    #expect(wire.only.closed == nil)
    wire.advance(200_000 * millisecond)
    #expect(wire.only.closed == .expired)
    #expect(wire.only.originator.text == "abcf")
    #expect(wire.statistics.connectionsExpired == 1)
  }

  @Test func bodiesMayPauseForMinutes() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "abc")
    for minute in 1...20 {
      wire.advance(540_000 * millisecond)
      wire.client(minute * 3, "abc")
    }
    #expect(wire.only.originator.bytes.count == 63)
    #expect(wire.order.count == 1)
  }

  @Test func timeGoesBackwardsAndFarAhead() {
    let wire = Wire()
    for jump in [Int64.min, .max, 0, -1, 1] {
      wire.now = jump
      wire.send(.client, .server, Wire.c, .syn, after: 0)
      wire.send(.client, .server, Wire.c &+ 1, .psh, Array("ab".utf8), after: 0)
      wire.send(.client, .server, Wire.c &+ 4, .psh, Array("d".utf8), after: 0)
      wire.now = jump
      wire.advance(0)
    }
    wire.finish()
    #expect(wire.statistics.connections >= 1)
  }
}
