// Conversations as packets, for the decoder under test.

import ExchangeAssembly
import HTTPModel
import PacketHeaders
import TCPReassembly
import Testing

/// Feeds a ``WireDecoder`` with TCP segments of one connection, in any order and with any loss.
struct Conversation: ~Copyable {
  private(set) var decoder: WireDecoder
  private(set) var exchanges: [Exchange] = []
  var clientPort: UInt16 = 40_000
  var taking = Taking.anew
  private var latest = Exchange()

  /// How exchanges are taken: each for itself, or one into the memory of the other, as a capture does, and then kept
  /// as a copy of its own or as one that shares that memory.
  enum Taking { case anew, inPlace, inPlaceShared }
  private var position: (client: UInt32, server: UInt32)
  private var time: Int64 = 1_000_000_000_000

  struct Segment {
    var isFromClient: Bool
    var sequence: UInt32
    var acknowledgment: UInt32
    var flags: UInt8
    var payload: [UInt8]
  }

  /// - Parameters:
  ///   - start: both initial sequence numbers.
  ///   - handshake: false joins the connection in its middle.
  init(start: UInt32 = 1000, handshake: Bool = true, limits: AssemblyLimits = AssemblyLimits()) {
    decoder = WireDecoder(assembly: limits)
    position = (start, start &+ 5000)
    if handshake {
      send(Segment(isFromClient: true, sequence: position.client, acknowledgment: 0, flags: 0x02, payload: []))
      position.client &+= 1
      send(
        Segment(
          isFromClient: false, sequence: position.server, acknowledgment: position.client, flags: 0x12, payload: []))
      position.server &+= 1
    }
  }

  /// The next segment of the client's stream; sent later, or never, if only made.
  mutating func client(_ text: String, flags: UInt8 = 0x18) -> Segment {
    defer { position.client &+= UInt32(text.utf8.count) &+ (flags & 1 == 1 ? 1 : 0) }
    return Segment(
      isFromClient: true, sequence: position.client, acknowledgment: position.server, flags: flags,
      payload: Array(text.utf8))
  }

  mutating func server(_ text: String, flags: UInt8 = 0x18) -> Segment {
    defer { position.server &+= UInt32(text.utf8.count) &+ (flags & 1 == 1 ? 1 : 0) }
    return Segment(
      isFromClient: false, sequence: position.server, acknowledgment: position.client, flags: flags,
      payload: Array(text.utf8))
  }

  /// Hands the segments over in this order, a millisecond apart unless told.
  mutating func send(_ segments: Segment..., after pause: Int64 = 1_000_000) {
    for segment in segments {
      time += pause
      let packet = self.packet(segment)
      packet.withUnsafeBytes {
        decoder.receive($0, lengthOnWire: $0.count, linkType: .raw, at: Timestamp(nanoseconds: time))
      }
      take()
    }
  }

  /// Sends text of either side at once.
  mutating func fromClient(_ text: String) { send(client(text)) }
  mutating func fromServer(_ text: String) { send(server(text)) }

  mutating func fromClient(bytes: [UInt8]) {
    var segment = client("")
    segment.payload = bytes
    position.client &+= UInt32(bytes.count)
    send(segment)
  }

  mutating func fromServer(bytes: [UInt8]) {
    var segment = server("")
    segment.payload = bytes
    position.server &+= UInt32(bytes.count)
    send(segment)
  }

  /// The same client connects once more, from another port; what follows is sent on that connection.
  mutating func connectAgain(port: UInt16) {
    clientPort = port
    send(
      Segment(isFromClient: true, sequence: position.client &- 1, acknowledgment: 0, flags: 0x02, payload: []),
      Segment(
        isFromClient: false, sequence: position.server &- 1, acknowledgment: position.client, flags: 0x12, payload: []))
  }

  mutating func assume(_ tables: ShownHeaderTables) { decoder.shownHeaderTables = tables }
  var shownHeaderTables: ShownHeaderTables? { decoder.shownHeaderTables }

  /// Ends the capture and gives what came out, in order of the connection.
  mutating func finish() -> [Exchange] {
    decoder.finish()
    take()
    return exchanges.sorted { $0.id < $1.id }
  }

  func unanswered(before time: Timestamp) -> [Exchange] { decoder.takeUnanswered(before: time) }

  var ledger: Ledger { decoder.ledger }

  private mutating func take() {
    switch taking {
    case .anew: while let exchange = decoder.nextExchange() { exchanges.append(exchange) }
    case .inPlace: while decoder.nextExchange(into: &latest) { exchanges.append(latest.copied) }
    case .inPlaceShared: while decoder.nextExchange(into: &latest) { exchanges.append(latest) }
    }
  }

  private func packet(_ segment: Segment) -> [UInt8] {
    func big(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)] }
    func big(_ value: UInt32) -> [UInt8] { big(UInt16(value >> 16)) + big(UInt16(truncatingIfNeeded: value)) }
    let (client, server): ([UInt8], [UInt8]) = ([192, 0, 2, 1], [192, 0, 2, 2])
    let ports = segment.isFromClient ? big(clientPort) + big(UInt16(80)) : big(UInt16(80)) + big(clientPort)
    let tcp =
      ports + big(segment.sequence) + big(segment.acknowledgment) + [0x50, segment.flags, 0xff, 0xff, 0, 0, 0, 0]
      + segment.payload
    // Total length 0, as segmentation offload leaves it, so that segments may be of any size.
    return [0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6, 0, 0] + (segment.isFromClient ? client + server : server + client) + tcp
  }
}

extension Exchange {
  /// `GET /a 200`, with `-` for what was not seen.
  var line: String {
    let request = request.map { String(decoding: $0.method + [0x20] + $0.target, as: UTF8.self) } ?? "-"
    return "\(request) \(response.map { "\($0.status)" } ?? "-")"
  }

  /// The same without shared memory, so that the one it was made of can be used again.
  var copied: Exchange {
    var copy = self
    copy.request?.body.bytes.append(0)
    copy.request?.body.bytes.removeLast()
    copy.request?.fields.storage.append(0)
    copy.request?.fields.storage.removeLast()
    copy.response?.body.bytes.append(0)
    copy.response?.body.bytes.removeLast()
    copy.response?.fields.storage.append(0)
    copy.response?.fields.storage.removeLast()
    return copy
  }

  var answer: String { String(decoding: response?.body.bytes ?? [], as: UTF8.self) }
}
