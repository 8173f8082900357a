import Testing
import ValueCorrelation

@Suite struct ValueEntropyTests {
  private func isEnough(_ text: String) -> Bool {
    Array(text.utf8).withUnsafeBufferPointer { ValueEntropy.bits($0) >= ValueEntropy.threshold }
  }

  @Test(
    arguments: [
      "8fK2mQ9x", "ord_8fK2mQ9x", "550e8400-e29b-41d4-a716-446655440000", "redacted.4b1f7f3a9c02d6e8", "48213377",
      "3f9a1c7be2", "Zk39-dk20_sLwq18", "ORD-000123",
    ])
  func tokensHaveEnough(_ text: String) { #expect(isEnough(text)) }

  @Test(
    arguments: [
      "", "a", "completed", "text/html", "2026-11-21", "1.0.2", "checkout", "4200", "true", "aaaaaaaaaaaaaaaa", "en-GB",
      "0000000000", "Accepted",
    ])
  func wordsHaveNot(_ text: String) { #expect(!isEnough(text)) }
}
