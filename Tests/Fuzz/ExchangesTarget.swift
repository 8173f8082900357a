// Stream events of one connection at a time through exchange assembly, so that the fuzzer need not find TCP first.
//
// Input: options, then one operation after the other: bytes, gaps, ends and new connections, in either direction.

import ExchangeAssembly
import HTTPModel
import TCPReassembly

enum ExchangesTarget: FuzzTarget {
  static let name = "exchanges"

  static func run(_ input: [UInt8]) throws(Violation) {
    var reader = InputReader(input)
    let options = reader.byte()
    var limits = AssemblyLimits(serverPorts: options & 1 == 0 ? [] : [80...80])
    if options & 2 != 0 {
      limits.bodyBytes = 20
      limits.heldBytes = 300
      limits.pendingRequests = 2
    }
    var stage = Stage(limits: limits, sawHandshake: options & 4 == 0)
    while !reader.isAtEnd {
      let operation = reader.byte()
      let direction: StreamDirection = operation & 1 == 0 ? .originator : .responder
      let length = Int(reader.byte()) << (operation & 32 == 0 ? 0 : 4)
      switch operation >> 1 & 7 {
      case 0...3:
        let acknowledged: Stage.Acknowledgment =
          switch operation >> 3 & 3 {
          case 0, 1: .everything
          case 2: .more(Int(reader.byte()))
          default: .nothingKnown
          }
        try stage.receive(reader.bytes(length), direction, acknowledged)
      case 4: try stage.lose(length, direction)
      case 5: try stage.end(direction, operation & 8 == 0 ? .fin : .reset)
      case 6: stage.wait(Int64(length) * 100_000_000)
      default: try stage.reopen(isSnapCut: operation & 8 != 0)
      }
    }
    try stage.finish()
  }

  static var seeds: [[UInt8]] {
    func data(_ operation: UInt8, _ text: String) -> [UInt8] { [operation, UInt8(text.utf8.count)] + text.utf8 }
    let get = data(0, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    let ok = data(1, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    let post = data(0, "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\n")
    let early = data(1, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n")
    let close = data(1, "HTTP/1.0 200 OK\r\n\r\nall of it")
    let connect = data(0, "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n")
    let connected = data(1, "HTTP/1.1 200 OK\r\n\r\n")
    let ahead = data(17, "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nab")
    let ends: [UInt8] = [10, 0, 11, 0]
    let conversations: [[[UInt8]]] = [
      [get, ok, post, early, get, close, ends], [get, get, get, [8, 5], ok, ok], [connect, connected, get, ends],
      [get, [9, 30], ok, [14, 0], post, ok], [ahead, get, [9, 200], ok, [12, 40], get],
    ]
    return [UInt8(0), 2, 5].flatMap { options in conversations.map { [options] + $0.joined() } }
  }
}

/// One connection after the other, as reassembly would tell of it.
private struct Stage {
  enum Acknowledgment {
    /// All that the other side has sent.
    case everything
    /// Bytes beyond that, which the capture brings later.
    case more(Int)
    case nothingKnown
  }

  private var assembler: ExchangeAssembler
  private var checks = ExchangeChecks()
  private let limits: AssemblyLimits
  private let sawHandshake: Bool
  private var handle = ConnectionHandle(index: 0, number: 1)
  private var positions: [UInt64] = [0, 0]
  private var isEnded = [false, false]
  private var delivered: UInt64 = 0
  private var time = Timestamp(nanoseconds: 1_790_000_000_000_000_000)
  private var largest = 0

  init(limits: AssemblyLimits, sawHandshake: Bool) {
    self.limits = limits
    self.sawHandshake = sawHandshake
    assembler = ExchangeAssembler(limits: limits)
    open()
  }

  mutating func receive(
    _ bytes: [UInt8], _ direction: StreamDirection, _ acknowledgment: Acknowledgment
  ) throws(Violation) {
    let d = Int(direction.rawValue)
    guard !bytes.isEmpty, !isEnded[d] else { return }
    let acknowledged: UInt64? =
      switch acknowledgment {
      case .everything: positions[1 - d]
      case .more(let count): positions[1 - d] + UInt64(count)
      case .nothingKnown: nil
      }
    time = time.advanced(byNanoseconds: 1000)
    delivered += UInt64(bytes.count)
    largest = max(largest, bytes.count)
    bytes.withUnsafeBytes {
      assembler.receive(
        .data(
          handle, direction, offset: positions[d], .segment(0..<bytes.count), acknowledged: acknowledged, time: time),
        payload: $0, at: time)
    }
    positions[d] += UInt64(bytes.count)
    try drain()
  }

  mutating func lose(_ length: Int, _ direction: StreamDirection) throws(Violation) {
    let d = Int(direction.rawValue)
    guard length > 0, !isEnded[d] else { return }
    tell(.gap(handle, direction, offset: positions[d], length: UInt64(length), .lost))
    positions[d] += UInt64(length)
    try drain()
  }

  mutating func end(_ direction: StreamDirection, _ end: StreamEnd) throws(Violation) {
    let ending: [StreamDirection] = end == .reset ? StreamDirection.allCases : [direction]
    for direction in ending where !isEnded[Int(direction.rawValue)] {
      isEnded[Int(direction.rawValue)] = true
      tell(.ended(handle, direction, end))
    }
    try drain()
  }

  mutating func wait(_ nanoseconds: Int64) { time = time.advanced(byNanoseconds: nanoseconds) }

  mutating func reopen(isSnapCut: Bool) throws(Violation) {
    if isSnapCut, !isEnded[0] {
      tell(.gap(handle, .originator, offset: positions[0], length: 10, .snapLength))
      positions[0] += 10
    }
    tell(.closed(handle, isEnded == [true, true] ? .finished : .replaced))
    handle = ConnectionHandle(index: 0, number: handle.number + 1)
    positions = [0, 0]
    isEnded = [false, false]
    open()
    try drain()
  }

  mutating func finish() throws(Violation) {
    tell(.closed(handle, .captureEnded))
    try drain()
    try require(assembler.heldBytes == 0, "\(assembler.heldBytes) bytes are held after the end")
  }

  private mutating func open() {
    let address = IPAddress(v4: 0x7f00_0001)
    tell(
      .opened(
        handle,
        OpenedConnection(
          originator: TransportAddress(address: address, port: 40_000),
          responder: TransportAddress(address: address, port: 80), sawHandshake: sawHandshake)))
  }

  private mutating func tell(_ event: StreamEvent) {
    assembler.receive(event, payload: UnsafeRawBufferPointer(start: nil, count: 0), at: time)
  }

  private mutating func drain() throws(Violation) {
    while let exchange = assembler.nextExchange() { try checks.check(exchange) }
    let ledger = assembler.ledger
    let elsewhere = ledger[.bytesNotHTTP] + ledger[.bytesSkipped] + ledger[.bytesTunnel]
    try require(elsewhere <= delivered, "\(elsewhere) bytes counted outside messages, \(delivered) delivered")
    // The piece that reaches the limit may go over it, with what it takes to hold it.
    let held = assembler.heldBytes
    try require(held >= 0 && held <= limits.heldBytes + largest + 128, "\(held) bytes are held")
  }
}
