// What a rule asks of a piece of text: exactly this, a glob, or a regular expression. Owner: a value of the rules.

/// `GET`, `/api/**` or `~^/v[12]/`.
public struct TextPattern: Hashable, Sendable, CustomStringConvertible {
  /// Which text: it says what `*` stops at and whether case counts.
  enum Subject {
    /// `*` is within one segment, `**` goes over any number; a trailing `/**` is also nothing.
    case path
    /// `*` is within one label; case does not count.
    case host
    /// `*` is anything.
    case text
    /// The same, and case does not count.
    case name
  }

  private enum Form: Sendable {
    case exact([UInt8], isCaseInsensitive: Bool)
    /// This, and whatever follows it behind a slash.
    case below([UInt8])
    case program(PatternProgram)
  }

  /// As it was written.
  public let description: String
  private let form: Form

  /// - Throws: what is wrong, at which byte of `text`.
  init(_ text: String, _ subject: Subject) throws(PatternError) {
    description = text
    if text.hasPrefix("~") {
      do throws(PatternError) {
        form = .program(try PatternSyntax.regularExpression(String(text.dropFirst())))
      } catch {
        throw PatternError(message: error.message, offset: error.offset + 1)
      }
      return
    }
    let folds = subject == .host || subject == .name
    let special: Set<Character> = ["*", "?", "\\"]
    if !text.contains(where: special.contains) {
      let bytes = Array(text.utf8)
      form = .exact(folds ? bytes.map(TextPattern.folded) : bytes, isCaseInsensitive: folds)
    } else if subject == .path, text.hasSuffix("/**"), !text.dropLast(3).contains(where: special.contains) {
      form = .below(Array(text.dropLast(3).utf8))
    } else {
      let separator: UInt8? = subject == .path ? UInt8(ascii: "/") : subject == .host ? UInt8(ascii: ".") : nil
      form = .program(try PatternSyntax.glob(text, separator: separator, isCaseInsensitive: folds))
    }
  }

  func matches(_ text: ArraySlice<UInt8>) -> Bool {
    switch form {
    case .exact(let wanted, false): wanted.count == text.count && text.elementsEqual(wanted)
    case .exact(let wanted, true): wanted.count == text.count && text.lazy.map(TextPattern.folded).elementsEqual(wanted)
    case .below(let prefix):
      text.starts(with: prefix) && (text.count == prefix.count || text[text.startIndex + prefix.count] == 0x2f)
    case .program(let program): program.matches(text)
    }
  }

  private static func folded(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte }

  public static func == (a: TextPattern, b: TextPattern) -> Bool { a.description == b.description }
  public func hash(into hasher: inout Hasher) { hasher.combine(description) }
}

/// A regular expression and what takes the place of what it matches: `$1` is its first group, `$0` all of it, `$$` a
/// dollar sign.
public struct TextReplacement: Sendable {
  public let pattern: String
  public let replacement: String
  private let program: PatternProgram
  private let pieces: [Piece]

  private enum Piece: Sendable {
    case text([UInt8])
    case group(Int)
  }

  /// - Throws: with the offset in `pattern`, or nil where the replacement is wrong.
  init(pattern: String, replacement: String) throws(PatternError) {
    self.pattern = pattern
    self.replacement = replacement
    program = try PatternSyntax.regularExpression(pattern)
    var pieces: [Piece] = []
    var (text, rest): ([UInt8], ArraySlice<UInt8>) = ([], Array(replacement.utf8)[...])
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "$") else {
        text.append(byte)
        continue
      }
      if rest.first == UInt8(ascii: "$") {
        rest.removeFirst()
        text.append(byte)
        continue
      }
      let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }.prefix(2)
      guard let number = Int(String(decoding: digits, as: UTF8.self)), number <= program.groupCount else {
        throw PatternError(
          message: "'replace' names a group after '$' that 'match' does not have; '$$' is a dollar sign", offset: -1)
      }
      pieces += [.text(text), .group(number)]
      text = []
      rest = rest.dropFirst(digits.count)
    }
    self.pieces = pieces + [.text(text)]
  }

  /// The text with its first match replaced; nil where nothing matches.
  public func applied(to text: some Collection<UInt8>) -> [UInt8]? {
    let bytes = Array(text)
    return bytes.withUnsafeBufferPointer { bytes -> [UInt8]? in
      guard let bounds = program.firstMatch(in: bytes) else { return nil }
      var result = Array(bytes[..<bounds[0]])
      for piece in pieces {
        switch piece {
        case .text(let text): result += text
        case .group(let number):
          let (start, end) = (bounds[number * 2], bounds[number * 2 + 1])
          if start >= 0, end >= start { result += bytes[start..<end] }
        }
      }
      return result + bytes[bounds[1]...]
    }
  }
}
