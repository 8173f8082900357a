// A pair of answers as a report shows it. In: a pair that differs. Out: text for a person. Bounds: 64 KB a side.

public import HTTPModel

/// One pair that shows a cluster's difference; at most three a cluster.
public struct DifferenceExample: Hashable, Sendable {
  /// The recorded exchange.
  public var exchange: ExchangeID
  /// Method, target and status of both sides, for a person.
  public var requestLine: String
  /// What differs, with both values.
  public var difference: Difference
  /// Both whole answers: head and decoded, pretty-printed body as text, cut at 64 KB a side.
  public var expectedText: String
  /// See ``expectedText``.
  public var actualText: String
  /// The request as a curl command, credentials as they are in the session.
  public var curl: String

  /// Whether it is an example of what this request brought.
  public func isOf(_ request: HTTPRequest) -> Bool {
    requestLine.hasPrefix(DifferenceExample.line(of: request) + ": ")
  }

  static func line(of request: HTTPRequest) -> String {
    excerptText(request.method, limit: 32) + " " + excerptText(request.target, limit: 512)
  }

  public init(
    exchange: ExchangeID, requestLine: String, difference: Difference, expectedText: String, actualText: String,
    curl: String
  ) {
    self.exchange = exchange
    self.requestLine = requestLine
    self.difference = difference
    self.expectedText = expectedText
    self.actualText = actualText
    self.curl = curl
  }
}
