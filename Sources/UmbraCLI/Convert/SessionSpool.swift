// Exchanges into a session file, in whatever order they come: the result of a conversion, or the place where it is put
// in order of time before another format is written.
//
// In: records of a reader, or exchanges. Out: a session. Owner: one command. Bounds: those of the encoder and the
// writer's queue; what a temporary file needs is disk, in TMPDIR, in a file without a name and readable by its owner only.

import Glibc
import HTTPModel
import Interchange
import SessionFile
import TrafficRules

final class SessionSpool {
  private let writer: SessionWriter
  private let encoder = SessionEncoder()
  private var redactor: Redactor?
  private var ledger = Ledger()
  private(set) var exchanges: UInt64 = 0
  /// Exchanges whose credentials became tokens.
  private(set) var redacted: UInt64 = 0
  /// The temporary file; -1 where there is none.
  private let descriptor: Int32
  private let key: SessionKey?
  /// The file that was asked for.
  private let path: String?

  /// - Parameters:
  ///   - path: `-` is standard output; nil for a temporary file.
  ///   - key: what it is encrypted to; with it, a temporary file is, too.
  init(path: String?, overwrite: Bool, metadata: SessionMetadata, redactor: Redactor?, key: SessionKey? = nil) throws {
    let destination: SessionWriter.Destination
    if let path {
      descriptor = -1
      destination =
        path == "-" ? .descriptor(STDOUT_FILENO, name: "standard output") : .path(path, overwrite: overwrite)
    } else {
      descriptor = try TemporaryPlace.file()
      destination = .descriptor(descriptor, name: "a temporary file")
    }
    self.redactor = redactor
    self.key = key
    self.path = path == "-" ? nil : path
    do {
      writer = try SessionWriter(
        destination, kind: .session, created: Timestamp(nanoseconds: wallNow()), queueLimit: 8 << 20, key: key)
    } catch { throw CommandFailure("\(error)") }
    _ = writer.put(.metadata(metadata))
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// What is written by now, as far as it is on its way.
  var bytes: UInt64 { writer.written.bytes + UInt64(writer.queuedBytes) }

  func add(_ record: ImportedRecord) throws {
    switch record {
    case .exchange(let exchange): try add(exchange)
    case .request(var exchange):
      redact(&exchange)
      count(exchange)
      try put(encoder.append(requestOf: exchange))
    case .response(var exchange, let start):
      redact(&exchange)
      ledger[.requestsWithoutResponse] &-= 1
      ledger[exchange.response?.body.isComplete == true ? .exchangesComplete : .exchangesIncomplete] += 1
      try put(encoder.append(responseOf: exchange, requestStart: start))
    }
  }

  func add(_ exchange: Exchange) throws {
    var exchange = exchange
    redact(&exchange)
    count(exchange)
    try put(encoder.append(exchange))
  }

  /// - Parameters:
  ///   - basis: what the capture counted that this comes from; its counts of exchanges are replaced by those written.
  ///   - leftOut: exchanges that a filter kept out.
  func finish(basis: Ledger? = nil, leftOut: UInt64 = 0) throws -> UInt64 {
    while let block = encoder.sealBlock() { try put(block) }
    var ledger = ledger
    if var whole = basis {
      for row in Self.exchangeRows { whole[row] = ledger[row] }
      ledger = whole
    }
    ledger[.exchangesFiltered] += leftOut
    ledger[.exchangesShed] += encoder.oversized
    do { return try writer.finish(ledger: ledger).bytes } catch { throw CommandFailure("\(error)") }
  }

  /// Nothing came of it: a file without an exchange would only stand in the way of the next try.
  func discard() {
    var status = stat()
    if let path, lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG { unlink(path) }
  }

  private static let exchangeRows: [Ledger.Row] = [
    .exchangesComplete, .exchangesIncomplete, .requestsWithoutResponse, .responsesWithoutRequest,
  ]

  /// The temporary file, to be read from its beginning. Valid as long as this lives.
  func reader() throws -> SessionReader {
    lseek(descriptor, 0, SEEK_SET)
    do { return try SessionReader(descriptor: descriptor, name: "a temporary file", key: key) } catch {
      throw CommandFailure("\(error)")
    }
  }

  private func put(_ block: RawBlock?) throws {
    guard let block, !writer.put(block) else { return }
    throw CommandFailure(writer.problem.map { "\($0)" } ?? "the session could not be written")
  }

  private func redact(_ exchange: inout Exchange) {
    guard redactor != nil else { return }
    let before = exchange
    redactor!.redact(&exchange)
    if before != exchange { redacted += 1 }
  }

  private func count(_ exchange: Exchange) {
    exchanges += 1
    guard let request = exchange.request else {
      ledger[.responsesWithoutRequest] += 1
      return
    }
    guard let response = exchange.response else {
      ledger[.requestsWithoutResponse] += 1
      return
    }
    ledger[request.body.isWhole && response.body.isWhole ? .exchangesComplete : .exchangesIncomplete] += 1
    for body in [request.body, response.body] where body.cutHash != nil {
      ledger[.bodyBytesOverLimit] += body.size - UInt64(body.bytes.count)
    }
  }
}

/// Where what is not to stay is written: TMPDIR, or /tmp.
enum TemporaryPlace {
  private static var folder: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }

  /// A file without a name.
  static func file() throws -> Int32 {
    var template = Array("\(folder)/umbra-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else {
      throw CommandFailure("can't write a temporary file in \(folder): \(systemError()). Set TMPDIR to another folder.")
    }
    unlink(template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    return descriptor
  }

  /// Calls `body` with the name of a file that may be written; the file is gone afterwards.
  static func withPath<Result>(_ body: (String) throws -> Result) throws -> Result {
    var template = Array("\(folder)/umbra-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw CommandFailure(
        "can't make a temporary folder in \(folder): \(systemError()). Set TMPDIR to another folder.")
    }
    let made = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer {
      unlink("\(made)/session.umbra")
      rmdir(made)
    }
    return try body("\(made)/session.umbra")
  }
}
