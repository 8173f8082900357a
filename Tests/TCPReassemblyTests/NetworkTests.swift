import HTTPModel
import PacketHeaders
import TCPReassembly
import Testing

/// Equal addresses in several virtual networks, one connection in several, one packet seen in several.
@Suite("Virtual networks")
struct NetworkTests {
  static func vlan(_ identifier: UInt32) -> Encapsulation {
    var encapsulation = Encapsulation()
    encapsulation.append(.vlan, identifier)
    return encapsulation
  }

  /// One side of a conversation in its network, or in several at once.
  private struct Conversation {
    let wire: Wire
    var there: [Encapsulation]
    var back: [Encapsulation]
    var initial: (UInt32, UInt32)

    func client(_ at: Int, _ text: String, ack: Int = 0, _ flags: TCPFlags = []) {
      for network in there {
        wire.network = network
        wire.send(
          .client, .server, initial.0 &+ 1 &+ UInt32(at), ack: initial.1 &+ 1 &+ UInt32(ack), flags, Array(text.utf8))
      }
    }

    func server(_ at: Int, _ text: String, ack: Int = 0, _ flags: TCPFlags = []) {
      for network in back {
        wire.network = network
        wire.send(
          .server, .client, initial.1 &+ 1 &+ UInt32(at), ack: initial.0 &+ 1 &+ UInt32(ack), flags, Array(text.utf8))
      }
    }

    func handshake() {
      for network in there {
        wire.network = network
        wire.send(.client, .server, initial.0, .syn)
      }
      for network in back {
        wire.network = network
        wire.send(.server, .client, initial.1, ack: initial.0 &+ 1, .syn)
      }
      client(0, "")
    }

    func talk() {
      handshake()
      client(0, "question")
      server(0, "answer", ack: 8)
      client(8, "", ack: 6, .fin)
      server(6, "", ack: 9, .fin)
    }
  }

  private func conversation(
    _ wire: Wire, _ there: [Encapsulation], _ back: [Encapsulation], _ initial: (UInt32, UInt32) = (1000, 9000)
  ) -> Conversation { Conversation(wire: wire, there: there, back: back, initial: initial) }

