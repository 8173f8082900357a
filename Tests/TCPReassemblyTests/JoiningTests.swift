import HTTPModel
import PacketHeaders
import TCPReassembly
import Testing

@Suite("How connections begin, and how capture joins them")
struct JoiningTests {
  private let millisecond: Int64 = 1_000_000

  @Test func synRepeatedAndLastACKLost() {
    let wire = Wire()
    for _ in 0..<3 { wire.send(.client, .server, Wire.c, .syn, after: 1000 * millisecond) }
    for _ in 0..<2 { wire.send(.server, .client, Wire.s, ack: Wire.c &+ 1, .syn) }
    wire.client(0, "GET")
    wire.server(0, "200", ack: 3)
    wire.finish()
    #expect(wire.order.count == 1)
    #expect(wire.only.originator.text == "GET")
    #expect(wire.statistics.connections == 1)
    #expect(wire.statistics.connectionsMidstream == 0)
  }

  @Test func synCarriesTheRequest() {
    let wire = Wire()
    wire.send(.client, .server, Wire.c, .syn, Array("GET ".utf8))
    wire.send(.server, .client, Wire.s, ack: Wire.c &+ 5, .syn)
    wire.client(4, "/x")
    #expect(wire.only.originator.text == "GET /x")
    #expect(wire.only.opened.sawHandshake)
  }

  @Test func synDataThatTheServerDidNotTakeIsSentAgain() {
    let wire = Wire()
    wire.send(.client, .server, Wire.c, .syn, Array("GET ".utf8))
    wire.send(.server, .client, Wire.s, ack: Wire.c &+ 1, .syn)
    wire.client(0, "GET /x")
    #expect(wire.only.originator.text == "GET /x")
    #expect(wire.statistics.duplicateBytes == 4)
  }

  @Test func synACKFirst() {
    let wire = Wire()
    wire.send(.server, .client, Wire.s, ack: Wire.c &+ 1, .syn)
    wire.send(.client, .server, Wire.c, .syn)
    wire.server(0, "220")
    wire.client(0, "HELO")
    #expect(wire.only.opened == OpenedConnection(originator: .client, responder: .server, sawHandshake: true))
    #expect(wire.only.originator.text == "HELO")
    #expect(wire.only.responder.text == "220")
    #expect(wire.statistics.connections == 1)
  }

  @Test func synWithDataAfterItsSYNACK() {
    let wire = Wire()
    wire.send(.server, .client, Wire.s, ack: Wire.c &+ 4, .syn)
    wire.send(.client, .server, Wire.c, .syn, Array("GET".utf8))
    wire.server(0, "200")
    wire.client(3, "x")
    #expect(wire.only.originator.text == "GETx")
  }

  @Test func onlyTheSYNACKWasSeen() {
    let wire = Wire()
    wire.send(.server, .client, Wire.s, ack: Wire.c &+ 1, .syn)
    wire.client(3, "def")
    wire.client(0, "abc")
    #expect(wire.only.opened.originator == .client)
    #expect(wire.only.originator.text == "abcdef")
  }

  @Test func simultaneousOpen() {
    let wire = Wire()
    wire.send(.client, .server, Wire.c, .syn)
    wire.send(.server, .client, Wire.s, .syn)
    wire.send(.client, .server, Wire.c, ack: Wire.s &+ 1, .syn)
    wire.send(.server, .client, Wire.s, ack: Wire.c &+ 1, .syn)
    wire.client(0, "abc")
    wire.server(0, "xyz", ack: 3)
    #expect(wire.order.count == 1)
    #expect(wire.only.opened.originator == .client)
    #expect(wire.only.originator.text == "abc")
    #expect(wire.only.responder.text == "xyz")
  }

  @Test func synAfterTheFirstData() {
    let wire = Wire()
    wire.client(0, "GET")
    wire.send(.client, .server, Wire.c, .syn)
    #expect(wire.only.originator.text == "GET")
    #expect(wire.only.opened.sawHandshake)
    #expect(wire.statistics.connections == 1)
    #expect(wire.statistics.connectionsMidstream == 0)
  }

  @Test func staleSYNACKIsNotBelieved() {
    let wire = Wire()
    wire.send(.client, .server, Wire.c, .syn)
    wire.send(.server, .client, 77, ack: Wire.c &- 500, .syn)
    wire.send(.server, .client, Wire.s, ack: Wire.c &+ 1, .syn)
    wire.server(0, "220")
    #expect(wire.only.responder.text == "220")
  }

