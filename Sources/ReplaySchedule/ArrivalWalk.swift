import Glibc

/// The arrivals of a profile one after the other, random ones included.
///
/// Even parts: arrival n stands where the profile's count reaches n. Poisson parts: the distance between two arrivals,
/// counted in arrivals rather than in time, is exponential with mean 1 (RNG to U in 0 < U <= 1, then -ln U), which makes
/// them a Poisson process of whatever rate the shape has. The place is kept in whole quanta, so that a long walk adds up
/// no rounding. The same seed walks the same way. A random part begins anew at its start, as it has no memory; an even
/// part after a random one begins with an arrival.
public struct ArrivalWalk: Sendable {
  private let profile: ArrivalProfile
  private var generator: SplitMix64
  private var index = 0
  /// Of the latest arrival, in quanta; nil before the first.
  private var position: UInt128?

  public init(_ profile: ArrivalProfile, seed: UInt64) {
    self.profile = profile
    generator = SplitMix64(seed: seed)
  }

  /// Nanoseconds from the start to the next arrival, never falling; nil once the profile has ended.
  public mutating func next() -> Int64? {
    guard index < profile.stretches.count else { return nil }
    var stretch = profile.stretches[index]
    var candidate =
      if let position {
        position + (stretch.isPoisson ? gap() : UInt128(ArrivalRate.quantaPerArrival))
      } else {
        stretch.isPoisson ? gap() : 0
      }
    while let through = stretch.through, candidate >= through {
      let wasPoisson = stretch.isPoisson
      index += 1
      guard index < profile.stretches.count else { return nil }
      stretch = profile.stretches[index]
      if stretch.isPoisson {
        candidate = stretch.before + gap()
      } else if wasPoisson {
        candidate = stretch.before
      }
    }
    position = candidate
    return profile.due(position: candidate, in: stretch)
  }

  private mutating func gap() -> UInt128 {
    let uniform = (Double(generator.next() >> 11) + 1) * 0x1p-53
    return UInt128(-log(uniform) * Double(ArrivalRate.quantaPerArrival))
  }
}

/// Steele, Lea and Flood's generator: 64 bits of state, the same numbers from the same seed on every machine.
///
/// For schedules and samples that must be repeatable; not for secrets.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    return SplitMix64.mixed(state)
  }

  /// The generator's finisher: every bit of the result depends on every bit of `value`.
  public static func mixed(_ value: UInt64) -> UInt64 {
    var value = value
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }
}
