// JSON lines, as `show --format jsonl --body inline` prints them, to exchanges.
//
// In: the file's bytes. Out: an exchange a line. Owner: one conversion. Bounds: one line, at most `lineLimit` bytes.

import ContentTree
import HTTPModel

/// Reads one exchange a line.
public struct JSONLineReader: ExchangeReading {
  public private(set) var notes = ConversionNotes()
  private let bodyLimit: Int
  private let lineLimit = 1 << 30
  private var buffer: [UInt8] = []
  private var ready: [Exchange] = []
  private var given = 0
  private var line: UInt64 = 0
  /// Of the line that is being read.
  private var offset: UInt64 = 0
  private var isTooLong = false

  /// - Parameter bodyLimit: bytes kept of a body; the rest is counted and hashed.
  public init(bodyLimit: Int = 10_000_000) { self.bodyLimit = bodyLimit }

  public mutating func receive(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes[...]
    while let end = rest.firstIndex(of: 0x0a) {
      append(UnsafeRawBufferPointer(rebasing: rest[..<end]))
      endLine()
      offset &+= 1
      rest = rest[(end + 1)...]
    }
    append(UnsafeRawBufferPointer(rebasing: rest))
  }

  public mutating func finish() { if !buffer.isEmpty { endLine() } }

  public mutating func next() -> ImportedRecord? {
    guard given < ready.count else {
      ready.removeAll(keepingCapacity: true)
      given = 0
      return nil
    }
    defer { given += 1 }
    return .exchange(ready[given])
  }

  private mutating func append(_ part: UnsafeRawBufferPointer) {
    if buffer.count + part.count > lineLimit { isTooLong = true }
    if !isTooLong { buffer.append(contentsOf: part) }
  }

  private mutating func endLine() {
    line += 1
    defer {
      offset &+= UInt64(buffer.count)
      buffer.removeAll(keepingCapacity: buffer.capacity < 1 << 20)
      isTooLong = false
    }
    func leaveOut(_ problem: String, at place: Int = 0) {
      notes.add(.entriesDamaged)
      notes.add(ConversionNotes.Damage(line: line, offset: offset + UInt64(place), problem: problem))
    }
    if isTooLong { return leaveOut("a line that is larger than this program takes") }
    if buffer.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }) { return }
    do throws(JSONError) {
      let document = try JSONDocument(buffer, limits: JSONLimits(size: lineLimit))
      var parsing = ExchangeLine(JSONValue(document, document.root), bodyLimit: bodyLimit)
      guard let exchange = parsing.exchange() else { return leaveOut("the line is no exchange as umbra prints them") }
      notes.add(parsing.notes)
      ready.append(exchange)
    } catch { leaveOut(error.reason.rawValue, at: error.offset) }
  }
}
