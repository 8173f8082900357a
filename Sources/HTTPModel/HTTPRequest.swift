// A request: one word that refers to its contents, so that handing it on copies and counts one thing.

/// A request as it was sent.
///
/// `fields.storage` of an HTTP/1 request is the head as on the wire; method and target are ranges into it. Of HTTP/2's
/// pseudo-header fields `:scheme`, `:authority` and `:protocol` stand first among the fields, as far as sent. A value: a
/// change to one copy is seen in no other.
public struct HTTPRequest: Hashable, Sendable {
  @usableFromInline
  struct Contents: Hashable, Sendable {
    @usableFromInline var version: HTTPVersion
    @usableFromInline var methodRange: Range<UInt32>
    @usableFromInline var targetRange: Range<UInt32>
    @usableFromInline var fields: HeaderFields
    @usableFromInline var trailers: HeaderFields
    @usableFromInline var body: HTTPBody
    @usableFromInline var timing: MessageTiming

    @inlinable
    init(
      version: HTTPVersion, methodRange: Range<UInt32>, targetRange: Range<UInt32>, fields: HeaderFields,
      trailers: HeaderFields, body: HTTPBody, timing: MessageTiming
    ) {
      self.version = version
      self.methodRange = methodRange
      self.targetRange = targetRange
      self.fields = fields
      self.trailers = trailers
      self.body = body
      self.timing = timing
    }
  }

  /// `@unchecked Sendable`: written only through a message that alone refers to it. That is also why its accesses need
  /// no check: who may write the message has exclusive access to it.
  @usableFromInline
  final class Storage: @unchecked Sendable {
    @exclusivity(unchecked) @usableFromInline var contents: Contents
    @inlinable init(_ contents: Contents) { self.contents = contents }
  }

  @usableFromInline var storage: Storage

  @inlinable
  mutating func makeUnique() {
    if !isKnownUniquelyReferenced(&storage) { copyStorage() }
  }

  @usableFromInline
  @inline(never)
  mutating func copyStorage() { storage = Storage(storage.contents) }

  @inlinable
  public init(
    version: HTTPVersion, methodRange: Range<UInt32>, targetRange: Range<UInt32>, fields: HeaderFields,
    trailers: HeaderFields = HeaderFields(), body: HTTPBody = HTTPBody(), timing: MessageTiming
  ) {
    storage = Storage(
      Contents(
        version: version, methodRange: methodRange, targetRange: targetRange, fields: fields, trailers: trailers,
        body: body, timing: timing))
  }

  /// As its start line says, or its connection.
  @inlinable public var version: HTTPVersion {
    get { storage.contents.version }
    set {
      makeUnique()
      storage.contents.version = newValue
    }
  }

  /// Into `fields.storage`, as ``targetRange``.
  @inlinable public var methodRange: Range<UInt32> {
    get { storage.contents.methodRange }
    set {
      makeUnique()
      storage.contents.methodRange = newValue
    }
  }

  /// Into `fields.storage`.
  @inlinable public var targetRange: Range<UInt32> {
    get { storage.contents.targetRange }
    set {
      makeUnique()
      storage.contents.targetRange = newValue
    }
  }

  /// In order and spelling as sent; the storage is the head.
  @inlinable public var fields: HeaderFields {
    _read { yield storage.contents.fields }
    _modify {
      makeUnique()
      yield &storage.contents.fields
    }
  }

  /// Fields behind the body; mostly none.
  @inlinable public var trailers: HeaderFields {
    _read { yield storage.contents.trailers }
    _modify {
      makeUnique()
      yield &storage.contents.trailers
    }
  }

  /// After transfer coding and before content coding.
  @inlinable public var body: HTTPBody {
    _read { yield storage.contents.body }
    _modify {
      makeUnique()
      yield &storage.contents.body
    }
  }

  /// When its bytes were seen.
  @inlinable public var timing: MessageTiming {
    _read { yield storage.contents.timing }
    _modify {
      makeUnique()
      yield &storage.contents.timing
    }
  }

  /// As sent; methods are case-sensitive.
  @inlinable public var method: ArraySlice<UInt8> {
    fields.storage[Int(methodRange.lowerBound)..<Int(methodRange.upperBound)]
  }

  /// The request target as sent: origin, absolute, authority or asterisk form (RFC 9112, 3.2).
  @inlinable public var target: ArraySlice<UInt8> {
    fields.storage[Int(targetRange.lowerBound)..<Int(targetRange.upperBound)]
  }

  /// The authority of an absolute-form or authority-form target, else the Host field; nil where there is none.
  public var authority: ArraySlice<UInt8>? {
    let target = self.target
    if method.elementsEqual("CONNECT".utf8) { return target }
    if target.first != 0x2f, let scheme = target.firstIndex(of: 0x3a), target[scheme...].starts(with: "://".utf8) {
      let rest = target[(scheme + 3)...]
      return rest.prefix { $0 != 0x2f && $0 != 0x3f && $0 != 0x23 }
    }
    return (version == .http2 ? fields.first(":authority") : nil) ?? fields.first("host")
  }

  /// What HTTP/2 names as `:scheme`; nil where nothing was named.
  public var scheme: ArraySlice<UInt8>? { version == .http2 ? fields.first(":scheme") : nil }

  /// Safe by definition (RFC 9110, 9.2.1).
  public var isSafe: Bool { hasMethod("GET") || hasMethod("HEAD") || hasMethod("OPTIONS") || hasMethod("TRACE") }

  /// Whether it has this method; methods are case-sensitive (RFC 9110, 9.1).
  @inlinable
  public func hasMethod(_ name: StaticString) -> Bool {
    guard methodRange.count == name.utf8CodeUnitCount else { return false }
    return storage.contents.fields.storage.withUnsafeBufferPointer { bytes in
      let method = bytes[Int(methodRange.lowerBound)..<Int(methodRange.upperBound)]
      return method.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }
  }

  /// Makes it another message with an empty body, in the memory of this one where nothing else refers to it and it is
  /// not unusually large. ``fields`` are to be replaced: they may still be those of before.
  @inlinable
  public mutating func reuse(
    version: HTTPVersion, methodRange: Range<UInt32>, targetRange: Range<UInt32>, framing: BodyFraming,
    timing: MessageTiming
  ) {
    guard isKnownUniquelyReferenced(&storage) else {
      self = HTTPRequest(
        version: version, methodRange: methodRange, targetRange: targetRange, fields: HeaderFields(),
        body: HTTPBody(framing: framing), timing: timing)
      return
    }
    storage.contents.version = version
    storage.contents.methodRange = methodRange
    storage.contents.targetRange = targetRange
    storage.contents.timing = timing
    storage.contents.fields.shed()
    if !storage.contents.trailers.storage.isEmpty { storage.contents.trailers = HeaderFields() }
    storage.contents.body.reuse(framing: framing)
  }

  public static func == (a: HTTPRequest, b: HTTPRequest) -> Bool {
    a.storage === b.storage || a.storage.contents == b.storage.contents
  }

  public func hash(into hasher: inout Hasher) { storage.contents.hash(into: &hasher) }
}
