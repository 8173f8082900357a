// A body for a person: content codings undone, JSON set out, forms as a list, protobuf by its wire types, bytes in
// hexadecimal. In: a message's body and fields. Out: lines. Owner: a pure function. Bounds: 1 MiB of text, 64 messages.

import ContentCoding
import ContentTree
import HTTPModel
import MessageFraming

struct BodyText {
  var palette: Palette
  /// As it was sent, but for what a terminal must not obey.
  var isRaw = false
  /// What names the fields of gRPC messages, and the path of the call.
  var types: MessageTypes?
  var call: ArraySlice<UInt8> = []
  private static let limit = 1 << 20

  /// - Parameters:
  ///   - messages: of a gRPC call; those of this body's direction are printed one by one.
  func text(
    _ body: HTTPBody, _ fields: HeaderFields, messages: StreamMessages? = nil,
    direction: StreamMessage.Direction = .request
  ) -> String {
    guard body.size > 0 else { return "" }
    var text = "\n"
    var content = body.bytes
    if !isRaw {
      let codings = ContentCoding.names(in: fields.indices(of: "content-encoding").map { fields.value(at: $0) })
      if !codings.isEmpty {
        do {
          content = try ContentCoding.decode(body.bytes, codings: codings, limit: 64 << 20)
          text += palette.faint("(\(codings.joined(separator: ", ")): \(counted(content.count, "byte")))") + "\n"
        } catch { text += palette.faint("(\(error))") + "\n" }
      }
    }
    if let messages, !isRaw, messages.protocol != .webSocket {
      text += calls(messages, direction, body, coding: fields.grpcEncoding)
    } else {
      text += lines(content, mediaType: mediaType(fields))
    }
    if body.bytes.count < body.size { text += "(\(grouped(body.size - UInt64(body.bytes.count))) bytes not kept)\n" }
    for range in body.missing {
      let length = range.upperBound == .max ? "the rest" : counted(range.upperBound &- range.lowerBound, "byte")
      text += "(never captured: \(length) from byte \(grouped(range.lowerBound)))\n"
    }
    return text
  }

  private func mediaType(_ fields: HeaderFields) -> String {
    String(decoding: fields.first("content-type")?.prefix { $0 != 0x3b && $0 != 0x20 } ?? [], as: UTF8.self)
      .lowercased()
  }

  private func lines(_ content: [UInt8], mediaType: String) -> String {
    if !isRaw {
      if mediaType.hasSuffix("json") || content.first == 0x7b || content.first == 0x5b, content.count <= 16 << 20,
        let document = try? JSONDocument(content)
      {
        return coloured(document.prettyText(of: document.root, limit: Self.limit)) + "\n"
      }
      if mediaType == "application/x-www-form-urlencoded", let fields = FormField.read(content, limit: 1000) {
        return fields.map { field in
          let value = visibleLine(String(decoding: field.value, as: UTF8.self))
          return "\(palette.name(visibleLine(String(decoding: field.name, as: UTF8.self)))) = \(value)\n"
        }.joined()
      }
      if ["application/protobuf", "application/x-protobuf", "application/x-google-protobuf"].contains(mediaType) {
        return visibleLines(ProtobufMessage(content).text(limit: Self.limit))
      }
    }
    let start = content.prefix(Self.limit)
    if let text = String(validating: start, as: UTF8.self) ?? String(validating: start.dropLast(3), as: UTF8.self),
      !text.unicodeScalars.contains("\0")
    {
      return visibleLines(text)
        + (content.count > start.count ? "(\(grouped(content.count - start.count)) bytes more)\n" : "")
    }
    return isRaw ? "(\(counted(content.count, "byte")), not text)\n" : hexadecimal(content)
  }

  private func calls(
    _ messages: StreamMessages, _ direction: StreamMessage.Direction, _ body: HTTPBody, coding: String?
  ) -> String {
    var text = ""
    let mine = messages.messages.filter { $0.direction == direction }
    for message in mine.prefix(64) {
      guard message.kind == .grpc else { continue }
      let content = messages.content(of: message, in: body, coding: coding)
      var facts = counted(message.length, "byte")
      if message.flags.contains(.stillCompressed) {
        facts += " in \(visibleLine(coding ?? "no coding that is named"))"
        if let content { facts += ", \(counted(content.count, "byte")) without" }
      }
      text += palette.faint("(message, \(facts))") + "\n"
      guard let content else { continue }
      if let json = types?.json(content, direction, of: call), let document = try? JSONDocument(json) {
        text += coloured(document.prettyText(of: document.root, limit: Self.limit)) + "\n"
      } else {
        text += visibleLines(ProtobufMessage(content).text(limit: Self.limit))
      }
    }
    return mine.count > 64 ? text + "(\(grouped(mine.count - 64)) messages more)\n" : text
  }

  private func visibleLines(_ text: String) -> String {
    let parts = text.split(separator: "\n", omittingEmptySubsequences: false)
    return (parts.last == "" ? parts.dropLast() : parts[...]).map { visibleLine(String($0)) + "\n" }.joined()
  }

  /// The first 256 bytes, 16 a line, with their text.
  private func hexadecimal(_ content: [UInt8]) -> String {
    var text = ""
    for start in stride(from: 0, to: min(256, content.count), by: 16) {
      let row = content[start..<min(start + 16, content.count, 256)]
      let digits = row.map { hex([$0]) }.joined(separator: " ")
      let characters = row.map { $0 >= 0x20 && $0 < 0x7f ? String(UnicodeScalar($0)) : "." }.joined()
      text +=
        "\(hex([UInt8(start >> 8), UInt8(start & 255)]))  \(digits.padded(to: 47))  \(palette.faint(characters))\n"
    }
    return content.count > 256 ? text + "(\(grouped(content.count - 256)) bytes more)\n" : text
  }

  /// Names, strings and words of JSON that is set out in lines.
  private func coloured(_ json: String) -> String {
    let json = json.split(separator: "\n", omittingEmptySubsequences: false).map { visibleLine(String($0)) }
    guard palette.isOn else { return json.joined(separator: "\n") }
    return json.map { line in
      var result = ""
      var rest = line[...]
      while let quote = rest.firstIndex(of: "\"") {
        result += rest[..<quote]
        var end = rest.index(after: quote)
        while end < rest.endIndex, rest[end] != "\"" {
          end = rest.index(end, offsetBy: rest[end] == "\\" ? 2 : 1, limitedBy: rest.endIndex) ?? rest.endIndex
        }
        end = end < rest.endIndex ? rest.index(after: end) : end
        let string = String(rest[quote..<end])
        rest = rest[end...]
        result += rest.hasPrefix(":") ? palette.name(string) : palette.good(string)
      }
      return result + rest
    }.joined(separator: "\n")
  }
}
