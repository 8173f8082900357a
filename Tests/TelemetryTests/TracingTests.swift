import HTTPModel
@testable import Telemetry
import Testing

@Suite("Traces of attempts")
struct TracingTests {
  private func fields(_ pairs: [(String, String)]) -> HeaderFields {
    var fields = HeaderFields()
    for (name, value) in pairs { fields.append(name: name.utf8, value: value.utf8) }
    return fields
  }

  private func request(_ pairs: [(String, String)]) -> HTTPRequest {
    let line = "GET /a?secret=1 HTTP/1.1\r\n"
    var fields = HeaderFields(storage: Array(line.utf8))
    for (name, value) in pairs { fields.append(name: name.utf8, value: value.utf8) }
    let time = Timestamp(nanoseconds: 0)
    return HTTPRequest(
      version: .http11, methodRange: 0..<3, targetRange: 4..<15, fields: fields, body: HTTPBody(),
      timing: MessageTiming(start: time, headEnd: time, end: time))
  }

  private let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
  private let id = ExchangeID(connection: 7, ordinal: 3)

  private func text(_ fields: [(name: [UInt8], value: [UInt8])]) -> [String] {
    fields.map { String(decoding: $0.name, as: UTF8.self) + ": " + String(decoding: $0.value, as: UTF8.self) }
  }

  @Test(
    "W3C and B3 are read",
    arguments: [
      ([("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")], TraceContext.Form.w3c, true),
      ([("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")], .w3c, false),
      ([("traceparent", "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more")], .w3c, true),
      ([("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1")], .b3, true),
      ([("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0-05e3ac9a4f6e3b90")], .b3, false),
      (
        [
          ("X-B3-TraceId", "4bf92f3577b34da6a3ce929d0e0e4736"), ("X-B3-SpanId", "00f067aa0ba902b7"),
          ("X-B3-Sampled", "1"),
        ],
        .b3Fields, true
      ),
    ])
  func reading(pairs: [(String, String)], form: TraceContext.Form, isSampled: Bool) throws {
    let context = try #require(TraceContext(fields(pairs)))
    #expect(context.form == form && context.isSampled == isSampled)
    #expect(context.traceText == trace && TraceContext.text(context.spanID) == "00f067aa0ba902b7")
  }

  @Test(
    "What breaks the specification is none",
    arguments: [
      "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
      "00-\(String(repeating: "0", count: 32))-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
      "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
      "00-zbf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01", "----",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
    ])
  func nonsense(value: String) {
    #expect(TraceContext(fields([("traceparent", value)])) == nil)
  }

  @Test("State and the names of baggage are kept, its values are not")
  func stateAndBaggage() throws {
    let context = try #require(
      TraceContext(
        fields([
          ("traceparent", "00-\(trace)-00f067aa0ba902b7-01"), ("tracestate", "rojo=1,congo=2"),
          ("baggage", "user=secret; p=1, tenant = x,,=,"),
        ])))
    #expect(context.state == "rojo=1,congo=2")
    #expect(context.baggageKeys == ["user", "tenant"])
  }

  @Test("A child's fields name the attempt's own span, the same one that is exported")
  func childFields() throws {
    let tracing = AttemptTracing(.child, seed: 42, targets: ["http://shadow"])
    let recorded = request([("traceparent", "00-\(trace)-00f067aa0ba902b7-01")])
    let sent = text(tracing.fields(for: recorded, id, round: 0))
    let attempt = Attempt(
      exchange: id, scheduled: Timestamp(nanoseconds: 5), sent: Timestamp(nanoseconds: 10), firstByte: nil,
      end: Timestamp(nanoseconds: 20), outcome: .timeout, response: nil)
    let span = try #require(tracing.span(of: attempt, recorded))
    #expect(sent == ["traceparent: 00-\(trace)-\(TraceContext.text(span.spanID))-01"])
    #expect(span.hasParent && span.path == "/a")
    #expect(
      tracing.fields(for: recorded, id, round: 1).first?.value
        != tracing.fields(for: recorded, id, round: 0).first?.value)
    #expect(AttemptTracing(.keep, seed: 42, targets: []).fields(for: recorded, id, round: 0).isEmpty)
    let b3 = request([("b3", "\(trace)-00f067aa0ba902b7-1")])
    #expect(text(tracing.fields(for: b3, id, round: 0))[0].hasSuffix("-1-00f067aa0ba902b7"))
  }

  @Test("A request without a trace begins one; a trace that is not sampled gives no span")
  func rootsAndSampling() throws {
    let tracing = AttemptTracing(.child, seed: 1, targets: [])
    let bare = request([])
    let attempt = Attempt(
      exchange: id, scheduled: Timestamp(nanoseconds: 0), sent: nil, firstByte: nil, end: Timestamp(nanoseconds: 1),
      outcome: .connectionRefused, response: nil)
    let span = try #require(tracing.span(of: attempt, bare))
    #expect(!span.hasParent && span.target == "other")
    #expect(
      text(tracing.fields(for: bare, id, round: 0))[0].contains(
        "\(span.context.traceText)-\(TraceContext.text(span.spanID))"))
    #expect(tracing.span(of: attempt, request([("traceparent", "00-\(trace)-00f067aa0ba902b7-00")])) == nil)
  }
}
