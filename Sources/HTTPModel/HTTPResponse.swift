// A final response: one word that refers to its contents, so that handing it on copies and counts one thing.

/// A final response as it was sent. A value: a change to one copy is seen in no other.
public struct HTTPResponse: Hashable, Sendable {
  @usableFromInline
  struct Contents: Hashable, Sendable {
    @usableFromInline var version: HTTPVersion
    @usableFromInline var status: UInt16
    @usableFromInline var reasonRange: Range<UInt32>
    @usableFromInline var fields: HeaderFields
    @usableFromInline var trailers: HeaderFields
    @usableFromInline var informational: [InformationalResponse]
    @usableFromInline var body: HTTPBody
    @usableFromInline var timing: MessageTiming

    @inlinable
    init(
      version: HTTPVersion, status: UInt16, reasonRange: Range<UInt32>, fields: HeaderFields, trailers: HeaderFields,
      informational: [InformationalResponse], body: HTTPBody, timing: MessageTiming
    ) {
      self.version = version
      self.status = status
      self.reasonRange = reasonRange
      self.fields = fields
      self.trailers = trailers
      self.informational = informational
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
    version: HTTPVersion, status: UInt16, reasonRange: Range<UInt32>, fields: HeaderFields,
    trailers: HeaderFields = HeaderFields(), informational: [InformationalResponse] = [], body: HTTPBody = HTTPBody(),
    timing: MessageTiming
  ) {
    storage = Storage(
      Contents(
        version: version, status: status, reasonRange: reasonRange, fields: fields, trailers: trailers,
        informational: informational, body: body, timing: timing))
  }

  /// As its start line says, or its connection.
  @inlinable public var version: HTTPVersion {
    get { storage.contents.version }
    set {
      makeUnique()
      storage.contents.version = newValue
    }
  }

  /// As sent; 0 ... 999.
  @inlinable public var status: UInt16 {
    get { storage.contents.status }
    set {
      makeUnique()
      storage.contents.status = newValue
    }
  }

  /// Into `fields.storage`; empty in HTTP/2.
  @inlinable public var reasonRange: Range<UInt32> {
    get { storage.contents.reasonRange }
    set {
      makeUnique()
      storage.contents.reasonRange = newValue
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

  /// Interim responses that came before it.
  @inlinable public var informational: [InformationalResponse] {
    _read { yield storage.contents.informational }
    _modify {
      makeUnique()
      yield &storage.contents.informational
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

  /// As sent; empty in HTTP/2.
  @inlinable public var reason: ArraySlice<UInt8> {
    fields.storage[Int(reasonRange.lowerBound)..<Int(reasonRange.upperBound)]
  }

  /// Makes it another message with an empty body, in the memory of this one where nothing else refers to it and it is
  /// not unusually large. ``fields`` are to be replaced: they may still be those of before.
  @inlinable
  public mutating func reuse(
    version: HTTPVersion, status: UInt16, reasonRange: Range<UInt32>, framing: BodyFraming, timing: MessageTiming
  ) {
    guard isKnownUniquelyReferenced(&storage) else {
      self = HTTPResponse(
        version: version, status: status, reasonRange: reasonRange, fields: HeaderFields(),
        body: HTTPBody(framing: framing), timing: timing)
      return
    }
    storage.contents.version = version
    storage.contents.status = status
    storage.contents.reasonRange = reasonRange
    storage.contents.timing = timing
    storage.contents.fields.shed()
    if !storage.contents.trailers.storage.isEmpty { storage.contents.trailers = HeaderFields() }
    if !storage.contents.informational.isEmpty { storage.contents.informational = [] }
    storage.contents.body.reuse(framing: framing)
  }

  public static func == (a: HTTPResponse, b: HTTPResponse) -> Bool {
    a.storage === b.storage || a.storage.contents == b.storage.contents
  }

  public func hash(into hasher: inout Hasher) { storage.contents.hash(into: &hasher) }
}
