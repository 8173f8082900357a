// The smallest request that still shows a difference, by asking again.
//
// In: a request, and of each request that is to be asked whether the difference showed. Out: requests to be asked, one
// after another, and what came of it. Owner: who asks; a value without a clock. Bounds: `limit` requests.
//
// Answers are not always the same, so nothing rests on one of them: the request as it was is asked twice before any
// other, what is left out is left out when the difference showed twice without it, and what remains is asked once more.

public import ContentTree
public import HTTPModel

/// Finds the smallest request that shows a difference.
public struct RequestShrinking: Sendable {
  /// What came of it.
  public enum Outcome: String, CaseIterable, Sendable {
    /// Without any part of the smallest request that is left the difference does not show.
    case minimal
    /// No more was asked; there may be a smaller one.
    case limited
    /// The request as it was does not show it.
    case notReproduced = "not-reproduced"
    /// The same request shows it once and another time not.
    case intermittent
  }

  private enum Stage {
    case original(shown: Int, asked: Int)
    case shrinking
    case confirming
    case over(Outcome)
  }

  /// The smallest that showed it so far.
  public private(set) var smallest: HTTPRequest
  /// Requests that were asked.
  public private(set) var asked = 0
  /// What the request had that it might not need, outermost parts of its body.
  public let original: [RequestPart]
  /// What the smallest still has; of its body, at any depth, what holds nothing else.
  public private(set) var needed: [RequestPart]
  /// How many of ``original`` it does without.
  public private(set) var omitted = 0

  private let first: HTTPRequest
  private let descriptors: ProtobufDescriptors?
  private let limit: Int
  private var stage = Stage.original(shown: 0, asked: 0)
  private var parts: RequestParts
  private var search: DeltaDebugging
  private var depth = 0
  /// What it takes beside its body.
  private var outside: [RequestPart] = []
  private var hasShownOnce = false

  /// Members of bodies deeper than this stay.
  private static let depthLimit = 8

  /// - Parameters:
  ///   - limit: the most requests that are asked, 3 or more.
  ///   - descriptors: that name the fields of gRPC messages; without them they have numbers.
  public init(_ request: HTTPRequest, limit: Int = 100, descriptors: ProtobufDescriptors? = nil) {
    (first, smallest) = (request, request)
    self.limit = max(3, limit)
    self.descriptors = descriptors
    parts = RequestParts(request, descriptors: descriptors)
    search = DeltaDebugging(groups: parts.groups)
    original = parts.parts
    needed = parts.parts
    outside = parts.parts.filter { $0.kind != .body }
  }

  /// nil until there is nothing more to be asked.
  public var outcome: Outcome? { if case .over(let outcome) = stage { outcome } else { nil } }

  /// The request to be asked now; nil where there is an ``outcome``. The same until ``record(_:)``.
  public mutating func next() -> HTTPRequest? {
    if outcome == nil, asked >= limit { stop() }
    while true {
      switch stage {
      case .over: return nil
      case .original: return first
      case .confirming: return smallest
      case .shrinking:
        if let candidate = search.next() { return parts.request(keeping: candidate) }
        endLevel()
      }
    }
  }

  /// Whether the request that ``next()`` gave shows the difference.
  public mutating func record(_ shows: Bool) {
    asked += 1
    switch stage {
    case .over: break
    case .original(let shown, let times):
      let shown = shown + (shows ? 1 : 0)
      if times == 0 {
        stage = .original(shown: shown, asked: 1)
      } else {
        stage = shown == 2 ? .shrinking : .over(shown == 0 ? .notReproduced : .intermittent)
      }
    case .confirming:
      if !shows { fail() } else { stage = .over(.minimal) }
    case .shrinking:
      if shows, !hasShownOnce {
        hasShownOnce = true
        return
      }
      hasShownOnce = false
      search.record(shows)
      if shows { take() }
    }
  }

  /// Ends it where it stands.
  public mutating func stop() {
    guard outcome == nil else { return }
    if case .original(let shown, let times) = stage {
      stage = .over(times > 0 && shown == 0 ? .notReproduced : .limited)
    } else {
      stage = .over(.limited)
    }
  }

  /// What the search keeps showed twice.
  private mutating func take() {
    smallest = parts.request(keeping: search.kept)
    if depth == 0 {
      outside = search.kept.map { parts.parts[$0] }.filter { $0.kind != .body }
      omitted = original.count - search.kept.count
    }
    needed = outside + RequestParts.leaves(of: smallest, descriptors)
  }

  /// Goes on with what stands deeper in the body, if anything does.
  private mutating func endLevel() {
    if depth < Self.depthLimit {
      depth += 1
      parts = RequestParts(smallest, depth: depth, descriptors: descriptors)
      search = DeltaDebugging(groups: parts.groups)
      if !parts.parts.isEmpty { return }
    }
    stage = smallest == first ? .over(.minimal) : .confirming
  }

  private mutating func fail() {
    (smallest, needed, omitted) = (first, original, 0)
    stage = .over(.intermittent)
  }
}
