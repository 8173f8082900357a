// TLS connections that could not be read, by server and reason: for the end of a capture, the session, and `stats`.
//
// In: what the lanes counted, or a session's metadata. Out: notes, metadata, counts. Bounds: those of WireDecoder.

import ExchangeAssembly
import HTTPModel
import SessionFile
import Synchronization

struct UnreadableConnections {
  struct Kind {
    var count: UInt64
    /// A short name: `no-secrets`, `bad-record-mac`.
    var reason: String
    /// Nil where the client named none.
    var serverName: String?
  }

  /// The most first.
  let kinds: [Kind]

  /// In a session: the number, the reason and the name, where there is one, with blanks between.
  static let key = "tls-not-read"
  /// How many kinds a session names.
  private static let limit = 1000

  init(of lanes: [CaptureLane]) {
    var total: [UnreadableTLS: UInt64] = [:]
    for lane in lanes { total.merge(lane.state.withLock { $0.unreadable }) { $0 + $1 } }
    kinds = total.map { Kind(count: $0.value, reason: $0.key.reason, serverName: $0.key.serverName) }
      .sorted { ($1.count, $0.serverName ?? "", $0.reason) < ($0.count, $1.serverName ?? "", $1.reason) }
  }

  /// Several captures may have been merged into a session: what they say of a server adds up.
  init(_ metadata: SessionMetadata) {
    var kinds: [String: Kind] = [:]
    for value in metadata.values(Self.key) {
      let parts = value.split(separator: " ", maxSplits: 2)
      guard parts.count >= 2, let count = UInt64(parts[0]) else { continue }
      let name = parts.count == 3 ? String(parts[2]) : nil
      kinds["\(parts[1]) \(name ?? "")", default: Kind(count: 0, reason: String(parts[1]), serverName: name)].count &+=
        count
    }
    self.kinds = kinds.values.sorted {
      ($1.count, $0.serverName ?? "", $0.reason) < ($0.count, $1.serverName ?? "", $1.reason)
    }
  }

  var metadata: SessionMetadata {
    var metadata = SessionMetadata()
    for kind in kinds.prefix(Self.limit) {
      metadata.add(Self.key, "\(kind.count) \(kind.reason)" + (kind.serverName.map { " \($0)" } ?? ""))
    }
    return metadata
  }

  /// A line for each of the first ten.
  var notes: [String] {
    var notes = kinds.prefix(10).map { kind in
      let name = visibleLine(kind.serverName ?? "a server that was not named")
      return "\(counted(kind.count, "TLS connection")) to \(name) not read: \(visibleLine(kind.reason))"
    }
    if kinds.count > 10 { notes.append("and \(counted(kinds.count - 10, "more kind")) of TLS connections not read") }
    return notes
  }

  func write(to json: inout JSONWriter) {
    json.beginArray()
    for kind in kinds {
      json.beginObject()
      json.key("server_name")
      if let name = kind.serverName { json.string(name) } else { json.null() }
      json.key("reason")
      json.string(kind.reason)
      json.key("connections")
      json.number(kind.count)
      json.endObject()
    }
    json.endArray()
  }
}
