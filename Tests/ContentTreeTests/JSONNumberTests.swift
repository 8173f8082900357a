import Testing

@testable import ContentTree

@Suite struct JSONNumberTests {
  @Test(arguments: [
    ("1", "1.0"), ("1", "10e-1"), ("1", "0.1e1"), ("0", "-0"), ("0", "0.000e99"), ("100", "1E2"), ("-2.50", "-25e-1"),
    ("123.456", "123456e-3"), ("1e00000000000000000000000002", "100"), ("0.001", "1e-3"), ("10.10", "10.1"),
    ("1e99999999999999999999", "1e99999999999999999999"),
  ])
  func equal(a: String, b: String) throws {
    let (x, y) = (try document(a), try document(b))
    #expect(x.isEqual(to: y) && y.isEqual(to: x))
    #expect(TreeHash.all(of: x) == TreeHash.all(of: y))
  }

  @Test(arguments: [
    ("1", "-1"), ("1", "10"), ("1", "1.0000000000000000000000001"), ("9007199254740993", "9007199254740992"),
    ("1e400", "1e401"), ("0.1", "0.10000000000000001"), ("12", "102"), ("1e-400", "0"), ("1.01", "1.1"),
    ("1e99999999999999999999", "1e99999999999999999998"),
  ])
  func different(a: String, b: String) throws {
    let (x, y) = (try document(a), try document(b))
    #expect(!x.isEqual(to: y) && !y.isEqual(to: x))
  }
}
