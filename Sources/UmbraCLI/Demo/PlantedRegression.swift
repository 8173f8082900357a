// What is wrong with the demo's canary, as data: the report of a demo run is checked against it.
// Owner: DemoShop, which exposes it. Bounds: constant.

import ResponseDiff

/// A difference that the canary shows and the primary does not.
struct PlantedRegression: Hashable, Sendable {
  /// As a report names it: `GET /items/{id}`.
  var endpoint: String
  var location: DifferenceLocation
  var kind: DifferenceKind
  /// A plain sentence about the cause.
  var cause: String
}

/// An endpoint at which the canary thinks longer.
struct PlantedSlowness: Hashable, Sendable {
  /// As a report names it.
  var endpoint: String
  /// Milliseconds on top of the primary's.
  var milliseconds: Int
}

extension DemoShop {
  /// Everything that a comparison of answers can find, once noise is left out.
  ///
  /// Where the status differs, the content differs with it: a regression at `status` may be accompanied by others
  /// under `body` and `header:content-type` of the same endpoint.
  static let plantedRegressions = [
    PlantedRegression(
      endpoint: "GET /items/{id}", location: .bodyPath("/price"), kind: .type,
      cause: "prices in JPY become text"),
    PlantedRegression(
      endpoint: "GET /items/{id}", location: .bodyPath("/stock/warehouse"), kind: .removed,
      cause: "the warehouse is missing where item number modulo 7 is 3"),
    PlantedRegression(
      endpoint: "GET /items/{id}/reviews", location: .status, kind: .changed,
      cause: "500 instead of 200 where item number modulo 11 is 4"),
    PlantedRegression(
      endpoint: "GET /users/{id}", location: .status, kind: .changed,
      cause: "404 instead of 200 where user number modulo 5 is 2"),
    PlantedRegression(
      endpoint: "GET /items", location: .header("cache-control"), kind: .removed,
      cause: "lists lose Cache-Control"),
    PlantedRegression(
      endpoint: "GET /search", location: .bodyPath("/hits/*/score"), kind: .changed,
      cause: "scores are rounded to six digits instead of nine"),
  ]

  /// What a comparison of latencies can find.
  static let plantedSlowness = [PlantedSlowness(endpoint: "GET /items/{id}/reviews", milliseconds: 6)]

  /// Places that differ between any two answers and say nothing: to be ignored by an option of the demo's comparison.
  /// `Date` is not among them, because the comparison leaves it out by itself.
  static let noiseLocations: [DifferenceLocation] = [.header("x-request-id"), .bodyPath("/generated_at")]
}
