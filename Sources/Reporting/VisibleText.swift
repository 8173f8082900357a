// Text off the wire made safe to look at: what a terminal or a browser would obey instead of showing becomes `\u{…}`.

/// `text` with control, bidirectional and other invisible characters as escapes.
///
/// - Parameter keepsLines: line breaks and tabs stay as they are; else they are `\n` and `\t`.
func visible(_ text: some StringProtocol, keepsLines: Bool = false) -> String {
  if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return String(text) }
  var result = ""
  result.reserveCapacity(text.utf8.count + 16)
  for scalar in text.unicodeScalars {
    switch scalar.value {
    case 0x0a: result += keepsLines ? "\n" : "\\n"
    case 0x09: result += keepsLines ? "\t" : "\\t"
    case 0x0d: result += "\\r"
    default:
      if isInvisible(scalar) {
        result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
  }
  return result
}

/// Whether a character is obeyed, or leaves no trace, where it should be seen: C0 and C1 controls, bidirectional
/// controls, line separators, zero-width and tag characters. The joiners that scripts and emoji need are not.
func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x00...0x1f, 0x7f...0x9f, 0xad, 0x034f, 0x061c, 0x115f...0x1160, 0x17b4...0x17b5, 0x180e, 0x200b,
    0x200e...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0x3164, 0xfeff, 0xffa0, 0xfff9...0xfffb, 0x1d173...0x1d17a,
    0xe0000...0xe0fff:
    true
  default: false
  }
}

/// The columns that a terminal gives a character: 2 for wide East Asian ones and emoji, 0 for combining marks.
func columns(of scalar: Unicode.Scalar) -> Int {
  switch scalar.value {
  case 0x20...0x7e: return 1
  case 0x1100...0x115f, 0x231a...0x231b, 0x2329...0x232a, 0x23e9...0x23ec, 0x25fd...0x25fe, 0x2614...0x2615,
    0x2648...0x2653, 0x26a1, 0x26aa...0x26ab, 0x26bd...0x26be, 0x26c4...0x26c5, 0x26d4, 0x26ea, 0x26f2...0x26f3,
    0x26f5, 0x26fa, 0x26fd, 0x2705, 0x270a...0x270b, 0x2728, 0x274c, 0x274e, 0x2753...0x2755, 0x2757,
    0x2795...0x2797, 0x27b0, 0x27bf, 0x2b1b...0x2b1c, 0x2b50, 0x2b55, 0x2e80...0x303e, 0x3041...0xa4cf,
    0xa960...0xa97c, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6,
    0x16fe0...0x18cff, 0x1aff0...0x1b2ff, 0x1f004, 0x1f0cf, 0x1f18e, 0x1f191...0x1f320, 0x1f32d...0x1f64f,
    0x1f680...0x1f6ff, 0x1f7e0...0x1f7eb, 0x1f90c...0x1f9ff, 0x1fa70...0x1faff, 0x20000...0x3fffd:
    return 2
  default:
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: return 1
    }
  }
}

/// The columns that a terminal gives a line; a character of several scalars is as wide as its widest.
func columns(of text: some StringProtocol) -> Int {
  if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text.utf8.count }
  return text.reduce(0) { $0 + columns(of: $1) }
}

func columns(of character: Character) -> Int {
  // U+FE0F asks for the emoji form, which is wide.
  if character.unicodeScalars.contains("\u{fe0f}") { return 2 }
  return character.unicodeScalars.reduce(0) { max($0, columns(of: $1)) }
}
