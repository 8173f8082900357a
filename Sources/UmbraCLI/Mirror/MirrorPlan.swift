// A mirror's flags, checked and resolved.

import HTTPModel
import ReplayClient

struct MirrorPlan {
  var capture: CapturePlan
  /// How requests are sent and judged; there is no session to read.
  var replay: ReplayPlan
  /// Nanoseconds of a window; nil for one that is as long as the run.
  var reportInterval: Int64?
  /// Bytes that wait between capture and sending.
  var queueLimit = 64_000_000

  /// Where the targets are, as far as that is known without asking anybody.
  var targetAddresses: Set<TransportAddress> {
    if replay.force { return [] }
    var addresses: Set<TransportAddress> = []
    for target in replay.targets.map(\.target) {
      let hosts = target.host == "localhost" ? ["127.0.0.1", "::1"] : [target.host]
      for address in hosts.compactMap({ IPAddress($0) }) {
        addresses.insert(TransportAddress(address: address, port: target.port))
      }
    }
    return addresses
  }
}
