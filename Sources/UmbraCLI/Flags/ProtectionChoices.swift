// Values of replay's flags that say which targets are asked, when they are left alone, and what goes wrong on purpose.

import ArgumentParser
import ReplayClient

/// `URL` or `URL=WEIGHT`.
struct TargetChoice {
  var value: WeightedTarget

  /// - Throws: `ValidationError` that says what is wrong with the URL or the weight.
  init(_ argument: String) throws {
    var (url, weight) = (argument[...], UInt32(1))
    if let equals = argument.lastIndex(of: "="), argument[equals...].dropFirst().allSatisfy(\.isNumber) {
      guard let number = UInt32(argument[equals...].dropFirst()), (1...10_000).contains(number) else {
        throw ValidationError("the weight in '\(argument)' is not from 1 to 10000: write it like http://canary:8080=3")
      }
      (url, weight) = (argument[..<equals], number)
    }
    do { value = WeightedTarget(try ReplayTarget(url: String(url)), weight: weight) } catch {
      throw ValidationError("\(error)")
    }
  }
}

/// `off`, or `RATE%/WINDOW`.
struct BreakerChoice: ExpressibleByArgument {
  var options: BreakerOptions?

  static let standard = BreakerChoice(options: .standard)

  init(options: BreakerOptions?) { self.options = options }

  init?(argument: String) {
    if argument == "off" { return }
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let share = percentageShare(parts[0]), share > 0,
      let window = TimeSpan(argument: String(parts[1])), (1_000_000...86_400_000_000_000).contains(window.nanoseconds)
    else { return nil }
    options = BreakerOptions(share: share, window: window.nanoseconds)
  }

  var defaultValueDescription: String {
    options.map { "\(fixed($0.share * 100, 0))%/\(TimeSpan(nanoseconds: $0.window))" } ?? "off"
  }
}

/// `K/N`.
struct ShardChoice: ExpressibleByArgument {
  var shard = ReplayShard.whole

  init() {}

  init?(argument: String) {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map { UInt32($0) }
    guard parts.count == 2, let index = parts[0], let count = parts[1], index > 0, index <= count, count <= 65_536
    else {
      return nil
    }
    shard = ReplayShard(index, of: count)
  }

  var defaultValueDescription: String { "\(shard.index)/\(shard.count)" }
}

/// `delay:10%:200ms..2s`, `abort:1%:503`, `reset:0.5%`, `throttle:64KB/s`.
struct FaultChoice {
  var fault: Fault

  /// - Throws: `ValidationError` that says what is wrong and what is right.
  init(_ argument: String) throws {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
    func refuse(_ example: String) -> ValidationError {
      ValidationError("'\(argument)' is no fault: write \(parts[0]) like \(example)")
    }
    switch parts[0] {
    case "delay":
      guard parts.count == 3, let share = percentageShare(parts[1]), let range = FaultChoice.times(parts[2]) else {
        throw refuse("delay:10%:200ms..2s or delay:10%:500ms")
      }
      fault = .delay(share: share, range)
    case "abort":
      guard parts.count == 3, let share = percentageShare(parts[1]), let status = UInt16(parts[2]),
        (200...599).contains(status)
      else { throw refuse("abort:1%:503, with a status from 200 to 599") }
      fault = .abort(share: share, status: status)
    case "reset":
      guard parts.count == 2, let share = percentageShare(parts[1]) else { throw refuse("reset:0.5%") }
      fault = .reset(share: share)
    case "throttle":
      guard parts.count == 2, parts[1].hasSuffix("/s"), let size = ByteSize(argument: String(parts[1].dropLast(2))),
        (1...1_000_000_000_000).contains(size.bytes)
      else { throw refuse("throttle:64KB/s") }
      fault = .throttle(bytesPerSecond: size.bytes)
    default:
      throw ValidationError(
        "'\(argument)' is no fault; known: delay:10%:200ms..2s, abort:1%:503, reset:0.5%, throttle:64KB/s")
    }
  }

  private static func times(_ text: String) -> ClosedRange<Int64>? {
    guard let dots = text.firstRange(of: "..") else {
      return time(text).map { $0...$0 }
    }
    guard let low = time(text[..<dots.lowerBound]), let high = time(text[dots.upperBound...]), low <= high else {
      return nil
    }
    return low...high
  }

  /// Nanoseconds, up to a day.
  private static func time(_ text: some StringProtocol) -> Int64? {
    TimeSpan(argument: String(text)).map(\.nanoseconds).flatMap { $0 <= 86_400_000_000_000 ? $0 : nil }
  }
}

extension Fault {
  /// For a person.
  var summary: String {
    func percent(_ share: Double) -> String { percentage(share) }
    switch self {
    case .delay(let share, let range):
      let (low, high) = (TimeSpan(nanoseconds: range.lowerBound), TimeSpan(nanoseconds: range.upperBound))
      return "\(percent(share)) delayed by \(low == high ? "\(low)" : "\(low) to \(high)")"
    case .abort(let share, let status): return "\(percent(share)) answered \(status) without being sent"
    case .reset(let share): return "\(percent(share)) cut off in the middle"
    case .throttle(let bytes): return "connections throttled to \(ByteSize(bytes: bytes))/s"
    }
  }
}

/// `10%` as 0.1: a decimal number up to 100 and a percent sign.
func percentageShare(_ text: some StringProtocol) -> Double? {
  guard text.hasSuffix("%"), let (number, unit) = splitNumber(String(text)), unit == "%", number <= 100 else {
    return nil
  }
  return number / 100
}
