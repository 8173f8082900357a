// Which requests of a session need what of which answers. In: links as a finder makes them. Out: look-ups and the
// rewriting of requests. Owner: a value, made once and then only read. Bounds: CorrelationLimits.

public import HTTPModel

/// A value of a recorded answer that came back in a later request.
public struct CorrelationLink: Hashable, Sendable {
  public var producer: ExchangeID
  public var dependant: ExchangeID
  /// Index into ``CorrelationGraph/sources`` and ``CorrelationGraph/places``.
  var source: UInt32
  var place: UInt32
  public var encoding: ValueEncoding
  var section: RequestSection
  /// What the value takes in the section's bytes; with ``ValueEncoding/base64`` all that is encoded.
  var lower: UInt32
  var upper: UInt32
  /// With base64: which part of the decoded bytes is the value.
  var innerLower: UInt32 = 0
  var innerUpper: UInt32 = 0
}

/// The dependencies between a session's requests.
public struct CorrelationGraph: Sendable {
  /// In the session's order of dependants; those of one dependant stand together, by section and place in it.
  public let links: [CorrelationLink]
  /// There were more than the limit: later requests that need something are not in here.
  public let isCut: Bool
  let sources: [ValueSource]
  let places: [RequestPlace]
  private let ofDependant: [ExchangeID: Range<UInt32>]
  private let ofProducer: [ExchangeID: Set<UInt32>]

  init(links: [CorrelationLink], sources: [ValueSource], places: [RequestPlace], isCut: Bool) {
    self.links = links
    self.sources = sources
    self.places = places
    self.isCut = isCut
    var ofDependant: [ExchangeID: Range<UInt32>] = [:]
    var ofProducer: [ExchangeID: Set<UInt32>] = [:]
    var start = 0
    while start < links.count {
      var end = start
      while end < links.count, links[end].dependant == links[start].dependant {
        ofProducer[links[end].producer, default: []].insert(links[end].source)
        end += 1
      }
      ofDependant[links[start].dependant] = UInt32(start)..<UInt32(end)
      start = end
    }
    self.ofDependant = ofDependant
    self.ofProducer = ofProducer
  }

  public var isEmpty: Bool { links.isEmpty }
  public var dependantCount: Int { ofDependant.count }
  public var producerCount: Int { ofProducer.count }

  public func source(of link: CorrelationLink) -> ValueSource { sources[Int(link.source)] }
  public func place(of link: CorrelationLink) -> RequestPlace { places[Int(link.place)] }

  /// What a request needs; empty for most.
  public func links(of dependant: ExchangeID) -> ArraySlice<CorrelationLink> {
    guard let range = ofDependant[dependant] else { return [] }
    return links[Int(range.lowerBound)..<Int(range.upperBound)]
  }

  /// The exchanges whose answers a request needs, each once.
  public func producers(of dependant: ExchangeID) -> [ExchangeID] {
    var producers: [ExchangeID] = []
    for link in links(of: dependant) where !producers.contains(link.producer) { producers.append(link.producer) }
    return producers
  }

  func sources(of producer: ExchangeID) -> Set<UInt32>? { ofProducer[producer] }

  /// Whether a later request needs something of the answer to this one.
  public func isProducer(_ exchange: ExchangeID) -> Bool { ofProducer[exchange] != nil }
}
