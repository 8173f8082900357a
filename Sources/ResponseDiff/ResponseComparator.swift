// Two responses in, the list of their differences out. Owner: whoever compares; a value without state.
// Bounds: ComparisonOptions. Byte-equal bodies cost one comparison of memory.

import ContentCoding
import ContentTree
public import HTTPModel

/// Why the bodies of a pair could not be compared.
public enum UncomparedBody: String, CaseIterable, Sendable {
  /// Bytes of the expected body were never captured.
  case expectedIncomplete = "expected-incomplete"
  /// The shadow's body did not come whole.
  case actualIncomplete = "actual-incomplete"
  /// One of them was cut at a limit without a hash to tell equality by.
  case cut
}

/// What comparing a pair gave.
public struct Comparison: Hashable, Sendable {
  /// In order of place: status, header fields, body, trailers. At most ``ComparisonOptions/differenceLimit``.
  public var differences: [Difference]
  /// nil where the bodies were compared, or have none to compare.
  public var uncomparedBody: UncomparedBody?
  /// The limit was reached: there may be more.
  public var isCut: Bool

  public init(differences: [Difference] = [], uncomparedBody: UncomparedBody? = nil, isCut: Bool = false) {
    self.differences = differences
    self.uncomparedBody = uncomparedBody
    self.isCut = isCut
  }
}

/// Compares an expected with an actual response by meaning.
public struct ResponseComparator: Sendable {
  public let options: ComparisonOptions

  public init(options: ComparisonOptions = ComparisonOptions()) { self.options = options }

  /// The differences alone; see ``comparison(expected:actual:method:)``.
  public func compare(expected: HTTPResponse, actual: HTTPResponse, method: some Collection<UInt8>) -> [Difference] {
    comparison(expected: expected, actual: actual, method: method).differences
  }

  /// Status, header fields, body and trailers of two final responses.
  ///
  /// - Parameter method: of the request; a HEAD answer has no body to compare.
  public func comparison(
    expected: HTTPResponse, actual: HTTPResponse, method: some Collection<UInt8>
  ) -> Comparison {
    fatalError()
  }
}
