import HTTPModel
import Testing

@testable import ReplayClient

/// Which place of a pool is taken next.
@Suite struct FreeStreamsTests {
  /// Places with so many requests under way.
  private func lanes(_ loads: [Int]) -> [Lane] {
    loads.enumerated().map { number, load in
      let lane = Lane(key: UInt64(number), overlaps: true)
      for number in 0..<load { lane.begin(planned(number)) }
      return lane
    }
  }

  private func planned(_ number: Int) -> PlannedRequest {
    let exchange = multiplexed("/\(number)", length: Int64(number))
    return PlannedRequest(
      exchange: exchange, request: exchange.request!, round: 0, due: nil, closesConnection: false)
  }

  @Test func thoseWithTheFewestRequestsComeFirst() {
    var free = FreeStreams()
    for lane in lanes([3, 0, 2, 0, 1]) { free.add(lane) }
    var order: [UInt64] = []
    while !free.isEmpty { order.append(free.removeFirst().key) }
    #expect(order == [3, 1, 4, 2, 0])
  }

  @Test func whatEndsMovesItsPlaceForward() {
    var free = FreeStreams()
    let lanes = lanes([2, 2, 2])
    for lane in lanes { free.add(lane) }
    lanes[1].end(planned(0))
    free.update(lanes[1])
    free.update(lanes[0])
    #expect(free.removeFirst() === lanes[1])
    // One that is not among them stays outside.
    lanes[1].end(planned(1))
    free.update(lanes[1])
    #expect([free.removeFirst(), free.removeFirst()].allSatisfy { $0 !== lanes[1] } && free.isEmpty)
    free.add(lanes[1])
    #expect(!free.isEmpty && free.removeFirst() === lanes[1])
  }
}
