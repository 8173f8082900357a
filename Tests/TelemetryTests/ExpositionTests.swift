import HTTPModel
import Telemetry
import Testing

@Suite("Exposition")
struct ExpositionTests {
  private func text(_ families: [MetricFamily], _ format: ExpositionFormat = .prometheus) -> String {
    String(decoding: Exposition.text(families, format), as: UTF8.self)
  }

  @Test("A counter has its suffix, and in OpenMetrics its family has not")
  func counters() {
    let family = MetricFamily(.packets, UInt64(7))
    #expect(
      text([family]) == """
        # HELP umbra_capture_packets_total Packets read.
        # TYPE umbra_capture_packets_total counter
        umbra_capture_packets_total 7

        """)
    #expect(
      text([family], .openMetrics) == """
        # HELP umbra_capture_packets Packets read.
        # TYPE umbra_capture_packets counter
        umbra_capture_packets_total 7
        # EOF

        """)
  }

  @Test("Values of labels are escaped")
  func escaping() {
    let family = MetricFamily(.packetsDropped, by: [("a\"b\\c\nd", 1)])
    #expect(text([family]).contains(#"umbra_capture_packets_dropped_total{by="a\"b\\c\nd"} 1"#))
  }

  @Test("Buckets are cumulative and end with infinity")
  func histograms() {
    var histogram = DurationHistogram()
    for nanoseconds: Int64 in [-5, 100_000, 100_001, 3_000_000, .max] { histogram.record(nanoseconds: nanoseconds) }
    let lines = text([
      MetricFamily(.scheduleLag, samples: [MetricFamily.Sample(labels: [], value: .histogram(histogram))])
    ]).split(separator: "\n").dropFirst(2)
    #expect(lines.first == #"umbra_schedule_lag_seconds_bucket{le="0.0001"} 2"#)
    #expect(lines.contains(#"umbra_schedule_lag_seconds_bucket{le="0.005"} 4"#))
    #expect(lines.contains(#"umbra_schedule_lag_seconds_bucket{le="60.0"} 4"#))
    #expect(lines.contains(#"umbra_schedule_lag_seconds_bucket{le="+Inf"} 5"#))
    #expect(lines.last == "umbra_schedule_lag_seconds_count 5")
    #expect(histogram.count == 5)
  }

  @Test(
    "The format is the one that is asked for",
    arguments: [
      ("", false), ("*/*", false), ("text/plain", false), ("application/openmetrics-text", true),
      (
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
          + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true
      ),
      ("application/openmetrics-text;q=0.2, text/plain;q=0.9", false), ("application/openmetrics-text;q=0", false),
      (";;,,=;q=x", false),
    ])
  func negotiation(accept: String, isOpen: Bool) {
    #expect(ExpositionFormat(accept: accept).contentType.hasPrefix("application/openmetrics") == isOpen)
  }

  @Test("A family gives no more samples than its limit")
  func bounds() {
    let family = MetricFamily(.anomalies, by: (0..<10_000).map { ("\($0)", 1) })
    #expect(family.samples.count == MetricFamily.sampleLimit)
  }

  @Test("Names in the catalogue are unique, counters end in _total, help is one line")
  func catalogue() {
    let all = MetricDescriptor.catalogue
    #expect(Set(all.map(\.name)).count == all.count)
    for descriptor in all {
      #expect(descriptor.name.hasSuffix("_total") == (descriptor.kind == .counter), "\(descriptor.name)")
      #expect(!descriptor.help.contains("\n") && descriptor.help.hasSuffix("."))
    }
  }

  @Test(
    "Addresses to listen on",
    arguments: [
      ("9090", "127.0.0.1:9090"), (":9090", "0.0.0.0:9090"), ("localhost:0", "localhost:0"), ("[::1]:80", "[::1]:80"),
      ("10.0.0.1:65535", "10.0.0.1:65535"), ("", nil), ("host", nil), ("host:", nil), ("host:65536", nil),
      ("::1:80", nil), ("http://x:1", nil), ("a b:1", nil),
    ])
  func addresses(text: String, expected: String?) { #expect(ListenAddress(text)?.description == expected) }
}
