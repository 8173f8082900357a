// What a session's requests need of earlier answers, found and printed.
//
// In: a session, read twice: for the values, then for the names of the exchanges that have to do with them. Out: a graph,
// and it as text or JSON lines. Owner: a command. Bounds: those of the finder, and a name for each exchange in the graph.

import HTTPModel
import SessionFile
import ValueCorrelation

/// The dependencies of a session with the names of its exchanges.
struct SessionDependencies {
  let graph: CorrelationGraph
  /// Exchanges of the session.
  let exchanges: Int
  private let endpoints: [ExchangeID: String]

  /// Reads the session through, and leaves it at its beginning.
  init(of source: ExchangeSource) throws {
    var finder = CorrelationFinder()
    var exchanges = 0
    while let exchange = try source.next(), !Interruption.isRequested {
      finder.add(exchange)
      exchanges += 1
    }
    source.rewind()
    let graph = finder.finish()
    var endpoints: [ExchangeID: String] = [:]
    if !graph.isEmpty {
      let names = try EndpointNames(source)
      while let exchange = try source.next(), !Interruption.isRequested {
        guard graph.isProducer(exchange.id) || !graph.links(of: exchange.id).isEmpty else { continue }
        endpoints[exchange.id] = names.name(of: exchange) ?? "(no request)"
      }
      source.rewind()
    }
    (self.graph, self.exchanges, self.endpoints) = (graph, exchanges, endpoints)
  }

  private func endpoint(_ id: ExchangeID) -> String { endpoints[id] ?? "(unknown)" }

  // MARK: Text

  /// What is made where, and who needs it where, endpoint by endpoint.
  func summary() -> String {
    guard !graph.isEmpty else { return "DEPENDENCIES\n  No request brings back what an earlier answer gave.\n" }
    var makers: [Maker] = []
    var places: [Maker.Key: Int] = [:]
    for link in graph.links {
      let key = Maker.Key(endpoint: endpoint(link.producer), source: "\(graph.source(of: link))")
      let place = places[key] ?? makers.count
      if place == makers.count {
        places[key] = place
        makers.append(Maker(key: key))
      }
      makers[place].add(
        Maker.Need(
          endpoint: endpoint(link.dependant), place: "\(graph.place(of: link))",
          encoding: SessionDependencies.explanation(link.encoding)))
    }
    var text = "DEPENDENCIES\n  \(counted(graph.dependantCount, "request")) of \(grouped(exchanges)) need"
    text += " what \(counted(graph.producerCount, "answer")) gave.\n"
    if graph.isCut { text += "  There are more than are kept; those of later requests are left out.\n" }
    for maker in makers { text += maker.text }
    return text
  }

  /// The links of one exchange, either way.
  func text(of id: ExchangeID) -> String {
    var text = "\(id)  \(visibleLine(endpoint(id)))\n"
    for link in graph.links(of: id) {
      text += "  needs \(link.producer)  \(visibleLine(endpoint(link.producer)))\n"
      text += "    \(visibleLine("\(graph.source(of: link))")) as \(visibleLine("\(graph.place(of: link))"))"
      text += SessionDependencies.explanation(link.encoding) + "\n"
    }
    for link in graph.links where link.producer == id {
      text += "  gives \(link.dependant)  \(visibleLine(endpoint(link.dependant)))\n"
      text += "    \(visibleLine("\(graph.source(of: link))")) as \(visibleLine("\(graph.place(of: link))"))"
      text += SessionDependencies.explanation(link.encoding) + "\n"
    }
    return text
  }

  /// A JSON object a line for each link, in the order of the dependants.
  func writeJSONLines(to output: Output, of id: ExchangeID?) throws {
    var json = JSONWriter()
    for link in graph.links where id == nil || link.producer == id || link.dependant == id {
      json.beginObject()
      for (key, value) in [
        ("producer", "\(link.producer)"), ("made_by", endpoint(link.producer)),
        ("found_at", "\(graph.source(of: link))"), ("dependant", "\(link.dependant)"),
        ("needed_by", endpoint(link.dependant)), ("needed_at", "\(graph.place(of: link))"),
        ("encoding", link.encoding.identifier),
      ] {
        json.key(key)
        json.string(value)
      }
      json.endObject()
      json.endLine()
      try output.write(json.takeBytes())
    }
  }

  private static func explanation(_ encoding: ValueEncoding) -> String {
    switch encoding {
    case .plain, .percent, .form, .jsonNumber, .jsonString: ""
    case .base64: ", in base64"
    }
  }
}

/// A place in the answers of an endpoint, and what needs the values from there.
private struct Maker {
  struct Key: Hashable {
    var endpoint: String
    var source: String
  }

  struct Need: Hashable {
    var endpoint: String
    var place: String
    var encoding: String
  }

  var key: Key
  private var counts: [Need: Int] = [:]
  private var order: [Need] = []
  private static let shown = 20

  init(key: Key) { self.key = key }

  mutating func add(_ need: Need) {
    if counts.updateValue((counts[need] ?? 0) + 1, forKey: need) == nil { order.append(need) }
  }

  var text: String {
    var text = "\n  \(visibleLine(key.endpoint))  \(visibleLine(key.source))\n"
    for need in order.prefix(Maker.shown) {
      let times = grouped(counts[need] ?? 0).leftPadded(to: 8)
      text += "\(times)  \(visibleLine(need.endpoint))  \(visibleLine(need.place))\(need.encoding)\n"
    }
    if order.count > Maker.shown { text += "          and \(grouped(order.count - Maker.shown)) more places\n" }
    return text
  }
}
