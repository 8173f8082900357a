import HTTPModel
import PacketHeaders
import TCPReassembly
import Testing

@Suite("What never comes becomes a gap, and only that")
struct GapTests {
  private let millisecond: Int64 = 1_000_000

  @Test func acknowledgedHoleAfterItsGrace() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "abc")
    wire.client(6, "ghi")
    wire.server(0, "", ack: 9)
    wire.advance(19 * millisecond)
    #expect(wire.only.originator.gaps.isEmpty)
    wire.advance(2 * millisecond)
    #expect(wire.only.originator.gaps == [.init(offset: 3, length: 3, cause: .lost)])
    #expect(wire.only.originator.text == "abcghi")
    #expect(wire.statistics.lostBytes == 3)
  }

  @Test func acknowledgedHoleAfterFurtherSegments() {
    let wire = Wire()
    wire.handshake()
    wire.client(3, "def")
    wire.server(0, "", ack: 6)
    for at in 0..<31 { wire.client(6 + at, "x", after: 0) }
    #expect(wire.only.originator.gaps.isEmpty)
    wire.client(37, "x", after: 0)
    #expect(wire.only.originator.gaps == [.init(offset: 0, length: 3, cause: .lost)])
    #expect(wire.only.originator.next == 38)
  }

  @Test func acknowledgedHoleThatIsFilledInTime() {
    let wire = Wire()
    wire.handshake()
    wire.client(3, "def")
    wire.server(0, "", ack: 6)
    wire.client(0, "abc", after: 5 * millisecond)
    wire.advance(100 * millisecond)
    #expect(wire.only.originator.text == "abcdef")
    #expect(wire.only.originator.gaps.isEmpty)
  }

  @Test func acknowledgmentsFromBeforeTheHoleProveNothing() {
    let wire = Wire()
    wire.handshake()
    wire.server(0, "", ack: 9)
    wire.client(6, "ghi")
    wire.advance(1000 * millisecond)
    wire.client(0, "abcdef")
    #expect(wire.only.originator.text == "abcdefghi")
  }

  @Test func severalAcknowledgedHolesWaitOnce() {
    let wire = Wire()
    wire.handshake()
    for at in stride(from: 1, to: 20, by: 2) { wire.client(at, "x") }
    wire.server(0, "", ack: 20)
    wire.advance(25 * millisecond)
    #expect(wire.only.originator.gaps.count == 10)
    #expect(wire.statistics.heldBytes == 0)
  }

  @Test func silenceMakesAGap() {
    let wire = Wire()
    wire.handshake()
    wire.client(3, "def")
    wire.advance(1999 * millisecond)
    #expect(wire.order.isEmpty)
    wire.advance(2 * millisecond)
    #expect(wire.only.originator.gaps == [.init(offset: 0, length: 3, cause: .lost)])
    #expect(wire.only.originator.text == "def")
  }

  @Test func silenceIsNoticedByTheNextSegmentToo() {
    let wire = Wire()
    wire.handshake()
    wire.client(3, "def")
    wire.client(6, "ghi", after: 2001 * millisecond)
    #expect(wire.only.originator.text == "defghi")
  }

  @Test func receiverThatLacksTheBytesIsBelieved() {
    let wire = Wire()
    wire.handshake()
    wire.client(3, "def")
    wire.server(0, "", ack: 0)
    wire.advance(30_000 * millisecond)
    wire.client(0, "abc")
    #expect(wire.only.originator.text == "abcdef")
    #expect(wire.only.originator.gaps.isEmpty)
    wire.client(9, "jkl")
    wire.server(0, "", ack: 6)
    for _ in 0..<61 { wire.advance(1000 * millisecond) }
    #expect(wire.only.originator.gaps == [.init(offset: 6, length: 3, cause: .lost)])
  }

  @Test func gapBeforeFINIsKnown() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "abc")
    wire.client(10, "", ack: 0, .fin)
    #expect(wire.only.originator.end == nil)
    wire.server(0, "", ack: 11)
    wire.advance(21 * millisecond)
    #expect(wire.only.originator.gaps == [.init(offset: 3, length: 7, cause: .lost)])
    #expect(wire.only.originator.end == .fin)
  }

  @Test func gapsInBothDirections() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "abc")
    wire.client(5, "fg")
    wire.server(2, "34", ack: 7)
    wire.client(7, "h", ack: 4)
    wire.finish()
    #expect(wire.only.originator.gaps == [.init(offset: 3, length: 2, cause: .lost)])
    #expect(wire.only.responder.gaps == [.init(offset: 0, length: 2, cause: .lost)])
    #expect(wire.only.originator.text == "abcfgh")
    #expect(wire.only.responder.text == "34")
  }

  @Test func wholeResponseLost() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "GET1")
    wire.client(4, "GET2", ack: 100)
    wire.server(100, "200", ack: 8)
    wire.client(8, "", ack: 103)
    wire.advance(30 * millisecond)
    #expect(wire.only.responder.gaps == [.init(offset: 0, length: 100, cause: .lost)])
    #expect(wire.only.responder.text == "200")
  }

  @Test func lostEndIsKnownFromItsAcknowledgment() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "GET")
    wire.server(0, "20", ack: 3)
    wire.client(3, "", ack: 50)
    wire.finish()
    #expect(wire.only.responder.gaps == [.init(offset: 2, length: 48, cause: .lost)])
  }

  @Test func onlyOneDirectionWasCaptured() {
    let wire = Wire()
    wire.send(.client, .server, Wire.c, .syn)
    wire.client(0, "", ack: 0)
    wire.client(0, "GET1", ack: 0)
    wire.client(4, "GET2", ack: 225)
    wire.client(8, "", ack: 803)
    wire.client(8, "", ack: 803, .fin)
    wire.client(9, "", ack: 804)
    wire.finish()
    #expect(wire.only.originator.text == "GET1GET2")
    #expect(wire.only.originator.end == .fin)
    #expect(wire.only.responder.gaps == [.init(offset: 0, length: 803, cause: .lost)])
  }

  @Test func lostFINIsNoByte() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "GET")
    wire.server(0, "200", ack: 3)
    wire.client(3, "", ack: 4)
    wire.finish()
    #expect(wire.only.responder.gaps.isEmpty)
    #expect(wire.only.closed == .captureEnded)
  }

  @Test func endOfCaptureDeliversWhatWaits() {
    let wire = Wire()
    wire.handshake()
    wire.client(3, "def")
    wire.client(9, "jkl")
    #expect(wire.statistics.heldBytes == 6)
    wire.finish()
    #expect(wire.only.originator.text == "defjkl")
    #expect(wire.only.originator.gaps.count == 2)
  }

  // MARK: Snap length

  @Test func cutSegmentInOrder() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "abcdef", cut: 2)
    wire.client(6, "ghi")
    #expect(wire.only.originator.text == "abcdghi")
    #expect(wire.only.originator.gaps == [.init(offset: 4, length: 2, cause: .snapLength)])
    #expect(wire.statistics.snapLengthBytes == 2)
    #expect(wire.statistics.wireBytes == 9)
    #expect(wire.statistics.capturedBytes == 7)
  }

  @Test func segmentCutToNothing() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "abc", cut: 3)
    wire.client(3, "def")
    #expect(wire.only.originator.text == "def")
    #expect(wire.only.originator.gaps == [.init(offset: 0, length: 3, cause: .snapLength)])
  }

  @Test func cutSegmentThatWaits() {
    let wire = Wire()
    wire.handshake()
    wire.client(3, "defghi", cut: 3)
    wire.client(9, "jkl")
    wire.client(0, "abc")
    #expect(wire.only.originator.text == "abcdefjkl")
    #expect(wire.only.originator.gaps == [.init(offset: 6, length: 3, cause: .snapLength)])
    #expect(wire.statistics.heldBytes == 0)
  }

  @Test func cutTailFilledByARetransmission() {
    let wire = Wire()
    wire.handshake()
    wire.client(3, "defghi", cut: 3)
    wire.client(6, "gh")
    wire.client(0, "abc")
    #expect(wire.only.originator.text == "abcdefgh")
    #expect(wire.only.originator.gaps == [.init(offset: 8, length: 1, cause: .snapLength)])
  }

  @Test func cutTailBeforeFIN() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "abcdef", .fin, cut: 3)
    #expect(wire.only.originator.end == .fin)
    #expect(wire.only.originator.next == 6)
  }

  @Test func cutAndLostSideBySide() {
    let wire = Wire()
    wire.handshake()
    wire.client(3, "def", cut: 2)
    wire.client(8, "ij")
    wire.finish()
    #expect(
      wire.only.originator.gaps == [
        .init(offset: 0, length: 3, cause: .lost), .init(offset: 4, length: 2, cause: .snapLength),
        .init(offset: 6, length: 2, cause: .lost),
      ])
    #expect(wire.only.originator.text == "dij")
  }

  // MARK: Out of window

  @Test(arguments: [UInt32(1 << 30) + 100, 1 << 31, 3 << 30])
  func segmentsFarAwayAreNotBelieved(distance: UInt32) {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "abc")
    wire.send(.client, .server, Wire.c &+ 4 &+ distance, .psh, [1, 2])
    wire.client(3, "def")
    wire.finish()
    #expect(wire.only.originator.text == "abcdef")
    #expect(wire.only.originator.gaps.isEmpty)
    #expect(wire.statistics.ignored.outOfWindow + wire.statistics.ignored.beforeStart == 2)
  }

  @Test func moreThanTheWindowLostIsFollowedByAcknowledgments() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "abc")
    for step in 1...6 { wire.server(0, "", ack: step << 29) }
    wire.client(6 << 29, "xyz")
    wire.server(0, "", ack: (6 << 29) + 3)
    wire.advance(30 * millisecond)
    #expect(wire.only.originator.gaps == [.init(offset: 3, length: UInt64(6 << 29) - 3, cause: .lost)])
    #expect(wire.only.originator.text == "abcxyz")
  }
}
