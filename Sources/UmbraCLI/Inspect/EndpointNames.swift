// The endpoints of a session, by templates that its own traffic shows. In: a session read in advance. Out: a name for each
// request, as a report names it. Owner: one command. Bounds: those of the catalog; so many exchanges are read in advance.

import HTTPModel
import ResponseDiff

/// Names endpoints. One for all that a command prints, so that they agree.
final class EndpointNames {
  private var catalog: EndpointCatalog

  /// Steps of paths that only later exchanges show to be values are names until then.
  private static let learnedFrom = 200_000

  /// Learns from the session's beginning, and leaves it there.
  /// - Parameter patterns: endpoints that rules name.
  init(_ source: ExchangeSource, patterns: [EndpointPattern] = []) throws {
    catalog = EndpointCatalog(patterns: patterns)
    var count = 0
    while count < EndpointNames.learnedFrom, !Interruption.isRequested, let exchange = try source.next() {
      count += 1
      if let request = exchange.request { _ = catalog.name(of: request) }
    }
    source.rewind()
  }

  /// nil where no request was seen.
  func name(of exchange: Exchange) -> String? { exchange.request.map { catalog.name(of: $0) } }
}
