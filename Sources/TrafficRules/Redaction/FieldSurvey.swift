// Which of a section's fields matter to redaction. In: fields. Out: their indices and what is hidden of them. Owner:
// values. Bounds: a glance at each name; most names are refused by their ends.

import HTTPModel

/// What one look at a message finds, or at a section of fields.
struct FieldSurvey {
  /// The first one whose value is looked at because of its name.
  var firstNotable: Int?
  var contentType: Int?
  var hasContentEncoding = false
  /// The body is that of a gRPC call.
  var isCall = false
  /// False where no field holds anything to hide, wherever it is looked for.
  var mayHoldSecret = false
  /// False where the body holds nothing to hide.
  var mayBodyHoldSecret = false

  /// What the body is that follows these fields.
  @inline(__always)
  func form(of content: UnsafeBufferPointer<UInt8>, _ fields: borrowing HeaderFields) -> TextForm {
    guard let contentType else { return TextForm(contentType: nil, content) }
    let range = fields.ranges[contentType]
    return fields.storage.withUnsafeBufferPointer { storage in
      let type = UnsafeBufferPointer(rebasing: storage[Int(range.valueStart)..<Int(range.valueEnd)])
      return TextForm(contentType: type, content)
    }
  }
}

/// What of a field's value is hidden.
enum FieldKind { case authorization, cookie, setCookie, address, secret }

/// A field's name, borrowed from the section that it stands in; never empty.
struct FieldName {
  let bytes: UnsafeBufferPointer<UInt8>

  @inline(__always)
  init?(_ range: FieldRange, _ storage: UnsafeBufferPointer<UInt8>) {
    guard range.nameStart < range.nameEnd, Int(range.nameEnd) <= storage.count else { return nil }
    bytes = UnsafeBufferPointer(rebasing: storage[Int(range.nameStart)..<Int(range.nameEnd)])
  }

  /// Whether it may begin with `content-`; it has eight octets and more.
  @inline(__always)
  fileprivate var isContent: Bool {
    let start = UnsafeRawPointer(bytes.baseAddress!).loadUnaligned(as: UInt64.self)
    return UInt64(littleEndian: start) | 0x2020_2020_2020_2020 == 0x2d74_6e65_746e_6f63
  }

  /// - Parameter name: of as many octets, in lower case.
  fileprivate func isEqual(_ name: StaticString) -> Bool {
    for index in 0..<name.utf8CodeUnitCount where bytes[index] | 0x20 != name.utf8Start[index] { return false }
    return true
  }
}

extension SecretCatalog {
  @inline(__always)
  func survey(_ fields: borrowing HeaderFields) -> FieldSurvey {
    var survey = FieldSurvey()
    fields.storage.withUnsafeBufferPointer { storage in
      fields.ranges.withUnsafeBufferPointer { ranges in
        for index in 0..<ranges.count {
          guard let name = FieldName(ranges[index], storage) else { continue }
          if name.bytes.count == 12, survey.contentType == nil, name.isContent, name.isEqual("content-type") {
            survey.contentType = index
            survey.isCall = Redactor.isCall(ranges[index], storage)
          } else if name.bytes.count == 16, name.isContent, name.isEqual("content-encoding") {
            survey.hasContentEncoding = true
          }
          if survey.firstNotable == nil, notable.mayContain(name.bytes), kind(of: name) != nil {
            survey.firstNotable = index
          }
        }
      }
    }
    survey.mayHoldSecret = survey.firstNotable != nil || !values.isEmpty || !kinds.isEmpty
    return survey
  }

  @inline(__always)
  func survey(_ fields: borrowing HeaderFields, _ body: borrowing [UInt8]) -> FieldSurvey {
    var survey = survey(fields)
    guard !body.isEmpty else { return survey }
    // Messages of calls are looked into by what describes them.
    survey.mayBodyHoldSecret =
      survey.hasContentEncoding || survey.isCall
      || body.withUnsafeBufferPointer { mayHoldSecret($0, survey.form(of: $0, fields)) }
    return survey
  }

  /// By the name's length first, since nearly every field is none of these.
  func kind(of name: FieldName) -> FieldKind? {
    switch name.bytes.count {
    case 6 where name.isEqual("cookie"): .cookie
    case 10 where name.isEqual("set-cookie"): .setCookie
    case 13 where name.isEqual("authorization"), 19 where name.isEqual("proxy-authorization"):
      hasDefaults || headers.contains(name.bytes) ? .authorization : nil
    case 7 where name.isEqual("referer"), 8 where name.isEqual("location"), 16 where name.isEqual("content-location"),
      4 where name.isEqual("link"),
      7 where name.isEqual("refresh"):
      headers.contains(name.bytes) ? .secret : .address
    default: headers.contains(name.bytes) ? .secret : nil
    }
  }
}
