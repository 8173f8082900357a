// The exchanges that a user asked for, in the order that was asked for.
//
// In: a source, a filter. Out: text. Owner: `umbra show`. Bounds: without --sort and --tail one exchange; with them the
// text of as many as are shown; while following, 10,000 requests that wait for their answer.

import Glibc
import HTTPModel
import Interchange
import SessionFile

final class ExchangeLister {
  private let source: ExchangeSource
  private let printer: any ExchangePrinter
  private let filter: WhereFilter?
  private let output: Output
  private(set) var shown = 0
  /// What there is to say beside the list.
  private(set) var note: String?

  init(source: ExchangeSource, printer: any ExchangePrinter, filter: WhereFilter?, output: Output) {
    self.source = source
    self.printer = printer
    self.filter = filter
    self.output = output
  }

  private func next() throws -> Exchange? {
    while let exchange = try source.next() { if filter?.matches(exchange) ?? true { return exchange } }
    return nil
  }

  private func write(_ text: [UInt8]) throws {
    if shown == 0, let header = printer.header { try output.write(header) }
    shown += 1
    try output.write(text)
  }

  /// - Parameter endsEarly: nothing is read behind the last that is shown.
  func showFirst(_ limit: Int, endsEarly: Bool) throws {
    var waiting: [ExchangeID: Exchange] = [:]
    while shown < limit, let exchange = try next() {
      if !endsEarly, !source.isFinished, exchange.response == nil, waiting.count < Self.waitingLimit {
        waiting[exchange.id] = exchange
      } else {
        try write(printer.text(exchange))
      }
    }
    unanswered = waiting
    try output.flush()
  }

  func showLast(_ limit: Int) throws {
    var ring: [[UInt8]] = []
    var oldest = 0
    while limit > 0, let exchange = try next() {
      if ring.count < limit {
        ring.append(printer.text(exchange))
      } else {
        ring[oldest] = printer.text(exchange)
        oldest = (oldest + 1) % limit
      }
    }
    for text in ring[oldest...] + ring[..<oldest] { try write(text) }
  }

  func showSorted(_ order: ExchangeOrder) throws {
    var order = order
    var matching = 0
    while let exchange = try next() {
      matching += 1
      order.add(exchange) { printer.text(exchange) }
    }
    for text in order.texts { try write(text) }
    if matching > shown, order.limit == ExchangeOrder.defaultLimit {
      note = "\(grouped(matching - shown)) more; --head N shows N"
    }
  }

  func showWhole(_ id: ExchangeID, file: String) throws {
    while let exchange = try source.next() {
      guard exchange.id == id else { continue }
      try write(printer.text(exchange))
      if let whole = printer as? WholePrinter {
        for attempt in source.attempts { try output.write(whole.text(attempt)) }
      }
      return
    }
    throw CommandFailure("\(file) holds no exchange \(id); 'umbra show \(file)' lists them")
  }

  /// What ends the output.
  func end() throws {
    if shown > 0, let footer = printer.footer { try output.write(footer) }
    try output.flush()
  }

  // MARK: Following

  private static let waitingLimit = 10_000
  /// Requests that were written before their answer came.
  private var unanswered: [ExchangeID: Exchange] = [:]

  /// Looks twice a second whether the file has grown.
  func follow(_ path: String, upTo limit: Int) throws {
    var end = source.end
    var isFinished = source.isFinished
    while !isFinished, shown < limit, !Interruption.isRequested {
      var status = stat()
      guard stat(path, &status) == 0 else { break }
      if UInt64(status.st_size) <= end {
        usleep(500_000)
        continue
      }
      let more = try ExchangeSource(path: path, from: end, key: source.key)
      isFinished = more.isFinished
      if more.end <= end, !isFinished {
        usleep(500_000)
        continue
      }
      end = max(end, more.end)
      while shown < limit, let exchange = try more.next() {
        if let whole = joined(exchange), filter?.matches(whole) ?? true { try write(printer.text(whole)) }
      }
      try output.flush()
    }
    for exchange in unanswered.values.sorted(by: { ($0.start, $0.id) < ($1.start, $1.id) }) where shown < limit {
      if filter?.matches(exchange) ?? true { try write(printer.text(exchange)) }
    }
  }

  /// Nil where its answer is waited for.
  private func joined(_ exchange: Exchange) -> Exchange? {
    if exchange.request == nil, var whole = unanswered.removeValue(forKey: exchange.id) {
      whole.response = exchange.response
      whole.anomalies.formUnion(exchange.anomalies)
      if exchange.hasDetails { whole.details = exchange.details }
      return whole
    }
    guard exchange.response == nil, unanswered.count < Self.waitingLimit else { return exchange }
    unanswered[exchange.id] = exchange
    return nil
  }
}
