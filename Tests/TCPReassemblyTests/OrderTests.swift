import HTTPModel
import PacketHeaders
import TCPReassembly
import Testing

@Suite("The same bytes in any order make the same stream")
struct OrderTests {
  @Test func inOrderIsBorrowed() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "GET ")
    wire.client(4, "/", ack: 0)
    wire.server(0, "200", ack: 5)
    #expect(wire.only.originator.text == "GET /")
    #expect(wire.only.originator.borrowed == 2)
    #expect(wire.only.originator.held == 0)
    #expect(wire.only.responder.text == "200")
    #expect(wire.only.opened == OpenedConnection(originator: .client, responder: .server, sawHandshake: true))
  }

  @Test func swappedNeighbours() {
    let wire = Wire()
    wire.handshake()
    wire.client(3, "def")
    #expect(wire.order.isEmpty)
    #expect(wire.heldBytes(1, slot: 0) == 3)
    wire.client(0, "abc")
    #expect(wire.only.originator.text == "abcdef")
    #expect(wire.statistics.segmentsOutOfOrder == 1)
    #expect(wire.position(1, slot: 0, .originator) == 6)
  }

  @Test func lastSegmentFirst() {
    let wire = Wire()
    wire.handshake()
    for at in [8, 2, 6, 4, 0] { wire.client(at, String("0123456789".dropFirst(at).prefix(2))) }
    #expect(wire.only.originator.text == "0123456789")
    #expect(wire.statistics.segmentsOutOfOrder == 4)
  }

  @Test func everyPacketTwice() {
    let wire = Wire()
    for _ in 0..<2 { wire.send(.client, .server, Wire.c, .syn) }
    for _ in 0..<2 { wire.send(.server, .client, Wire.s, ack: Wire.c &+ 1, .syn) }
    for _ in 0..<2 { wire.client(0, "abc") }
    for _ in 0..<2 { wire.server(0, "xyz", ack: 3) }
    for _ in 0..<2 { wire.client(3, "", ack: 3, .fin) }
    for _ in 0..<2 { wire.server(3, "", ack: 4, .fin) }
    for _ in 0..<2 { wire.client(4, "", ack: 4) }
    wire.finish()
    #expect(wire.order.count == 1)
    #expect(wire.only.originator.text == "abc")
    #expect(wire.only.responder.text == "xyz")
    #expect(wire.only.closed == .finished)
    #expect(wire.statistics.duplicateBytes == 6)
    #expect(wire.statistics.segmentsRetransmitted == 2)
    #expect(wire.statistics.connections == 1)
  }

  @Test func lostThenRetransmittedBeforeTheTap() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "abc")
    wire.client(6, "ghi")
    for _ in 0..<3 { wire.server(0, "", ack: 3) }
    wire.client(3, "def", after: 3_000_000_000)
    #expect(wire.only.originator.text == "abcdefghi")
    #expect(wire.only.originator.gaps.isEmpty)
  }

  @Test(arguments: [(0, "abcdef"), (0, "abcdefgh"), (1, "bcde"), (3, "defghi"), (2, "cdefghijk"), (5, "f")])
  func resegmentedRetransmission(at: Int, text: String) {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "abc")
    wire.client(3, "def")
    wire.client(at, text)
    let whole = "abcdefghijk"
    #expect(wire.only.originator.text == String(whole.prefix(max(6, at + text.count))))
    #expect(wire.only.originator.mismatches.isEmpty)
  }

  @Test func segmentSpansSeveralHeldOnes() {
    let wire = Wire()
    wire.handshake()
    wire.client(2, "cd")
    wire.client(6, "gh")
    wire.client(9, "j")
    wire.client(0, "abcdefghijkl")
    #expect(wire.only.originator.text == "abcdefghijkl")
    #expect(wire.statistics.duplicateBytes == 5)
    #expect(wire.statistics.heldBytes == 0)
  }

  @Test func overlapThatDisagreesKeepsTheFirstCopy() {
    let wire = Wire()
    wire.handshake()
    wire.client(2, "cdef")
    wire.client(0, "abXYef")
    #expect(wire.only.originator.text == "abcdef")
    #expect(wire.only.originator.mismatches == [2..<6])
    #expect(wire.statistics.overlapMismatches == 1)
  }

  @Test func heldOverlapsThatDisagree() {
    let wire = Wire()
    wire.handshake()
    wire.client(4, "efgh")
    wire.client(2, "cdEF")
    wire.client(6, "GHij")
    wire.client(0, "ab")
    #expect(wire.only.originator.text == "abcdefghij")
    #expect(wire.only.originator.mismatches == [4..<6, 6..<8])
  }

  @Test func sequenceNumbersWrapInOrder() {
    let wire = Wire()
    wire.send(.client, .server, 0xffff_fffb, .syn)
    wire.send(.client, .server, 0xffff_fffc, .psh, Array("abcdefgh".utf8))
    wire.send(.client, .server, 4, .psh, Array("ijkl".utf8))
    #expect(wire.only.originator.text == "abcdefghijkl")
  }

  @Test func sequenceNumbersWrapOutOfOrder() {
    let wire = Wire()
    wire.send(.client, .server, 0xffff_fffb, .syn)
    wire.send(.client, .server, 4, .psh, Array("ijkl".utf8))
    wire.send(.client, .server, 0, .psh, Array("efgh".utf8))
    wire.send(.client, .server, 0xffff_fffc, .psh, Array("abcd".utf8))
    #expect(wire.only.originator.text == "abcdefghijkl")
  }

  @Test func initialSequenceNumberIsTheLast() {
    let wire = Wire()
    wire.send(.client, .server, 0xffff_ffff, .syn)
    wire.send(.server, .client, 0, ack: 0, .syn)
    wire.send(.client, .server, 0, ack: 1, [], Array("GET".utf8))
    wire.send(.server, .client, 1, ack: 3, [], Array("200".utf8))
    #expect(wire.only.originator.text == "GET")
    #expect(wire.only.responder.text == "200")
  }

  @Test func serverStandsBeforeTheClientInTheFile() {
    let wire = Wire()
    wire.handshake()
    wire.server(0, "", ack: 3)
    wire.server(0, "200", ack: 3)
    wire.client(0, "GET")
    wire.client(3, "", ack: 3)
    wire.finish()
    #expect(wire.only.originator.text == "GET")
    #expect(wire.only.responder.text == "200")
    #expect(wire.only.originator.gaps.isEmpty)
    #expect(wire.only.responder.gaps.isEmpty)
  }

  /// Each direction has a file of its own; one follows the other whole, with a clock behind.
  @Test(arguments: [true, false])
  func directionsOneAfterTheOther(clientFirst: Bool) {
    let wire = Wire()
    func clientFile() {
      wire.send(.client, .server, Wire.c, .syn)
      wire.client(0, "", ack: 0)
      wire.client(3, "DEF", ack: 0)
      wire.client(0, "ABC", ack: 0)
      wire.client(6, "", ack: 6, after: 5_000_000)
      wire.client(6, "", ack: 6, .fin)
    }
    func serverFile() {
      wire.send(.server, .client, Wire.s, ack: Wire.c &+ 1, .syn)
      wire.server(3, "456", ack: 6)
      wire.server(0, "123", ack: 6)
      wire.server(6, "", ack: 7, .fin)
    }
    if clientFirst { clientFile() } else { serverFile() }
    wire.now -= 300_000_000
    if clientFirst { serverFile() } else { clientFile() }
    wire.finish()
    #expect(wire.order.count == 1)
    #expect(wire.only.opened.originator == .client)
    #expect(wire.only.originator.text == "ABCDEF")
    #expect(wire.only.responder.text == "123456")
    #expect(wire.only.originator.gaps + wire.only.responder.gaps == [])
    #expect(wire.only.closed == .finished)
  }

  @Test func bytesSayWhatTheirSenderHadReceived() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "GET", ack: 0)
    wire.server(3, "body", ack: 3)
    wire.server(0, "200", ack: 3)
    wire.client(3, "GET", ack: 7)
    wire.send(.client, .server, Wire.c &+ 7, .psh, Array("x".utf8))
    #expect(wire.only.originator.acknowledged == [0, 7, nil])
    #expect(wire.only.responder.acknowledged == [3, 3])
  }

  @Test func finIsNoReceivedByte() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "GET", ack: 0, .fin)
    wire.server(0, "200", ack: 4)
    #expect(wire.only.responder.acknowledged == [3])
  }

  @Test func connectionsInterleaved() {
    let wire = Wire()
    let clients = (0..<50).map { TransportAddress(address: .init(v4: 0x0a00_0001), port: UInt16(2000 + $0)) }
    let servers = (0..<4).map { TransportAddress(address: .init(v6High: 1, v6Low: UInt64($0)), port: 80) }
    for byte in 0..<20 {
      for (index, client) in clients.enumerated() {
        for server in servers {
          if byte == 0 { wire.send(client, server, UInt32(index), .syn) }
          wire.send(client, server, UInt32(index + 1 + byte), .psh, [UInt8(byte + index)])
        }
      }
    }
    #expect(wire.order.count == 200)
    for (number, connection) in wire.order.enumerated() {
      #expect(connection.originator.bytes == (0..<20).map { UInt8($0 + number / 4) })
    }
  }

  @Test func streamsLongerThanSequenceSpace() {
    // Five GiB of a stream in strides whose bytes the snap length took: only sequence numbers move.
    let wire = Wire()
    wire.handshake()
    let stride = 1 << 20
    for step in 0..<(5 << 10) {
      let at = UInt32(truncatingIfNeeded: step &* stride)
      wire.send(.client, .server, Wire.c &+ 1 &+ at, .psh, [0], beyond: stride - 1)
    }
    #expect(wire.only.originator.next == 5 << 30)
    #expect(wire.only.originator.bytes.count == 5 << 10)
    #expect(wire.statistics.snapLengthBytes == UInt64(5 << 30) - UInt64(5 << 10))
  }
}
