import HTTPModel
import ReplaySchedule

/// Something that is made to go wrong on purpose between the replay and the target.
///
/// Which requests it strikes follows from the seed, the exchange and the round: another run strikes the same ones.
public enum Fault: Hashable, Sendable {
  /// A request is sent later than it is due, by a time in this range in nanoseconds; its scheduled time moves with it,
  /// so that it does not count as late.
  case delay(share: Double, ClosedRange<Int64>)
  /// A request is not sent; its answer is this status, without a body, with the field `X-Umbra-Fault: abort`.
  case abort(share: Double, status: UInt16)
  /// The connection is cut with RST when half of the request's bytes are sent.
  case reset(share: Double)
  /// No connection writes or reads more than this many bytes in a second.
  case throttle(bytesPerSecond: Int)
}

/// What strikes one request.
struct InjectedFault: Hashable, Sendable {
  /// Nanoseconds; 0 for none.
  var delay: Int64 = 0
  var abortStatus: UInt16?
  var resets = false
  /// Of the connection that is opened for it, where the fault is of this request's own.
  var bytesPerSecond: Int?
}

extension InjectedFault {
  /// Draws for one request; nil where nothing strikes it.
  /// - Parameters:
  ///   - faults: those of all requests, whose throttles are their connections' matter.
  ///   - ofRequest: more, of this request alone.
  init?(_ faults: [Fault], ofRequest own: [Fault] = [], seed: UInt64, exchange: ExchangeID, round: UInt32) {
    let place = UInt64(exchange.connection) << 32 | UInt64(exchange.ordinal)
    var random = SplitMix64(
      seed: SplitMix64.mixed(SplitMix64.mixed(seed ^ InjectedFault.domain) ^ place) ^ UInt64(round) << 17)
    var (drawn, strikes) = (InjectedFault(), false)
    for (index, fault) in (faults + own).enumerated() {
      switch fault {
      case .delay(let share, let range):
        // Both numbers are drawn always, so that one fault does not shift the draws of the next.
        let (chance, length) = (random.share(), random.share())
        guard chance < share else { continue }
        drawn.delay += range.lowerBound + Int64(length * Double(range.upperBound - range.lowerBound))
      case .abort(let share, let status):
        guard random.share() < share else { continue }
        drawn.abortStatus = drawn.abortStatus ?? status
      case .reset(let share):
        guard random.share() < share else { continue }
        drawn.resets = true
      case .throttle(let bytes):
        guard index >= faults.count else { continue }
        drawn.bytesPerSecond = min(drawn.bytesPerSecond ?? .max, bytes)
      }
      strikes = true
    }
    guard strikes else { return nil }
    self = drawn
  }

  /// Keeps these draws apart from others made of the same seed.
  private static let domain: UInt64 = 0x6661_756c_7473_0001

  /// The answer that nobody sent.
  static func answer(status: UInt16, at time: Timestamp) -> HTTPResponse {
    let head = "HTTP/1.1 \(status) Fault\r\nX-Umbra-Fault: abort\r\nContent-Length: 0\r\n\r\n"
    var reader = ResponseReader(bodyLimit: 0, memory: HeldMemory(limit: 0))
    reader.begin(answering: nil)
    Array(head.utf8).withUnsafeBytes { bytes in
      var offset = 0
      while offset < bytes.count, case .interim = reader.read(bytes, from: &offset, at: time) {}
    }
    guard let response = reader.takeResponse(at: time) else { preconditionFailure("a status is from 200 to 599") }
    return response
  }
}

extension SplitMix64 {
  /// 0 ..< 1.
  mutating func share() -> Double { Double(next() >> 11) * 0x1p-53 }
}
