// Values of replay's flags that are more than a number or a name.

import ArgumentParser
import ReplayClient

/// `GET,HEAD,POST`.
struct MethodList: ExpressibleByArgument {
  var names: [String]

  init(names: [String]) { self.names = names }

  init?(argument: String) {
    names = argument.split(separator: ",").map { String($0) }
    let isToken = names.allSatisfy { name in
      name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"\"(),/:;<=>?@[\\]{}".utf8.contains($0) }
    }
    if names.isEmpty || !isToken { return nil }
  }

  var defaultValueDescription: String { names.joined(separator: ",") }
}

/// `recorded`, `target`, or a name.
struct HostChoice: ExpressibleByArgument {
  var value: ReplayOptions.Host

  init(value: ReplayOptions.Host) { self.value = value }

  init?(argument: String) {
    switch argument {
    case "recorded": value = .recorded
    case "target": value = .target
    default:
      guard !argument.isEmpty, argument.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
      value = .name(argument)
    }
  }

  var defaultValueDescription: String { "recorded" }
}

/// `recorded`, or how many connections a pool has.
struct ConnectionsChoice: ExpressibleByArgument {
  var value: ReplayOptions.Connections

  init(value: ReplayOptions.Connections) { self.value = value }

  init?(argument: String) {
    if argument == "recorded" {
      value = .recorded
    } else {
      guard let count = Int(argument), count > 0 else { return nil }
      value = .pool(count)
    }
  }

  var defaultValueDescription: String { "recorded" }
}

/// `NAME:VALUE`, or `none`.
enum MarkerChoice: ExpressibleByArgument {
  /// `X-Umbra-Replay` with the run's id.
  case standard
  case none
  case field(name: String, value: String)

  init?(argument: String) {
    if argument == "none" {
      self = .none
      return
    }
    guard let colon = argument.firstIndex(of: ":"), colon != argument.startIndex else { return nil }
    let value = argument[argument.index(after: colon)...].drop { $0 == " " }
    guard argument.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }), !argument[..<colon].contains(" ") else { return nil }
    self = .field(name: String(argument[..<colon]), value: String(value))
  }

  var defaultValueDescription: String { "X-Umbra-Replay:RUN-ID" }

  func marker(runID: String) -> ReplayOptions.Marker? {
    switch self {
    case .standard: ReplayOptions.Marker(name: "X-Umbra-Replay", value: runID)
    case .none: nil
    case .field(let name, let value): ReplayOptions.Marker(name: name, value: value)
    }
  }
}
