// What every `{{name}}` of the page's templates goes through.

import Mustache

/// Escapes text for HTML, in elements and in quoted attributes alike.
///
/// Mustache's own escaping looks at whole grapheme clusters, so that a quote with a combining mark after it passes
/// unescaped and ends an attribute; this one looks at scalars, and shows control and bidirectional characters.
struct MarkupEscaping: MustacheContentType {
  /// The name of this content type in a template's first line.
  static let name = "VISIBLE-MARKUP"

  func escapeText(_ text: String) -> String {
    let shown = visible(text, keepsLines: true)
    guard shown.utf8.contains(where: { MarkupEscaping.entity($0) != nil }) else { return shown }
    var escaped: [UInt8] = []
    escaped.reserveCapacity(shown.utf8.count + 32)
    for byte in shown.utf8 {
      if let entity = MarkupEscaping.entity(byte) {
        escaped.append(contentsOf: entity.utf8)
      } else {
        escaped.append(byte)
      }
    }
    return String(decoding: escaped, as: UTF8.self)
  }

  private static func entity(_ byte: UInt8) -> String? {
    switch byte {
    case 0x26: "&amp;"
    case 0x3c: "&lt;"
    case 0x3e: "&gt;"
    case 0x22: "&quot;"
    case 0x27: "&#39;"
    default: nil
    }
  }
}
