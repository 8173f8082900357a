// What a media type says of a body's text. In: the value of Content-Type. Out: its charset. Bounds: linear.

enum MediaTypeText {
  /// The charset parameter in lower case; nil where there is none.
  static func charset(of mediaType: String?) -> String? {
    guard let mediaType else { return nil }
    for parameter in mediaType.split(separator: ";").dropFirst() {
      let pair = parameter.split(separator: "=", maxSplits: 1)
      guard pair.count == 2, pair[0].trimmingBlanks.lowercased() == "charset" else { continue }
      return pair[1].trimmingBlanks.filter { $0 != "\"" }.lowercased()
    }
    return nil
  }
}

extension StringProtocol {
  var trimmingBlanks: String {
    let start = drop { $0 == " " || $0 == "\t" }
    return String(start.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
  }

  /// `[::1]` as `::1`.
  var trimmingBrackets: String { hasPrefix("[") && hasSuffix("]") ? String(dropFirst().dropLast()) : String(self) }
}
