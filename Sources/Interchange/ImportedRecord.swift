public import HTTPModel

/// What a reader of another format tells.
public enum ImportedRecord: Sendable {
  /// A whole exchange, or all that there will be of it.
  case exchange(Exchange)
  /// A request whose response did not come while it could be held.
  case request(Exchange)
  /// The response that came later. Its exchange has no request; the identifier is that of the request's.
  case response(Exchange, requestStart: Timestamp)
}

/// Reads a format piece by piece: bytes go in, records come out.
///
/// Hand in some bytes, take records until nil, and so on; then ``finish()`` and take the rest. Damage is passed over
/// and stands in ``notes``.
public protocol ExchangeReading {
  /// Takes the next bytes of the file; borrowed until return.
  mutating func receive(_ bytes: UnsafeRawBufferPointer)
  /// The file has ended.
  mutating func finish()
  /// The next record; nil where more bytes are needed.
  mutating func next() -> ImportedRecord?
  var notes: ConversionNotes { get }
}

/// Writes a format piece by piece.
///
/// Call ``begin(into:)``, ``append(_:attempts:into:)`` for each exchange in order of request start, ``end(into:)``.
public protocol ExchangeWriting {
  mutating func begin(into bytes: inout [UInt8])
  /// - Parameter attempts: what came of sending it again; empty for a session.
  mutating func append(_ exchange: Exchange, attempts: [Attempt], into bytes: inout [UInt8])
  mutating func end(into bytes: inout [UInt8])
  var notes: ConversionNotes { get }
}

extension ExchangeWriting {
  public mutating func begin(into bytes: inout [UInt8]) {}
  public mutating func end(into bytes: inout [UInt8]) {}
}
