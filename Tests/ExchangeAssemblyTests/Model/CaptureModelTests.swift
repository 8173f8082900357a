import ExchangeAssembly
import HTTPModel
import PacketHeaders
import Testing

/// Conversations made up at random come back out of their packets exactly, or with exactly the gaps that were made.
struct CaptureModelTests {
  @Test(arguments: 0..<40) func unharmedTrafficComesBackExactly(_ seed: UInt64) throws {
    try run(seed, Impairments(), mayPipeline: true)
  }

  @Test(arguments: 100..<160) func orderCopiesAndFragmentsChangeNothing(_ seed: UInt64) throws {
    try run(
      seed, Impairments(duplicated: 15, overlapping: 15, displacement: 6, fragmented: 20), mayPipeline: true)
  }

  @Test(arguments: 300..<380) func whatIsLostIsAGapOfItsSizeAndNothingElse(_ seed: UInt64) throws {
    try run(seed, Impairments(lost: 4), mayPipeline: false)
  }

  @Test(arguments: 500..<560) func lossAmidDisorder(_ seed: UInt64) throws {
    try run(
      seed, Impairments(lost: 3, duplicated: 10, overlapping: 10, displacement: 4, fragmented: 10), mayPipeline: false)
  }

  private func run(_ seed: UInt64, _ impairments: Impairments, mayPipeline: Bool) throws {
    var random = SeededGenerator(seed: seed)
    let conversations = (0..<Int.random(in: 1...5, using: &random)).map {
      GeneratedConversation(number: $0, mayPipeline: mayPipeline, using: &random)
    }
    let packetised = conversations.indices.map {
      Packetisation(conversations[$0], number: $0, impairments, using: &random)
    }
    // The connections' packets between one another, each connection's in its own order.
    var packets: [(place: Double, bytes: [UInt8])] = []
    for index in packetised.indices {
      let begin = Double.random(in: 0...30, using: &random)
      packets += packetised[index].packets.map { (begin + $0.place, $0.bytes) }
    }
    packets.sort { $0.place < $1.place }

    var decoder = WireDecoder()
    var exchanges: [Exchange] = []
    var time = Timestamp(nanoseconds: 1_790_000_000_000_000_000)
    for packet in packets {
      time = time.advanced(byNanoseconds: Int64.random(in: 0...3_000_000, using: &random))
      packet.bytes.withUnsafeBytes {
        decoder.receive($0, lengthOnWire: $0.count, linkType: .ethernet, at: time)
      }
      while let exchange = decoder.nextExchange() { exchanges.append(exchange) }
    }
    decoder.finish()
    while let exchange = decoder.nextExchange() { exchanges.append(exchange) }

    let ledger = decoder.ledger
    #expect(ledger.isBalanced)
    #expect(ledger[.packetsUndecodable] == 0)
    #expect(ledger[.overlapMismatches] == 0)
    let lost = packetised.flatMap(\.lost).flatMap { $0 }
    #expect(ledger[.bytesGap] == UInt64(lost.reduce(0) { $0 + $1.count }))
    #expect(ledger[.gaps] == UInt64(lost.count))
    if lost.isEmpty {
      #expect(ledger[.bytesMessage] == UInt64(conversations.flatMap(\.streams).reduce(0) { $0 + $1.count }))
      #expect(ledger[.bytesSkipped] == 0)
    }
    for (conversation, packets) in zip(conversations, packetised) {
      for exchange in conversation.exchanges { check(exchange, packets, in: exchanges) }
    }
    // Nothing is made up, and nothing is told twice.
    let known = Set(conversations.flatMap(\.exchanges).map(\.target))
    let told = exchanges.compactMap { $0.request.map { String(decoding: $0.target, as: UTF8.self) } }
    #expect(Set(told).isSubset(of: known))
    #expect(Set(told).count == told.count)
  }

  private func check(_ expected: GeneratedExchange, _ packets: Packetisation, in exchanges: [Exchange]) {
    let asked = exchanges.first { $0.request.map { name($0.fields) == expected.target } ?? false }
    let answered = exchanges.first { $0.response.map { name($0.fields) == expected.target } ?? false }
    let (requestLoss, responseLoss) = (packets.lost[0], packets.lost[1])
    let headIsThere = !touches(requestLoss, expected.request.head)
    let answerIsThere = !touches(responseLoss, expected.response.head)
    if !touches(requestLoss, expected.request.whole) {
      #expect(asked != nil, "\(expected.target)")
      #expect(asked?.request?.method.elementsEqual(expected.method.utf8) == true)
    }
    if !touches(responseLoss, expected.response.whole) {
      #expect(answered != nil, "\(expected.target)'s answer")
      #expect(answered?.response.map { Int($0.status) } == expected.status)
    }
    // An answer never stands with a request that it does not answer.
    if let asked, asked.response != nil, headIsThere, answerIsThere {
      #expect(name(asked.response!.fields) == expected.target)
    }
    if let body = asked?.request?.body { check(body, expected.request, requestLoss, expected.target) }
    if let body = answered?.response?.body { check(body, expected.response, responseLoss, expected.target) }
    if !touches(requestLoss, expected.request.whole), !touches(responseLoss, expected.response.whole) {
      #expect(asked?.id == answered?.id, "\(expected.target) and its answer")
    }
  }

  private func check(_ body: HTTPBody, _ expected: GeneratedMessage, _ lost: [Range<Int>], _ target: String) {
    guard touches(lost, expected.content) else {
      #expect(body.isComplete, "\(target)")
      #expect(body.bytes == expected.body, "\(target)")
      return
    }
    #expect(!body.isComplete, "\(target) lacks bytes")
    // Where the framing does not move with what is lost, the body says what it lacks, and all the rest is there.
    guard !expected.isChunked, !touches(lost, expected.head) else { return }
    let begin = expected.content.lowerBound
    let missing = lost.compactMap { range -> Range<Int>? in
      let part = range.clamped(to: expected.content)
      return part.isEmpty ? nil : (part.lowerBound - begin)..<(part.upperBound - begin)
    }
    #expect(body.missing.map { Int($0.lowerBound)..<Int(clamping: $0.upperBound) } == missing, "\(target)")
    #expect(body.size == UInt64(expected.body.count), "\(target)")
    var kept = expected.body
    for range in missing.reversed() { kept.removeSubrange(range) }
    let prefix = expected.body[..<(missing.first?.lowerBound ?? 0)]
    #expect(body.bytes.prefix(prefix.count).elementsEqual(prefix), "\(target)")
  }

  private func touches(_ lost: [Range<Int>], _ range: Range<Int>) -> Bool { lost.contains { $0.overlaps(range) } }

  private func name(_ fields: HeaderFields) -> String? {
    fields.first("x-exchange").map { String(decoding: $0, as: UTF8.self) }
  }
}
