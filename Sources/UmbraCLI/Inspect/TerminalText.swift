// Text off the wire made safe for a terminal, and colours. In: text. Out: text. Owner: pure functions.

import Glibc

/// Text off the wire for a terminal: control characters are shown, never obeyed.
func visibleLine(_ text: String) -> String {
  if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator:
      result += scalar == "\t" ? "  " : "\\u{\(String(scalar.value, radix: 16))}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}

/// At most `width` characters, an ellipsis in the place of what is left out.
func shortened(_ text: String, to width: Int) -> String {
  text.count <= width ? text : text.prefix(width - 1) + "…"
}

/// Escape sequences, or nothing where colour is not wanted (https://no-color.org).
struct Palette {
  var isOn: Bool

  func strong(_ text: String) -> String { wrap(text, "1") }
  func faint(_ text: String) -> String { wrap(text, "2") }
  func bad(_ text: String) -> String { wrap(text, "31") }
  func good(_ text: String) -> String { wrap(text, "32") }
  func warning(_ text: String) -> String { wrap(text, "33") }
  func name(_ text: String) -> String { wrap(text, "36") }

  func status(_ text: String, _ status: UInt16?) -> String {
    guard let status, status >= 400 else { return text }
    return status < 500 ? warning(text) : bad(text)
  }

  private func wrap(_ text: String, _ code: String) -> String { isOn ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text }
}

/// Columns of the terminal that standard output is; nil where it is none.
var terminalWidth: Int? {
  var size = winsize()
  guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 20 else {
    return nil
  }
  return Int(size.ws_col)
}
