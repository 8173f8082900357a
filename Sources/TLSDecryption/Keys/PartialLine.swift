// The begin of a key log's line whose end has not been written yet.
// In: pieces. Out: the line so far. Owner: the key log, one for each file. Bounds: `limit` bytes.

/// An unfinished line of a growing file.
struct PartialLine: Sendable {
  /// The longest line that is read, in bytes; the longest meaningful one has about 200.
  static let limit = 1024

  /// What came so far; empty once the line is too long.
  private(set) var bytes: [UInt8] = []
  /// More than `limit` bytes came, and none are kept.
  private(set) var tooLong = false

  mutating func append(_ piece: UnsafeRawBufferPointer) {
    guard !tooLong, bytes.count + piece.count <= Self.limit else {
      bytes = []
      tooLong = true
      return
    }
    bytes.append(contentsOf: piece)
  }
}
