// Exchanges into a file of another format. In: exchanges in order of request start. Out: the file, `.gz` compressed.
// Owner: one command. Bounds: one exchange, and 64 KB.

import Glibc
import HTTPModel
import Interchange

final class FormatOutput {
  private let output: Output
  private var writer: any ExchangeWriting
  private let gzip: GzipEncoder?
  private var bytes: [UInt8] = []
  private var packed: [UInt8] = []

  init(path: String, format: FileFormat, overwrite: Bool) throws {
    var status = stat()
    let isFile = path != "-" && stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    if isFile, status.st_size > 0, !overwrite {
      throw CommandFailure("\(path) exists: replace it with --overwrite, or choose another name")
    }
    output = try Output(path: path)
    gzip = path.hasSuffix(".gz") ? GzipEncoder() : nil
    writer =
      switch format {
      case .har: HARWriter(version: umbraVersion)
      case .gor: GoReplayWriter()
      case .jsonl: JSONLineWriter()
      case .curl: CurlScriptWriter()
      case .session, .pcap, .mitmproxy: throw CommandFailure("\(format.rawValue) is not written here", status: .usage)
      }
    writer.begin(into: &bytes)
  }

  var notes: ConversionNotes { writer.notes }

  func add(_ exchange: Exchange, attempts: [Attempt]) throws {
    writer.append(exchange, attempts: attempts, into: &bytes)
    if bytes.count >= 1 << 16 { try flush() }
  }

  func finish() throws {
    writer.end(into: &bytes)
    try flush()
    if let gzip {
      gzip.finish(into: &packed)
      try output.write(packed)
    }
    try output.flush()
  }

  private func flush() throws {
    if let gzip {
      gzip.append(bytes, into: &packed)
      try output.write(packed)
      packed.removeAll(keepingCapacity: true)
    } else {
      try output.write(bytes)
    }
    bytes.removeAll(keepingCapacity: true)
  }
}

/// As `show --format jsonl --body inline`.
struct JSONLineWriter: ExchangeWriting {
  private(set) var notes = ConversionNotes()
  private let printer = JSONLinePrinter(inlinesBodies: true)

  mutating func append(_ exchange: Exchange, attempts: [Attempt], into bytes: inout [UInt8]) {
    bytes += printer.text(exchange)
    notes.add(.attempts, UInt64(attempts.count))
    for fields in [exchange.request?.fields, exchange.response?.fields] {
      guard let fields else { continue }
      let odd = fields.ranges.indices.count { String(validating: fields.value(at: $0), as: UTF8.self) == nil }
      notes.add(.notUTF8, UInt64(odd))
    }
    notes.add(.interimFieldsLost, UInt64(exchange.response?.informational.count { !$0.fields.isEmpty } ?? 0))
  }
}

/// A shell script that sends each request again.
struct CurlScriptWriter: ExchangeWriting {
  private(set) var notes = ConversionNotes()
  private let printer = CurlPrinter()

  mutating func begin(into bytes: inout [UInt8]) {
    bytes += "#!/bin/sh\n# The requests of a session, one after another; written by umbra.\n".utf8
  }

  mutating func append(_ exchange: Exchange, attempts: [Attempt], into bytes: inout [UInt8]) {
    if exchange.request == nil { notes.add(.unsendable) }
    if exchange.request?.body.isComplete == false { notes.add(.incompleteBodies) }
    if let trailers = exchange.request?.trailers, !trailers.isEmpty { notes.add(.trailers) }
    bytes += printer.text(exchange)
  }
}
