// A request's method and target to the endpoint it belongs to: `GET /items/{id}`.
// Owner: a pure function. Bounds: 512 bytes of a path are looked at.

public import HTTPModel

/// Names the endpoint that a request belongs to.
public enum EndpointTemplate {
  /// `METHOD /path/{id}`: the path without its query, with segments that look like values put in braces.
  public static func name(of request: HTTPRequest) -> String {
    name(method: request.method, target: request.target)
  }

  /// The same for a method and a target in any of RFC 9112's forms (3.2).
  public static func name(method: some Collection<UInt8>, target: some Collection<UInt8>) -> String {
    fatalError()
  }
}
