// The trace that a recorded request belongs to, and what its replay carries instead.
//
// In: a request's fields. Out: identifiers, and fields with other values. Pure; a field that does not follow its
// specification counts as none.

public import HTTPModel

/// W3C Trace Context (traceparent, tracestate), or B3 in one field or several.
public struct TraceContext: Hashable, Sendable {
  public enum Form: Sendable {
    case w3c
    /// `b3`.
    case b3
    /// `X-B3-TraceId` and the others.
    case b3Fields
  }

  public var form: Form
  /// 128 bits; those of a B3 trace with 64 bits are the low ones.
  public var traceHigh: UInt64
  public var traceLow: UInt64
  public var spanID: UInt64
  public var isSampled: Bool
  /// As sent; nil where there is none.
  public var state: String?
  /// The names in `baggage`, without their values.
  public var baggageKeys: [String] = []

  static let stateLimit = 512
  static let baggageLimit = 16

  /// What a request carries; nil where that is nothing.
  public init?(_ fields: HeaderFields) {
    if let parent = fields.first("traceparent").flatMap(TraceContext.init(traceparent:)) {
      self = parent
      state = fields.first("tracestate").map { String(decoding: $0.prefix(TraceContext.stateLimit), as: UTF8.self) }
    } else if let single = fields.first("b3").flatMap(TraceContext.init(b3:)) {
      self = single
    } else if let trace = fields.first("x-b3-traceid"), let span = fields.first("x-b3-spanid") {
      let sampled = fields.first("x-b3-sampled").map { $0.elementsEqual("1".utf8) || $0.elementsEqual("d".utf8) }
      self.init(.b3Fields, trace: trace, span: span, isSampled: sampled ?? true)
    } else {
      return nil
    }
    baggageKeys = TraceContext.keys(ofBaggage: fields.first("baggage"))
  }

  /// A trace of its own.
  init(root traceHigh: UInt64, _ traceLow: UInt64, spanID: UInt64) {
    (form, isSampled) = (.w3c, true)
    (self.traceHigh, self.traceLow, self.spanID) = (traceHigh, traceLow, spanID)
  }

  /// `00-TRACE-SPAN-FLAGS` (Trace Context, 3.2); a later version may have more behind it.
  private init?(traceparent value: ArraySlice<UInt8>) {
    let parts = value.split(separator: 0x2d, omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[0].count == 2, let version = TraceContext.hex(parts[0]), version != 0xff,
      version != 0 || parts.count == 4, parts[1].count == 32, parts[3].count == 2,
      let flags = TraceContext.hex(parts[3])
    else { return nil }
    self.init(.w3c, trace: parts[1], span: parts[2], isSampled: flags & 1 == 1)
  }

  /// `TRACE-SPAN[-SAMPLED[-PARENT]]`; `0` alone says nothing of a trace.
  private init?(b3 value: ArraySlice<UInt8>) {
    let parts = value.split(separator: 0x2d, omittingEmptySubsequences: false)
    guard (2...4).contains(parts.count) else { return nil }
    self.init(
      .b3, trace: parts[0], span: parts[1], isSampled: parts.count < 3 || !parts[2].elementsEqual("0".utf8))
  }

  private init?(_ form: Form, trace: ArraySlice<UInt8>, span: ArraySlice<UInt8>, isSampled: Bool) {
    guard trace.count == 32 || trace.count == 16 && form != .w3c, span.count == 16,
      let low = TraceContext.hex(trace.suffix(16)),
      let high = trace.count == 32 ? TraceContext.hex(trace.prefix(16)) : 0, let span = TraceContext.hex(span),
      high | low != 0, span != 0
    else { return nil }
    self.form = form
    (traceHigh, traceLow, spanID, self.isSampled) = (high, low, span, isSampled)
  }

  /// Fields that make a receiver's spans children of `spanID`.
  public func fields(forChild spanID: UInt64) -> [(name: [UInt8], value: [UInt8])] {
    let (trace, span) = (traceText, TraceContext.text(spanID))
    let fields: [(String, String)] =
      switch form {
      case .w3c: [("traceparent", "00-\(trace)-\(span)-\(isSampled ? "01" : "00")")]
      case .b3: [("b3", "\(trace)-\(span)-\(isSampled ? "1" : "0")-\(TraceContext.text(self.spanID))")]
      case .b3Fields: [("X-B3-SpanId", span), ("X-B3-ParentSpanId", TraceContext.text(self.spanID))]
      }
    return fields.map { (Array($0.0.utf8), Array($0.1.utf8)) }
  }

  var traceText: String { TraceContext.text(traceHigh) + TraceContext.text(traceLow) }

  /// Sixteen hexadecimal digits.
  static func text(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Up to sixteen digits; W3C allows lower case only, B3 is read in either.
  private static func hex(_ digits: ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    guard (1...16).contains(digits.count) else { return nil }
    for digit in digits {
      switch digit {
      case 0x30...0x39: value = value << 4 | UInt64(digit - 0x30)
      case 0x61...0x66: value = value << 4 | UInt64(digit - 0x57)
      case 0x41...0x46: value = value << 4 | UInt64(digit - 0x37)
      default: return nil
      }
    }
    return value
  }

  private static func keys(ofBaggage value: ArraySlice<UInt8>?) -> [String] {
    guard let value else { return [] }
    return value.split(separator: 0x2c).prefix(baggageLimit).compactMap { member in
      let key = member.prefix { $0 != 0x3d && $0 != 0x3b }
      let text = String(decoding: key.prefix(64), as: UTF8.self).filter { !$0.isWhitespace }
      return text.isEmpty ? nil : text
    }
  }
}
