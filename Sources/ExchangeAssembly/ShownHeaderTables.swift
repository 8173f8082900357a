// The HTTP/2 header tables that whole connections have shown, for those whose beginning was not seen.
//
// In: tables of connections that are known from their start. Out: the same to others between the same two hosts.
// Owner: AssemblyOutput; between two passes over one capture, whoever carries them on. Bounds: `limit` pairs of hosts,
// two tables each.

import HTTP2Decoding
import HTTPModel

/// Header tables by who spoke to whom.
public struct ShownHeaderTables: Sendable {
  /// A client, wherever it connects from, and a server.
  struct Hosts: Hashable {
    var client: IPAddress
    var server: TransportAddress
  }

  struct Tables {
    var request: HPACKTable
    var response: HPACKTable
    /// Grows whenever they change.
    var version: UInt64
  }

  private var tables: [Hosts: Tables] = [:]
  private var version: UInt64 = 0
  private static let limit = 1024

  public init() {}

  public var isEmpty: Bool { tables.isEmpty }

  subscript(hosts: Hosts) -> Tables? { tables[hosts] }

  /// Takes the place of what was shown before; beyond the limit, no further pair of hosts is taken up.
  mutating func show(_ request: HPACKTable, _ response: HPACKTable, between hosts: Hosts) {
    guard tables[hosts] != nil || tables.count < Self.limit else { return }
    version += 1
    tables[hosts] = Tables(request: request, response: response, version: version)
  }
}
