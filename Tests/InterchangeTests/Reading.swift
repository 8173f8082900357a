// A file read to its end, in pieces of one size.

import HTTPModel
import Interchange

struct Reading {
  private(set) var all: [ImportedRecord] = []
  let notes: ConversionNotes

  init(_ reader: some ExchangeReading, _ bytes: [UInt8], piece: Int? = nil) {
    var reader = reader
    let step = piece ?? max(1, bytes.count)
    for start in stride(from: 0, to: bytes.count, by: step) {
      bytes[start..<min(start + step, bytes.count)].withUnsafeBytes { reader.receive($0) }
      while let record = reader.next() { all.append(record) }
    }
    reader.finish()
    while let record = reader.next() { all.append(record) }
    notes = reader.notes
  }

  var exchanges: [Exchange] { all.compactMap { if case .exchange(let exchange) = $0 { exchange } else { nil } } }
  var requests: [Exchange] { all.compactMap { if case .request(let exchange) = $0 { exchange } else { nil } } }
  var responses: [Exchange] { all.compactMap { if case .response(let exchange, _) = $0 { exchange } else { nil } } }
}

extension HeaderFields {
  /// Names and values as text.
  var pairs: [String] {
    ranges.indices.map {
      "\(String(decoding: name(at: $0), as: UTF8.self)): \(String(decoding: value(at: $0), as: UTF8.self))"
    }
  }
}
