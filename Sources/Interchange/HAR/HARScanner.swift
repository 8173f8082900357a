// A HAR file cut into entries without holding more than one of them.
//
// In: the file's bytes. Out: the text of each element of `log.entries`, with its place. Only strings and brackets are
// looked at; what an entry holds is read by who takes it. Owner: one reader. Bounds: `entryLimit` bytes of one entry are
// held; what is larger is passed over.

import ContentTree

struct HARScanner {
  struct Entry {
    var text: [UInt8]
    /// From 1.
    var line: UInt64
    var offset: UInt64
    /// It was larger than the limit: `text` is a part of it.
    var isCut = false
    /// The file ended in it.
    var isUnfinished = false
  }

  private enum Level { case outside, top, log, entries }

  private let entryLimit: Int
  private var level = Level.outside
  /// Containers open around the present byte.
  private var depth = 0
  private var isInString = false
  private var isEscaped = false
  /// The string that was read last at a level where names count, and whether it is a name.
  private var name: [UInt8] = []
  private var keepsName = false
  private var isAfterColon = false
  private var entry: Entry?
  private var ready: [Entry] = []
  private(set) var offset: UInt64 = 0
  private(set) var line: UInt64 = 1
  /// `log.entries` was found.
  private(set) var hasEntries = false
  /// Something of the file's bytes is no HAR.
  private(set) var problem: ConversionNotes.Damage?
  /// The outermost value has ended.
  private var isOver = false

  init(entryLimit: Int = 256 << 20) { self.entryLimit = entryLimit }

  mutating func receive(_ bytes: UnsafeRawBufferPointer) {
    var index = 0
    while index < bytes.count, problem == nil, !isOver {
      // A long string within an entry is by far the most of a file.
      if isInString, entry != nil, !isEscaped {
        let from = index
        while index < bytes.count, bytes[index] != UInt8(ascii: "\""), bytes[index] != UInt8(ascii: "\\") { index += 1 }
        keep(UnsafeRawBufferPointer(rebasing: bytes[from..<index]))
        offset &+= UInt64(index - from)
        if index == bytes.count { break }
      }
      take(bytes[index])
      offset &+= 1
      index += 1
    }
  }

  mutating func finish() {
    if var entry {
      entry.isUnfinished = true
      ready.append(entry)
      self.entry = nil
    }
    if problem == nil, !isOver {
      let reason = depth == 0 ? "there is no HAR in it" : "the file ends before the HAR does"
      problem = ConversionNotes.Damage(line: line, offset: offset, problem: reason)
    } else if problem == nil, !hasEntries {
      problem = ConversionNotes.Damage(line: line, offset: offset, problem: "it holds no log.entries: no HAR")
    }
  }

  mutating func next() -> Entry? { ready.isEmpty ? nil : ready.removeFirst() }

  private mutating func keep(_ part: UnsafeRawBufferPointer) {
    guard !entry!.isCut else { return }
    if entry!.text.count + part.count > entryLimit {
      entry!.isCut = true
      entry!.text = []
    } else {
      entry!.text.append(contentsOf: part)
    }
  }

  private mutating func take(_ byte: UInt8) {
    if byte == 0x0a { line &+= 1 }
    if isInString {
      if entry != nil {
        withUnsafeBytes(of: byte) { keep($0) }
      } else if keepsName, name.count < 64 {
        name.append(byte)
      }
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "\"") {
        isInString = false
        if entry == nil, keepsName { name.removeLast() }
      }
      return
    }
    switch byte {
    case UInt8(ascii: "\""):
      isInString = true
      keepsName = entry == nil && (level == .top && depth == 1 || level == .log && depth == 2) && !isAfterColon
      if keepsName { name = [] }
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      open(byte)
      return
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      if entry != nil { withUnsafeBytes(of: byte) { keep($0) } }
      close()
      return
    case UInt8(ascii: ":"): isAfterColon = true
    case UInt8(ascii: ","): isAfterColon = false
    case 0x20, 0x09, 0x0a, 0x0d: break
    case 0xef, 0xbb, 0xbf: if level == .outside { return }
    default:
      if level == .outside {
        problem = ConversionNotes.Damage(line: line, offset: offset, problem: "this is no JSON")
        return
      }
    }
    if entry != nil { withUnsafeBytes(of: byte) { keep($0) } }
  }

  private mutating func open(_ byte: UInt8) {
    depth += 1
    let isObject = byte == UInt8(ascii: "{")
    switch level {
    case .outside where isObject: level = .top
    case .outside: problem = ConversionNotes.Damage(line: line, offset: offset, problem: "an array: no HAR")
    case .top where depth == 2 && isObject && isAfterColon && name.elementsEqual("log".utf8): level = .log
    case .log where depth == 3 && !isObject && isAfterColon && name.elementsEqual("entries".utf8):
      level = .entries
      hasEntries = true
    case .entries where depth == 4: entry = Entry(text: [], line: line, offset: offset)
    default: break
    }
    isAfterColon = false
    if entry != nil { withUnsafeBytes(of: byte) { keep($0) } }
  }

  private mutating func close() {
    depth -= 1
    isAfterColon = false
    switch (level, depth) {
    case (.entries, 3):
      if let entry { ready.append(entry) }
      entry = nil
    case (.entries, 2): level = .log
    case (.log, 1): level = .top
    case (_, ...0): isOver = true
    default: break
    }
  }
}
