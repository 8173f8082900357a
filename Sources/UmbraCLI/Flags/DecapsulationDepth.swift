import ArgumentParser
import PacketHeaders

/// `off`, or how many headers that wrap a packet are looked behind.
struct DecapsulationDepth: ExpressibleByArgument {
  var value: Decapsulation

  init(value: Decapsulation) { self.value = value }

  init?(argument: String) {
    if argument == "off" {
      value = .off
    } else {
      guard let depth = Int(argument), (1...64).contains(depth) else { return nil }
      value = .upTo(depth)
    }
  }

  var defaultValueDescription: String {
    switch value {
    case .off: "off"
    case .upTo(let depth): "\(depth)"
    }
  }
}
