import ArgumentParser

/// A number of bytes as people write it: `512`, `64KB`, `10MB`, `1GiB`. KB is 1,000 bytes, KiB 1,024.
struct ByteSize: ExpressibleByArgument, CustomStringConvertible, Equatable {
  var bytes: Int

  init(bytes: Int) { self.bytes = bytes }

  private static let units: [(String, Int)] = [
    ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40),
    ("kb", 1000), ("mb", 1_000_000), ("gb", 1_000_000_000), ("tb", 1_000_000_000_000),
    ("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30), ("b", 1), ("", 1),
  ]

  init?(argument: String) {
    guard let (number, unit) = splitNumber(argument),
      let factor = ByteSize.units.first(where: { $0.0 == unit.lowercased() })?.1
    else { return nil }
    let bytes = number * Double(factor)
    guard bytes >= 0, bytes < 9e18 else { return nil }
    self.bytes = Int(bytes)
  }

  /// The shortest form that says the same, or two decimals of the largest unit below it.
  var description: String {
    for (name, factor) in [("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000)] where bytes >= factor {
      return bytes % factor == 0 ? "\(bytes / factor)\(name)" : "\(fixed(Double(bytes) / Double(factor), 1))\(name)"
    }
    return "\(bytes)B"
  }

  var defaultValueDescription: String { description }
}

/// A length of time: `250ms`, `30s`, `5m`, `1h`, `2d`; also `100us`.
struct TimeSpan: ExpressibleByArgument, CustomStringConvertible, Equatable {
  var nanoseconds: Int64

  init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
  static func seconds(_ seconds: Int64) -> TimeSpan { TimeSpan(nanoseconds: seconds * 1_000_000_000) }

  private static let units: [(String, Double)] = [
    ("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9), ("d", 86_400e9),
  ]

  init?(argument: String) {
    guard let (number, unit) = splitNumber(argument), let factor = TimeSpan.units.first(where: { $0.0 == unit })?.1
    else { return nil }
    let nanoseconds = number * factor
    guard nanoseconds >= 0, nanoseconds < 9e18 else { return nil }
    self.nanoseconds = Int64(nanoseconds)
  }

  var description: String {
    for (name, factor) in TimeSpan.units.reversed()
    where Double(nanoseconds) >= factor && nanoseconds % Int64(factor) == 0 {
      return "\(nanoseconds / Int64(factor))\(name)"
    }
    return "\(nanoseconds)ns"
  }

  var defaultValueDescription: String { description }
}

/// A decimal number and what follows it; nil where there is no number.
func splitNumber(_ text: String) -> (number: Double, unit: String)? {
  let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
  guard !digits.isEmpty, let number = Double(digits), number.isFinite else { return nil }
  return (number, String(text.dropFirst(digits.count)))
}

/// `value` with `places` decimals, rounded half away from zero.
func fixed(_ value: Double, _ places: Int) -> String {
  guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
  var scale = 1.0
  for _ in 0..<places { scale *= 10 }
  let scaled = Int64((value.magnitude * scale).rounded())
  let digits = String(scaled)
  let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
  let sign = value < 0 && scaled != 0 ? "-" : ""
  return places == 0 ? sign + padded : sign + padded.dropLast(places) + "." + padded.suffix(places)
}
