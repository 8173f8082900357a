// Two responses in, the list of their differences out. Owner: whoever compares; a value without state.
// Bounds: ComparisonOptions. Byte-equal bodies cost one comparison of memory.

public import ContentTree
public import HTTPModel

/// Why the bodies of a pair could not be compared.
public enum UncomparedBody: String, CaseIterable, Sendable {
  /// Bytes of the expected body were never captured.
  case expectedIncomplete = "expected-incomplete"
  /// The shadow's body did not come whole.
  case actualIncomplete = "actual-incomplete"
  /// One of them was cut at a limit, or is too large decoded, so that equality cannot be told.
  case cut
  /// They have different content codings and at least one of them cannot be undone.
  case unknownCoding = "unknown-coding"
}

/// What comparing a pair gave.
public struct Comparison: Hashable, Sendable {
  /// In order of place: status, header fields, body, trailers. At most ``ComparisonOptions/differenceLimit``.
  public var differences: [Difference]
  /// nil where the bodies were compared, or have none to compare.
  public var uncomparedBody: UncomparedBody?
  /// The limit was reached: there may be more.
  public var isCut: Bool
  /// Arrays were too large to find which elements belong together: differences inside them may be more than there are.
  public var isApproximate: Bool
  /// Differences that rules let pass; see ``ComparisonOptions/suppressions``.
  public var suppressed: [SuppressedDifference]

  public init(
    differences: [Difference] = [], uncomparedBody: UncomparedBody? = nil, isCut: Bool = false,
    isApproximate: Bool = false, suppressed: [SuppressedDifference] = []
  ) {
    self.differences = differences
    self.uncomparedBody = uncomparedBody
    self.isCut = isCut
    self.isApproximate = isApproximate
    self.suppressed = suppressed
  }
}

/// Compares an expected with an actual response by meaning.
public struct ResponseComparator: Sendable {
  /// How it compares.
  public let options: ComparisonOptions
  private let ignoresStatus: Bool
  private let ignoresBody: Bool

  private let descriptors: ProtobufDescriptors?
  /// Those that hold now, with their indices.
  private let suppressions: [(index: Int, rule: Suppression)]

  /// - Parameter descriptors: of the messages that gRPC methods answer with; without them messages are compared by field
  ///   number and wire type.
  public init(options: ComparisonOptions = ComparisonOptions(), descriptors: ProtobufDescriptors? = nil) {
    self.options = options
    self.descriptors = descriptors
    suppressions = options.suppressions.enumerated().filter { rule in
      options.now.map { !rule.element.isExpired(at: $0) } ?? true
    }.map { ($0.offset, $0.element) }
    ignoresStatus = options.ignore.contains(.status)
    ignoresBody = options.ignore.contains(.body)
  }

  /// The differences alone; see ``comparison(expected:actual:method:)``.
  public func compare(expected: HTTPResponse, actual: HTTPResponse, method: some Collection<UInt8>) -> [Difference] {
    comparison(expected: expected, actual: actual, method: method).differences
  }

  /// Status, header fields, body and trailers of two final responses.
  ///
  /// An answer of another status class is another answer: then the status is the one difference and the rest, which
  /// follows from it, is not compared.
  /// - Parameters:
  ///   - method: of the request; a HEAD answer has no body to compare.
  ///   - target: of the request; it names the method of a gRPC call, whose messages' type descriptors may know.
  ///   - inapplicable: indices of suppressions that are about other requests.
  public func comparison(
    expected: HTTPResponse, actual: HTTPResponse, method: some Collection<UInt8>, target: ArraySlice<UInt8> = [],
    inapplicable: Set<Int> = []
  ) -> Comparison {
    if expected.isSameAnswer(as: actual) { return Comparison() }
    var comparison = found(expected: expected, actual: actual, method: method, target: target)
    if !suppressions.isEmpty, !comparison.differences.isEmpty { suppress(in: &comparison, inapplicable) }
    if comparison.differences.count > options.differenceLimit {
      comparison.differences.removeLast(comparison.differences.count - options.differenceLimit)
      comparison.isCut = true
    }
    return comparison
  }

  private func suppress(in comparison: inout Comparison, _ inapplicable: Set<Int>) {
    comparison.differences.removeAll { difference in
      guard let hit = suppressions.first(where: { $0.rule.covers(difference) && !inapplicable.contains($0.index) })
      else {
        return false
      }
      comparison.suppressed.append(SuppressedDifference(rule: hit.index, difference: difference))
      return true
    }
  }

  private func found(
    expected: HTTPResponse, actual: HTTPResponse, method: some Collection<UInt8>, target: ArraySlice<UInt8>
  ) -> Comparison {
    var comparison = Comparison()
    if expected.status != actual.status, !ignoresStatus {
      let isOtherClass = expected.status / 100 != actual.status / 100
      comparison.differences.append(
        Difference(
          location: .status, kind: .changed, severity: isOtherClass ? .high : .medium,
          expected: String(expected.status), actual: String(actual.status)))
      if isOtherClass { return comparison }
    }
    let isHead = method.elementsEqual("HEAD".utf8)
    let hasBody = !isHead && (allowsBody(expected.status) || allowsBody(actual.status))
    let grpc = GRPCComparison(options: options, descriptors: descriptors, path: target)
    let isGRPC = GRPCComparison.isSpoken(expected.fields) || GRPCComparison.isSpoken(actual.fields)
    if isGRPC, !grpc.compareStatus(expected, actual, into: &comparison.differences) { return comparison }
    FieldComparison(options: options, isTrailer: false, comparesLength: !hasBody, isGRPC: isGRPC)
      .differences(expected.fields, actual.fields, into: &comparison.differences)
    if hasBody, !ignoresBody {
      BodyComparison(options: options, grpc: grpc).compare(expected, actual, isGRPC: isGRPC, into: &comparison)
    }
    if !expected.trailers.isEmpty || !actual.trailers.isEmpty {
      FieldComparison(options: options, isTrailer: true, comparesLength: true, isGRPC: isGRPC)
        .differences(expected.trailers, actual.trailers, into: &comparison.differences)
    }
    return comparison
  }

  /// RFC 9110, 6.4.1.
  private func allowsBody(_ status: UInt16) -> Bool { status != 204 && status != 304 && status / 100 != 1 }
}
