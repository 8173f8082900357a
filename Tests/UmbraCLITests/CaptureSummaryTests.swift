import HTTPModel
import Testing

@testable import UmbraCLI

@Suite struct CaptureSummaryTests {
  func summary(_ ledger: Ledger, exchanges: UInt64 = 1) -> String {
    CaptureSummary(
      origin: "interface lo", ledger: ledger, notes: [], exchanges: exchanges, written: nil, packetTime: 0, elapsed: 0
    ).text
  }

  @Test func whatWasLostIsFollowedByWhatHelps() {
    var ledger = Ledger()
    ledger[.packetsSeen] = 10
    #expect(!summary(ledger).contains("→"))
    ledger[.packetsKernelDropped] = 3
    let lines = summary(ledger).split(separator: "\n").map(String.init)
    #expect(lines.contains("umbra:   3 packets the kernel dropped before they were read"))
    #expect(
      lines.last == "umbra:   → kernel drops: --body-limit, --sample or a narrower filter; a larger --buffer; --fanout")
    // Nothing at all was captured: what to do about that is told instead.
    #expect(!summary(ledger, exchanges: 0).contains("→"))
  }
}