  @Test func aConnectionWithoutBytesTellsNothing() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "", ack: 0, .fin)
    wire.server(0, "", ack: 1, .fin)
    wire.finish()
    #expect(wire.order.isEmpty)
    #expect(wire.statistics.connections == 1)
  }

  // MARK: In mid-connection

  @Test func joinedAtARequest() {
    let wire = Wire()
    wire.client(500, "GET", ack: 700)
    #expect(wire.order.isEmpty)
    wire.server(700, "200", ack: 503)
    #expect(wire.only.opened == OpenedConnection(originator: .client, responder: .server, sawHandshake: false))
    #expect(wire.only.originator.text == "GET")
    #expect(wire.only.responder.text == "200")
    #expect(wire.only.responder.borrowed == 1)
    #expect(wire.statistics.connectionsMidstream == 1)
  }

  @Test func joinedByTheServersAnswer() {
    let wire = Wire()
    wire.server(700, "bod", ack: 500)
    wire.client(500, "", ack: 703)
    wire.client(500, "GET", ack: 703)
    #expect(wire.only.opened.originator == .server)
    #expect(wire.only.originator.text == "bod")
    #expect(wire.only.responder.text == "GET")
  }

  @Test func olderSegmentsThatComeLateAreKept() {
    let wire = Wire()
    wire.client(506, "ghi", ack: 700)
    wire.client(503, "def", ack: 700)
    wire.client(500, "abc", ack: 700)
    wire.advance(11 * millisecond)
    #expect(wire.only.originator.text == "abcdefghi")
    #expect(wire.only.originator.gaps.isEmpty)
  }

  @Test func joiningEndsAfterSomeSegments() {
    let wire = Wire()
    for at in 0..<8 { wire.client(500 + at, "x", after: 0) }
    #expect(wire.only.originator.next == 8)
    wire.client(508, "y")
    #expect(wire.only.originator.borrowed == 1)
  }

  @Test func joinedBeforeAHole() {
    let wire = Wire()
    wire.client(506, "ghi", ack: 700)
    wire.client(500, "abc", ack: 700)
    wire.server(700, "", ack: 509)
    wire.advance(30 * millisecond)
    #expect(wire.only.originator.text == "abcghi")
    #expect(wire.only.originator.gaps == [.init(offset: 3, length: 3, cause: .lost)])
  }

  @Test func joinedAroundTheWrap() {
    let wire = Wire()
    wire.send(.client, .server, 2, ack: 1, [], Array("gh".utf8))
    wire.send(.client, .server, 0xffff_fffc, ack: 1, [], Array("abcdef".utf8))
    wire.finish()
    #expect(wire.only.originator.text == "abcdefgh")
  }

  @Test func joinedWithDisagreement() {
    let wire = Wire()
    wire.client(503, "def", ack: 700)
    wire.client(500, "abcX", ack: 700)
    wire.finish()
    #expect(wire.only.originator.text == "abcdef")
    #expect(wire.only.originator.mismatches == [3..<4])
  }

  @Test func joinedAtTheEnd() {
    let wire = Wire()
    wire.client(500, "", ack: 700, .fin)
    wire.server(700, "bye", ack: 501)
    wire.server(703, "", ack: 501, .fin)
    wire.client(501, "", ack: 704)
    wire.finish()
    #expect(wire.order.count == 1)
    #expect(wire.only.originator.text == "bye")
  }

  @Test func segmentsOfNoConnectionMakeNone() {
    let wire = Wire()
    wire.client(5, "", ack: 6)
    wire.client(5, "", ack: 6, .fin)
    wire.send(.client, .server, 7, .rst)
    wire.finish()
    #expect(wire.statistics.connections == 0)
    #expect(wire.statistics.segmentsUnattached == 3)
  }

  // MARK: Probes

  @Test(arguments: ["", "\0", "Z"])
  func keepAliveProbesAreNoData(garbage: String) {
    let wire = Wire()
    wire.handshake()
    wire.client(-1, garbage)
    wire.client(0, "abc")
    wire.server(0, "xyz", ack: 3)
    wire.client(2, garbage, ack: 3)
    wire.server(3, "", ack: 3)
    wire.server(2, garbage, ack: 3)
    wire.client(3, "def", ack: 3)
    wire.finish()
    #expect(wire.only.originator.text == "abcdef")
    #expect(wire.only.responder.text == "xyz")
    #expect(wire.only.originator.gaps.isEmpty)
  }

  @Test func keepAliveProbeAsTheFirstSegmentSeen() {
    let wire = Wire()
    wire.client(499, "\0", ack: 700)
    wire.server(700, "", ack: 500)
    wire.client(499, "\0", ack: 700)
    wire.client(500, "GET", ack: 700)
    #expect(wire.only.originator.text == "GET")
    #expect(wire.statistics.ignored.beforeStart == 2)
  }

  @Test func zeroWindowProbesCarryTheNextByte() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "abc")
    wire.client(3, "d", after: 200_000_000)
    wire.client(3, "d", after: 400_000_000)
    wire.client(3, "def", after: 800_000_000)
    #expect(wire.only.originator.text == "abcdef")
  }

  @Test func everyByteInASegmentOfItsOwn() {
    let wire = Wire()
    wire.handshake()
    for (at, scalar) in "GET / HTTP/1.1\r\n\r\n".unicodeScalars.enumerated() { wire.client(at, String(scalar)) }
    #expect(wire.only.originator.text == "GET / HTTP/1.1\r\n\r\n")
  }
}
