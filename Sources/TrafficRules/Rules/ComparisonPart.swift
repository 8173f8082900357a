// What a run keeps of the rules that it was made under, so that it can be compared again by them. In: a rules file. Out:
// its sections `redact`, `compare` and `endpoints`, and no other, as a rules file. Bounds: those of a rules file.

/// A rules file without what concerns sending, which may hold credentials.
public enum ComparisonPart {
  /// - Returns: aliases and merged keys written out, in one line; nil where there is nothing of the kind.
  public static func text(of bytes: [UInt8], file: String) -> String? {
    guard let root = try? YAMLReader.read(bytes, file: file, limits: YAMLLimits()),
      case .mapping(let members) = root.content
    else { return nil }
    let kept = members.filter { ["redact", "compare", "endpoints"].contains($0.name) }
    guard !kept.isEmpty, kept.allSatisfy({ $0.value.weight < nodeLimit }) else { return nil }
    var text = #"{"version": 1"#
    for member in kept {
      text += ", \(quoted(member.name)): "
      write(member.value, to: &text)
    }
    return text + "}"
  }

  /// Nodes of a section, aliases written out.
  private static let nodeLimit = 200_000

  private static func write(_ node: YAMLNode, to text: inout String) {
    switch node.content {
    case .scalar(let value, let isPlain):
      text += isPlain && ["", "~", "null"].contains(value) ? "~" : quoted(value)
    case .sequence(let items):
      text += "["
      for (index, item) in items.enumerated() {
        if index > 0 { text += ", " }
        write(item, to: &text)
      }
      text += "]"
    case .mapping(let members):
      text += "{"
      for (index, member) in members.enumerated() {
        text += (index > 0 ? ", " : "") + quoted(member.name) + ": "
        write(member.value, to: &text)
      }
      text += "}"
    }
  }

  /// A double-quoted scalar (YAML 1.1, 9.1.1).
  private static func quoted(_ value: String) -> String {
    var text = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"", "\\": text += "\\" + String(scalar)
      case _
      where scalar.value < 0x20 || scalar.value == 0x7f || (0x80..<0xa0).contains(scalar.value)
        || scalar.value == 0x2028 || scalar.value == 0x2029 || scalar.value == 0xfeff:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}
