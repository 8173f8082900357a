/// A TCP sequence number: arithmetic and order are modulo 2^32 (RFC 9293, 3.4).
///
/// Not `Comparable`: the order is not transitive over more than half of the number space.
public struct SequenceNumber: RawRepresentable, Hashable, Sendable {
  public var rawValue: UInt32

  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Octets from `other` to `self` on the shorter way round: -2^31 ..< 2^31, negative where `self` stands before.
  @inlinable
  public func distance(from other: SequenceNumber) -> Int {
    Int(Int32(bitPattern: rawValue &- other.rawValue))
  }

  /// `self` moved by `octets`, which may be negative or larger than the number space.
  @inlinable
  public func advanced(by octets: Int) -> SequenceNumber {
    SequenceNumber(rawValue: rawValue &+ UInt32(truncatingIfNeeded: octets))
  }

  /// Whether `self` stands before `other`.
  @inlinable
  public func precedes(_ other: SequenceNumber) -> Bool { distance(from: other) < 0 }
}

extension SequenceNumber: CustomStringConvertible {
  public var description: String { String(rawValue) }
}
