// What the fuzzer drives and the tests replay: one decoder each, and what must hold of it on any input.
//
// In: any bytes. Out: nothing, or the invariant that does not hold. Owner: EntryPoint.swift under the fuzzer,
// CorpusTests.swift in the tests. Bounds: an input of a few kilobytes takes milliseconds.

/// A decoder and its invariants.
protocol FuzzTarget: Sendable {
  /// As on the command line and in `Corpus/NAME`.
  static var name: String { get }
  /// Inputs to begin with: well-formed ones from which the fuzzer mutates.
  static var seeds: [[UInt8]] { get }
  /// Bytes of an input beyond which nothing new happens.
  static var longestInput: Int { get }
  /// Feeds the decoder.
  static func run(_ input: [UInt8]) throws(Violation)
}

extension FuzzTarget {
  static var longestInput: Int { 4096 }
}

let fuzzTargets: [any FuzzTarget.Type] = [
  PacketsTarget.self, SegmentsTarget.self, HTTP1Target.self, HPACKTarget.self, HTTP2Target.self,
  TLSTarget.self, ExchangesTarget.self, JSONTarget.self, CodingTarget.self, SavedCaptureTarget.self,
  SessionTarget.self, RulesTarget.self,
]

/// An invariant that does not hold.
struct Violation: Error, CustomStringConvertible {
  var description: String
}

func require(_ condition: Bool, _ what: @autoclosure () -> String) throws(Violation) {
  if !condition { throw Violation(description: what()) }
}

/// Takes an input apart; past its end everything is 0.
struct InputReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position >= bytes.count }

  mutating func byte() -> UInt8 {
    guard position < bytes.count else { return 0 }
    position += 1
    return bytes[position - 1]
  }

  mutating func word() -> UInt16 { UInt16(byte()) | UInt16(byte()) << 8 }

  /// At most `count` bytes.
  mutating func bytes(_ count: Int) -> [UInt8] {
    let end = min(bytes.count, position + count)
    defer { position = end }
    return Array(bytes[min(position, end)..<end])
  }

  mutating func rest() -> [UInt8] { bytes(bytes.count) }
}