  @Test("two tenants' conversations at once stay apart", arguments: [false, true])
  func tenants(isJoined: Bool) {
    let wire = Wire()
    let one = conversation(wire, [Self.vlan(42)], [Self.vlan(42)])
    let other = conversation(wire, [Self.vlan(43)], [Self.vlan(43)], (3_000_000_000, 2_000_000_000))
    if !isJoined {
      one.handshake()
      other.handshake()
    }
    for (conversation, name) in [(one, "A"), (other, "B")] { conversation.client(0, "question \(name)") }
    for (conversation, name) in [(other, "B"), (one, "A")] { conversation.server(0, "answer \(name)", ack: 10) }
    wire.finish()
    #expect(wire.order.count == 2)
    #expect(Set(wire.order.map(\.originator.text)) == ["question A", "question B"])
    for connection in wire.order {
      #expect(connection.originator.text.last == connection.responder.text.last)
      #expect(
        "\(connection.opened.encapsulation)" == (connection.originator.text.last == "A" ? "vlan 42" : "vlan 43"))
      #expect(connection.originator.gaps.isEmpty && connection.responder.gaps.isEmpty)
    }
  }

  @Test("directions in networks of their own are one connection", arguments: [false, true])
  func asymmetric(isJoined: Bool) {
    let wire = Wire()
    let one = conversation(wire, [Self.vlan(10)], [Self.vlan(20)])
    if !isJoined { one.handshake() }
    one.client(0, "question")
    one.server(0, "answer", ack: 8)
    one.client(8, " again", ack: 6)
    one.server(6, " again", ack: 14)
    wire.finish()
    #expect(wire.order.count == 1)
    #expect(wire.only.originator.text == "question again")
    #expect(wire.only.responder.text == "answer again")
    #expect("\(wire.only.opened.encapsulation)" == "vlan 10")
  }

  @Test("two tenants whose directions have networks of their own")
  func asymmetricTenants() {
    let wire = Wire()
    let conversations = [
      conversation(wire, [Self.vlan(10)], [Self.vlan(20)], (77, 4_000_000_000)),
      conversation(wire, [Self.vlan(11)], [Self.vlan(21)], (2_500_000_000, 88)),
    ]
    for conversation in conversations { conversation.handshake() }
    for conversation in conversations.reversed() { conversation.client(0, "\(conversation.initial.0)") }
    for conversation in conversations {
      conversation.server(0, "\(conversation.initial.0)", ack: "\(conversation.initial.0)".count)
    }
    wire.finish()
    #expect(wire.order.count == 2)
    for connection in wire.order { #expect(connection.originator.text == connection.responder.text) }
  }

  @Test("a packet that is seen bare and in a tunnel counts once, whichever comes first")
  func copies() {
    for networks in [[.none, Self.vlan(5)], [Self.vlan(5), .none], [Self.vlan(5), .none, Self.vlan(6)]] {
      let wire = Wire()
      // On the way back the tunnel's outside is seen first.
      conversation(wire, networks, networks.reversed()).talk()
      wire.finish()
      #expect(wire.order.count == 1)
      #expect(wire.only.originator.text == "question")
      #expect(wire.only.responder.text == "answer")
      #expect(wire.only.closed == .finished)
      #expect("\(wire.only.opened.encapsulation)" == "vlan 5")
      #expect(wire.statistics.connections == 1)
      #expect(wire.statistics.deliveredBytes == 14)
      #expect(wire.statistics.duplicateBytes == UInt64(14 * (networks.count - 1)))
      #expect(
        wire.statistics.segmentsCopied + wire.statistics.segmentsRetransmitted == UInt64(2 * (networks.count - 1)))
      #expect(wire.statistics.segmentsRetransmitted == 0)
    }
  }

  @Test("connections one after the other on the same ports, each seen twice, in changing order")
  func reuse() {
    let wire = Wire()
    for number in 0..<6 {
      let networks = number % 2 == 0 ? [.none, Self.vlan(5)] : [Self.vlan(5), .none]
      let initial = UInt32(number) &* 700_000_000
      conversation(wire, networks, networks, (initial &+ 5, initial &+ 99)).talk()
    }
    wire.finish()
    #expect(wire.order.count == 6)
    #expect(wire.order.allSatisfy { $0.originator.text == "question" && $0.responder.text == "answer" })
    #expect(wire.statistics.connections == 6)
  }

  @Test("the same where the connections before were left open")
  func reuseOfOpen() {
    let wire = Wire()
    for number in 0..<6 {
      let networks = number % 2 == 0 ? [.none, Self.vlan(5)] : [Self.vlan(5), .none]
      let initial = UInt32(number) &* 700_000_000
      let conversation = conversation(wire, networks, networks, (initial &+ 5, initial &+ 99))
      conversation.handshake()
      conversation.client(0, "question")
      conversation.server(0, "answer", ack: 8)
    }
    wire.finish()
    #expect(wire.order.map(\.originator.text) == Array(repeating: "question", count: 6))
    #expect(wire.order.map(\.responder.text) == Array(repeating: "answer", count: 6))
  }

  @Test("connections between two addresses are bounded, and the oldest gives way")
  func bound() {
    var limits = ReassemblyLimits()
    limits.connectionsPerAddresses = 4
    let wire = Wire(limits)
    for identifier in 1...100 as ClosedRange<UInt32> {
      let network = Self.vlan(identifier)
      conversation(wire, [network], [network], (identifier &* 40_000_000, identifier &* 41_000_000)).handshake()
    }
    #expect(wire.statistics.openConnections == 4)
    #expect(wire.statistics.connections == 100)
    wire.finish()
  }

  @Test("a segment put together from fragments that disagree marks its stream")
  func disputed() {
    let wire = Wire()
    wire.handshake()
    wire.client(0, "abc")
    wire.isDisputed = true
    wire.client(3, "def")
    wire.isDisputed = false
    wire.client(6, "ghi")
    wire.finish()
    #expect(wire.only.originator.text == "abcdefghi")
    #expect(wire.only.originator.mismatches == [3..<6])
    #expect(wire.statistics.overlapMismatches == 1)
  }
}
