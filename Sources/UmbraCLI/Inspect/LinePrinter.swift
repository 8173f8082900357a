// A line an exchange, in columns that the user chooses.

import ArgumentParser
import HTTPModel
import MessageFraming

/// A column of `umbra show`.
enum ShowColumn: String, CaseIterable {
  case id, date, time, method, status, size, latency, target, path, host, endpoint, client, server
  case proto = "protocol"
  case type, connection, anomalies, grpc
  case requestSize = "request.size"

  static let standard: [ShowColumn] = [.id, .time, .method, .status, .size, .latency, .target]

  /// Of numbers, which stand at the right edge, and of texts, which may be longer and are then cut.
  fileprivate var layout: (title: String, width: Int, isNumber: Bool) {
    switch self {
    case .id: ("ID", 10, false)
    case .date: ("DATE", 20, false)
    case .time: ("TIME", 13, false)
    case .method: ("METHOD", 7, false)
    case .status: ("STATUS", 6, true)
    case .size: ("SIZE", 9, true)
    case .requestSize: ("REQ.SIZE", 9, true)
    case .latency: ("LATENCY", 9, true)
    case .target: ("TARGET", 40, false)
    case .path: ("PATH", 30, false)
    case .host: ("HOST", 24, false)
    case .endpoint: ("ENDPOINT", 36, false)
    case .client: ("CLIENT", 21, false)
    case .server: ("SERVER", 21, false)
    case .proto: ("PROTOCOL", 8, false)
    case .type: ("TYPE", 24, false)
    case .connection: ("CONN", 6, true)
    case .anomalies: ("ANOMALIES", 30, false)
    case .grpc: ("GRPC", 5, true)
    }
  }

  fileprivate func text(_ exchange: Exchange, _ names: EndpointNames?) -> String {
    func text(_ bytes: (some Sequence<UInt8>)?) -> String {
      bytes.map { String(decoding: Array($0), as: UTF8.self) } ?? "-"
    }
    func size(_ body: HTTPBody?) -> String { body.map { ByteSize(bytes: Int(clamping: $0.size)).description } ?? "-" }
    let unseen = "(no request seen)"
    switch self {
    case .id: return "\(exchange.id)"
    // Of the RFC 3339 text.
    case .date: return "\(exchange.start)".prefix(19) + "Z"
    case .time: return String("\(exchange.start)".dropFirst(11).prefix(12))
    case .method: return text(exchange.request?.method)
    case .status: return exchange.response.map { "\($0.status)" } ?? "-"
    case .size: return size(exchange.response?.body)
    case .requestSize: return size(exchange.request?.body)
    case .latency: return exchange.latency.map(shortDuration) ?? "-"
    case .target: return exchange.request == nil ? unseen : text(exchange.request?.target)
    case .path: return exchange.request == nil ? unseen : text(exchange.request?.target.prefix { $0 != 0x3f })
    case .host: return text(exchange.request?.authority)
    case .endpoint: return names?.name(of: exchange) ?? unseen
    case .client: return "\(exchange.client)"
    case .server: return "\(exchange.server)"
    case .proto: return exchange.version.identifier
    case .type: return text(exchange.response?.fields.first("content-type")?.prefix { $0 != 0x3b })
    case .connection: return "\(exchange.id.connection)"
    case .anomalies: return exchange.anomalies.members.map(\.identifier).joined(separator: ",")
    case .grpc:
      guard let messages = exchange.details.messages, messages.protocol != .webSocket else { return "-" }
      let trailers = messages.webTrailers(in: exchange.response?.body)
      let call = GRPCCall(request: exchange.request, response: exchange.response, webTrailers: trailers)
      return call?.status.map { "\($0.code)" } ?? "-"
    }
  }
}

/// Columns as `--columns` takes them: names with commas between.
struct ColumnList: ExpressibleByArgument {
  var columns: [ShowColumn]

  init(columns: [ShowColumn]) { self.columns = columns }

  init?(argument: String) {
    let names = argument.split(separator: ",").map(String.init)
    columns = names.compactMap(ShowColumn.init(rawValue:))
    if columns.isEmpty || columns.count != names.count { return nil }
  }

  static var allValueStrings: [String] { ShowColumn.allCases.map(\.rawValue) }
  var defaultValueDescription: String { columns.map(\.rawValue).joined(separator: ",") }
}

struct LinePrinter: ExchangePrinter {
  var columns = ShowColumn.standard
  /// Of the column that shows them; nil without it.
  var names: EndpointNames?
  var palette = Palette(isOn: false)
  /// Columns of a line; the last text is cut to fit.
  var width = 80

  var header: String? {
    let titles = columns.enumerated().map { index, column in
      let (title, width, isNumber) = column.layout
      if index == columns.count - 1 { return isNumber ? title.leftPadded(to: width) : title }
      return isNumber ? title.leftPadded(to: width) : title.padded(to: width)
    }
    return palette.strong(titles.joined(separator: " ")) + "\n"
  }

  func text(_ exchange: Exchange) -> [UInt8] {
    var line = ""
    var used = 0
    let isOdd = !exchange.anomalies.isEmpty && !columns.contains(.anomalies)
    for (index, column) in columns.enumerated() {
      let (_, wanted, isNumber) = column.layout
      let isLast = index == columns.count - 1
      var cell = visibleLine(column.text(exchange, names))
      if isNumber {
        cell = cell.leftPadded(to: wanted)
      } else if isLast {
        cell = shortened(cell, to: max(12, width - used - (isOdd ? 2 : 0)))
      } else {
        cell = shortened(cell, to: wanted).padded(to: wanted)
      }
      used += cell.count + 1
      line += column == .status ? palette.status(cell, exchange.response?.status) : cell
      if !isLast { line += " " }
    }
    return Array((line + (isOdd ? " !" : "") + "\n").utf8)
  }
}
