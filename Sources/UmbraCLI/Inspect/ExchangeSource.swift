// The exchanges of a session, or the recorded side of a run. In: a file. Out: exchanges in order of request start.

import HTTPModel
import SessionFile

/// Reads exchanges and turns what goes wrong into messages. Owner: one command.
final class ExchangeSource {
  private let reader: SessionReader
  private let path: String
  /// Of a file that is encrypted.
  let key: SessionKey?
  /// Exchanges read.
  private(set) var count = 0
  /// What came of replaying the exchange read last; empty in a session.
  private(set) var attempts: [Attempt] = []

  /// - Parameters:
  ///   - offset: see `SessionReader`.
  ///   - key: of a file that is encrypted.
  init(path: String, expecting: SessionFileKind? = nil, from offset: UInt64 = 0, key: SessionKey? = nil) throws {
    self.path = path
    self.key = key
    do { reader = try SessionReader(path: path, expecting: expecting, from: offset, key: key) } catch {
      throw CommandFailure(error.withFlag)
    }
    let kind = reader.kind == .run ? "run" : "session"
    StandardError.say("reading \(path), a \(kind) of \(counted(reader.exchangeCount, "exchange"))", .debug)
  }

  /// - Parameter path: what messages call it.
  init(reader: SessionReader, path: String) {
    self.reader = reader
    self.path = path
    key = nil
  }

  var ledger: Ledger? { reader.ledger }
  var metadata: SessionMetadata { reader.metadata }
  var kind: SessionFileKind { reader.kind }
  var total: UInt64 { reader.exchangeCount }
  var timeRange: ClosedRange<Timestamp>? { reader.timeRange }
  /// Behind the last whole block.
  var end: UInt64 { reader.end }
  /// The file's writer has ended it.
  var isFinished: Bool { reader.isFinished }

  /// Begins again, as if nothing had been read.
  func rewind() {
    reader.rewind()
    count = 0
  }

  func next() throws -> Exchange? {
    do {
      let exchange: Exchange?
      if reader.kind == .run {
        let replayed = try reader.nextReplayed()
        attempts = replayed?.attempts ?? []
        exchange = replayed?.exchange
      } else {
        exchange = try reader.next()
      }
      // Compared with nil it would be copied whole.
      if case .some = exchange { count += 1 }
      return exchange
    } catch { throw CommandFailure("\(error)") }
  }

  /// Takes the messages of an exchange that is not needed any more, for their memory.
  func recycle(_ exchange: inout Exchange) { reader.recycle(&exchange) }

  /// What of the file could not be read, a sentence each.
  var damage: [String] { reader.damage.map { "\(path): \($0)" } }

  /// Says it on standard error.
  func reportDamage() { for sentence in damage { StandardError.say(sentence, .warning) } }
}

extension SessionFileError {
  /// Its text, and the flag that mends it where it is a flag.
  var withFlag: String {
    switch self {
    case .encrypted, .wrongKey: "\(self) (--key, of replay --session-key)"
    default: "\(self)"
    }
  }
}
