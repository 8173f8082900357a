// What a capture hands to the thread that feeds the shadow, and what finds no room.

import Foundation
import HTTPModel
import Synchronization
import Testing

@testable import UmbraCLI

@Suite struct MirrorIntakeTests {
  private final class Calls: Sendable {
    let woken = Atomic<Int>(0)
  }

  private func intake(
    limit: Int = 1 << 20, marker: String? = "X-Umbra-Replay", targets: Set<TransportAddress> = [],
    calls: Calls = Calls()
  ) -> MirrorIntake {
    MirrorIntake(
      limit: limit, marker: marker, targets: targets, wake: { calls.woken.add(1, ordering: .relaxed) }, start: { _ in })
  }

  @Test func requestsComeOutInTheirOrder() throws {
    let calls = Calls()
    let intake = intake(calls: calls)
    for ordinal in 1...3 as ClosedRange<UInt32> { intake.receive(request: try Mirrored.request(ordinal, body: 100)) }
    // Only the first has to wake whoever takes them.
    #expect(calls.woken.load(ordering: .relaxed) == 1)
    #expect(intake.heldBytes > 3 * 1124)
    #expect((0..<3).compactMap { _ in intake.takeRequest()?.exchange.id.ordinal } == [1, 2, 3])
    #expect(intake.takeRequest() == nil && intake.heldBytes == 0)
    #expect(intake.counts == MirrorIntake.Counts(seen: 3, accepted: 3))
  }

  /// The newest goes, and its answer with it.
  @Test func whatFindsNoRoomIsLeftOut() throws {
    let intake = intake(limit: 40_000)
    let requests = try (1...10).map { try Mirrored.request(UInt32($0), body: 4000) }
    for request in requests { intake.receive(request: request) }
    let counts = intake.counts
    #expect(counts.seen == 10 && counts.accepted == 3 && counts.shed == 7)
    #expect(intake.heldBytes <= 20_000)
    for request in requests { intake.receive(exchange: try Mirrored.answered(request)) }
    #expect(intake.takeAnswers().map(\.id.ordinal) == [1, 2, 3])
    #expect(intake.takeAnswers().isEmpty)
    // Room again.
    while intake.takeRequest() != nil {}
    intake.receive(request: try Mirrored.request(11))
    #expect(intake.counts.accepted == 4)
  }

  @Test func answersHaveALimitOfTheirOwn() throws {
    let intake = intake(limit: 40_000)
    let requests = try (1...10).map { try Mirrored.request(UInt32($0)) }
    for request in requests {
      intake.receive(request: request)
      #expect(intake.takeRequest() != nil)
      intake.receive(exchange: try Mirrored.answered(request, body: 4000))
    }
    #expect(intake.counts.answersShed == 7 && intake.takeAnswers().count == 3 && intake.heldBytes == 0)
  }

  @Test func whatIsNotMirroredIsCountedUnderItsName() throws {
    let shadow = TransportAddress(address: IPAddress("192.0.2.9")!, port: 8080)
    let intake = intake(targets: [shadow])
    intake.receive(request: try Mirrored.request(1, fields: " -H 'x-umbra-REPLAY: someone else'"))
    intake.receive(request: try Mirrored.request(2, server: "192.0.2.9"))
    intake.receive(request: try Mirrored.request(3, server: "192.0.2.8"))
    #expect(intake.counts == MirrorIntake.Counts(seen: 3, accepted: 1, looped: 1, toTarget: 1))
    // Their answers, and those that have none, are not waited for.
    for ordinal in 1...2 as ClosedRange<UInt32> {
      intake.receive(exchange: try Mirrored.answered(Mirrored.request(ordinal)))
    }
    intake.receive(exchange: try Mirrored.request(3))
    #expect(intake.takeAnswers().isEmpty)
    let unmarked = self.intake(marker: nil)
    unmarked.receive(request: try Mirrored.request(1, fields: " -H 'X-Umbra-Replay: 1'"))
    #expect(unmarked.counts.accepted == 1)
  }

  @Test func itEndsWhenTheLastIsTaken() throws {
    let intake = intake()
    intake.receive(request: try Mirrored.request(1))
    intake.close()
    #expect(!intake.isOver)
    intake.receive(request: try Mirrored.request(2))
    #expect(intake.counts.shed == 1)
    #expect(intake.takeRequest() != nil && intake.isOver)
  }

  /// Lanes and the taking thread at once: nothing is lost, nothing is counted twice.
  @Test func lanesShareIt() throws {
    let intake = intake(limit: 400_000)
    let (lanes, each) = (4, 5000)
    let requests = try (0..<lanes).map { try Mirrored.request(0, connection: UInt32($0)) }
    let answers = try requests.map { try Mirrored.answered($0) }
    let taken = Atomic<Int>(0)
    let answered = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: lanes + 1) { lane in
      guard lane < lanes else {
        while !intake.isOver {
          if intake.takeRequest() != nil { taken.add(1, ordering: .relaxed) }
          answered.add(intake.takeAnswers().count, ordering: .relaxed)
          if intake.counts.seen == UInt64(lanes * each) { intake.close() }
        }
        return
      }
      var (request, answer) = (requests[lane], answers[lane])
      for ordinal in 1...UInt32(each) {
        (request.id.ordinal, answer.id.ordinal) = (ordinal, ordinal)
        intake.receive(request: request)
        intake.receive(exchange: answer)
      }
    }
    answered.add(intake.takeAnswers().count, ordering: .relaxed)
    let counts = intake.counts
    #expect(counts.seen == UInt64(lanes * each) && counts.accepted + counts.shed == counts.seen)
    #expect(taken.load(ordering: .relaxed) == Int(counts.accepted))
    #expect(UInt64(answered.load(ordering: .relaxed)) + counts.answersShed <= counts.accepted)
    #expect(intake.heldBytes == 0)
  }
}
