import HTTPModel
import PacketHeaders
import Testing

@Suite("IP fragments")
struct FragmentTests {
  static let body = (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 5 &+ 1) }
  static let datagram = Frames.tcp(body)
  static let ranges = [0..<24, 24..<96, 96..<136, 136..<datagram.count]

  static func fragments(identification: Int = 1) -> [[UInt8]] {
    ranges.map { Frames.fragment4(datagram, $0, identification: identification) }
  }

  @Test("in every order, both versions, with and without copies")
  func everyOrder() {
    func permutations(_ rest: [Int]) -> [[Int]] {
      rest.isEmpty ? [[]] : rest.flatMap { first in permutations(rest.filter { $0 != first }).map { [first] + $0 } }
    }
    for order in permutations([0, 1, 2, 3]) {
      for isIPv6 in [false, true] {
        let reading = Reading()
        for index in order {
          let range = Self.ranges[index]
          let fragment = isIPv6 ? Frames.fragment6(Self.datagram, range) : Frames.fragment4(Self.datagram, range)
          reading.read(fragment)
          reading.read(fragment)
        }
        #expect(reading.payloads == [Self.body])
        #expect(reading.segments.first?.payloadLengthOnWire == Self.body.count)
        #expect(reading.segments.first?.isDisputed == false)
        #expect(reading.statistics.reassembled == 4)
        #expect(reading.statistics.duplicate == 4)
        #expect(reading.isBalanced)
      }
    }
  }

  @Test("another identification, address, protocol, version or network is another datagram")
  func keys() {
    let reading = Reading()
    for fragment in Self.fragments().dropLast() { reading.read(fragment) }
    let last = Self.ranges[3]
    reading.read(Frames.fragment4(Self.datagram, last, identification: 2))
    reading.read(Frames.fragment4(Self.datagram, last, number: 17))
    reading.read(Frames.fragment4(Self.datagram, last, between: (Frames.source4, Frames.outerSource)))
    reading.read(Frames.fragment4(Self.datagram, last, between: (Frames.outerSource, Frames.destination4)))
    reading.read(Frames.fragment6(Self.datagram, last))
    reading.read(Frames.ethernet(Frames.fragment4(Self.datagram, last), tags: [0x8100]), .ethernet)
    #expect(reading.payloads.isEmpty)
    reading.read(Frames.fragment4(Self.datagram, last))
    #expect(reading.payloads == [Self.body])
    reading.reader.finish()
    #expect(reading.statistics.expired == 6)
    #expect(reading.statistics.heldBytes == 0)
    #expect(reading.isBalanced)
  }

  @Test("IPv4: overlaps of the same bytes do not matter, and of others the first stay and are told")
  func overlapsIPv4() {
    let pieces = [0..<48, 24..<96, 88..<160, 16..<40, 136..<Self.datagram.count]
    let same = Reading()
    for range in pieces { same.read(Frames.fragment4(Self.datagram, range)) }
    #expect(same.payloads == [Self.body])
    #expect(same.statistics.overlapMismatches == 0)
    #expect(same.statistics.duplicate == 1)
    #expect(same.isBalanced)

    let other = Reading()
    var changed = Self.datagram
    changed[100] ^= 0xff
    for (index, range) in pieces.enumerated() {
      other.read(Frames.fragment4(index == 1 ? changed : Self.datagram, range))
    }
    other.read(Frames.fragment4(changed, 96..<104))
    #expect(other.payloads == [Self.body])

    let disputed = Reading()
    for range in [0..<48, 88..<160] { disputed.read(Frames.fragment4(Self.datagram, range)) }
    for range in [40..<104, 96..<104, 136..<changed.count] { disputed.read(Frames.fragment4(changed, range)) }
    #expect(disputed.payloads == [Self.body])
    #expect(disputed.segments.first?.isDisputed == true)
    #expect(disputed.statistics.overlapMismatches == 2)
    #expect(disputed.isBalanced)
  }

  @Test(
    "IPv6: a datagram whose fragments overlap is discarded, with what still comes of it",
    arguments: [24..<56, 0..<24, 16..<24, 40..<48])
  func overlapsIPv6(_ range: Range<Int>) {
    let reading = Reading()
    var changed = Self.datagram
    // An exact copy with other bytes is none.
    if range == 0..<24 { changed[3] ^= 1 }
    reading.read(Frames.fragment6(Self.datagram, 0..<24))
    reading.read(Frames.fragment6(Self.datagram, 32..<48))
    reading.read(Frames.fragment6(changed, range))
    for range in [24..<32, 48..<Self.datagram.count] { reading.read(Frames.fragment6(Self.datagram, range)) }
    #expect(reading.payloads.isEmpty)
    #expect(reading.statistics.discarded == 5)
    #expect(reading.statistics.datagramsDiscarded == 1)
    // Once it is forgotten the identification may be used again.
    reading.read(Frames.fragment6(Self.datagram, 0..<24), after: 6_000_000_000)
    reading.read(Frames.fragment6(Self.datagram, 24..<Self.datagram.count))
    #expect(reading.payloads == [Self.body])
    #expect(reading.isBalanced)
  }

  @Test("two ends, or bytes behind the end, discard the datagram")
  func contradictions() {
    // An end before what is there, and another end.
    for (range, hasMore) in [(24..<136, true), (24..<136, false)] {
      let reading = Reading()
      reading.read(Frames.fragment4(Self.datagram, range, hasMore: hasMore))
      reading.read(Frames.fragment4(Self.datagram, 8..<24, hasMore: false))
      #expect(reading.payloads.isEmpty)
      #expect(reading.statistics.discarded == 2)
      #expect(reading.isBalanced)
    }
    let reading = Reading()
    reading.read(Frames.fragment4(Self.datagram, 24..<48, hasMore: false))
    reading.read(Frames.fragment4(Self.datagram, 48..<56, hasMore: true))
    #expect(reading.statistics.discarded == 2)
  }

  @Test("empty fragments, odd lengths and ones beyond the largest datagram are invalid")
  func invalid() {
    let reading = Reading()
    reading.read(Frames.fragment4(Self.datagram, 24..<24, hasMore: true))
    reading.read(Frames.fragment4(Self.datagram, 24..<31, hasMore: true))
    let large = Array(repeating: 0 as UInt8, count: 65_600)
    reading.read(Frames.fragment4(large, 65_528..<65_544, hasMore: false))
    reading.read(Frames.fragment6(large, 65_528..<65_536, hasMore: true))
    #expect(reading.statistics.invalid == 4)
    #expect(reading.statistics.pending == 0)
  }

  @Test("the largest datagram")
  func largest() {
    let body = Array(repeating: 0x61 as UInt8, count: 65_515 - 20)
    let datagram = Frames.tcp(body)
    let reading = Reading()
    for start in stride(from: 0, to: datagram.count, by: 1480).reversed() {
      reading.read(Frames.fragment4(datagram, start..<min(start + 1480, datagram.count)))
    }
    #expect(reading.payloads == [body])
  }

  @Test("what the snap length cut of a fragment is missing, with all behind it")
  func cut() {
    for index in Self.ranges.indices {
      let reading = Reading()
      for (number, range) in Self.ranges.enumerated() {
        let fragment = Frames.fragment4(Self.datagram, range)
        reading.read(fragment, captured: number == index ? fragment.count - 4 : nil)
      }
      let known = Self.ranges[index].upperBound - 4
      // The first fragment's end is the TCP header's.
      #expect(reading.payloads == [Array(Self.datagram[..<known].dropFirst(20))])
      #expect(reading.segments.first?.payloadLengthOnWire == Self.body.count)
    }
  }

  // MARK: Time and limits

  @Test("a datagram that takes too long is given up, by the packets' time")
  func expiry() {
    let reading = Reading()
    reading.read(Self.fragments()[0])
    reading.read(Self.fragments()[1], after: 4_999_000_000)
    #expect(reading.statistics.pending == 2)
    reading.now += 2_000_000
    reading.reader.advance(to: Timestamp(nanoseconds: reading.now))
    #expect(reading.statistics.expired == 2)
    #expect(reading.statistics.heldBytes == 0)
    // Time that goes back changes nothing.
    reading.read(Self.fragments()[0], after: -60_000_000_000)
    for fragment in Self.fragments().dropFirst() { reading.read(fragment) }
    #expect(reading.payloads == [Self.body])
    #expect(reading.isBalanced)
  }

  @Test("copies that come after the datagram was complete begin none, until its identification is used again")
  func lateCopies() {
    let reading = Reading()
    for fragment in Self.fragments() + Self.fragments() { reading.read(fragment) }
    #expect(reading.payloads.count == 1)
    #expect(reading.statistics.duplicate == 4)
    for fragment in Self.fragments() { reading.read(fragment, after: 30_000_000) }
    #expect(reading.payloads.count == 2)
  }

  @Test("fragments that never complete stay within the limits, and honest ones beside them come through")
  func flood() {
    var limits = FragmentLimits()
    limits.heldBytes = 200_000
    let reading = Reading(ParsingOptions(), limits)
    var noise = Noise(3)
    let junk = Array(repeating: 0 as UInt8, count: 65_536)
    var largest = 0
    for number in 0..<30_000 {
      let start = Int.random(in: 0..<8000, using: &noise) * 8
      let identification = Int.random(in: 0...0xffff, using: &noise)
      reading.read(
        Frames.fragment4(
          junk, start..<start + 8 * Int.random(in: 1...20, using: &noise), identification: identification, number: 17,
          hasMore: true), after: 100)
      largest = max(largest, reading.statistics.heldBytes)
      if number % 1000 == 0 { for fragment in Self.fragments(identification: number) { reading.read(fragment) } }
    }
    #expect(largest <= limits.heldBytes)
    #expect(reading.payloads.count == 30)
    #expect(reading.statistics.evicted > 20_000)
    #expect(reading.isBalanced)
    reading.reader.finish()
    #expect(reading.statistics.heldBytes == 0 && reading.statistics.pending == 0)
  }

  @Test("limits on datagrams and on fragments of one", arguments: [1, 2, 7])
  func limits(_ limit: Int) {
    var limits = FragmentLimits()
    limits.datagrams = limit
    let many = Reading(ParsingOptions(), limits)
    for identification in 0..<20 { many.read(Frames.fragment4(Self.datagram, 0..<24, identification: identification)) }
    #expect(many.statistics.pending == UInt64(limit))
    #expect(many.statistics.evicted == UInt64(20 - limit))

    limits = FragmentLimits()
    limits.fragmentsPerDatagram = limit
    let one = Reading(ParsingOptions(), limits)
    for start in stride(from: 0, to: 80, by: 8) { one.read(Frames.fragment4(Self.datagram, start..<start + 8)) }
    #expect(one.statistics.discarded == 10)
    #expect(one.isBalanced)
  }

  @Test("a limit of nothing holds nothing")
  func noMemory() {
    var limits = FragmentLimits()
    limits.heldBytes = 0
    let reading = Reading(ParsingOptions(), limits)
    for fragment in Self.fragments() { reading.read(fragment) }
    #expect(reading.payloads.isEmpty)
    #expect(reading.statistics.evicted == 4)
    #expect(reading.statistics.heldBytes == 0)
  }

  // MARK: Nesting

  @Test("a tunnel's packets in fragments, which carry fragments")
  func nested() {
    let reading = Reading()
    for (number, fragment) in Self.fragments().shuffled().enumerated() {
      let outer = Frames.udp(4789, Frames.vxlan(9, Frames.ethernet(fragment)))
      for start in stride(from: 0, to: outer.count, by: 40).reversed() {
        reading.read(
          Frames.fragment4(
            outer, start..<min(start + 40, outer.count), identification: number, number: 17,
            between: (Frames.outerSource, Frames.outerDestination)))
      }
    }
    #expect(reading.payloads == [Self.body])
    #expect("\(reading.segments[0].encapsulation)" == "vxlan 9")
    #expect("\(reading.segments[0].source)" == "192.0.2.1:49152")
    #expect(reading.isBalanced)
  }

  @Test("an IPv6 datagram of fragments of fragments ends")
  func fragmentsOfFragments() {
    let reading = Reading()
    // Each datagram carries, behind a further fragment header, the last fragment of the one prepared before.
    var carried: [UInt8] = [6, 0] + Frames.u16(8) + Frames.u32(0) + Array(repeating: 0, count: 8)
    reading.read(Frames.fragment6(Array(repeating: 0, count: 16), 0..<8, identification: 0, number: 44))
    for identification in 1...40 {
      let prefix: [UInt8] = [44, 0, 0, 0, 0, 0, 0, 0]
      reading.read(Frames.fragment6(prefix + carried, 0..<8, identification: UInt32(identification), number: 60))
      carried = [60, 0] + Frames.u16(8) + Frames.u32(UInt32(identification)) + carried
    }
    reading.read(Frames.ipv6(carried, next: 44))
    #expect(reading.isBalanced)
  }
}
