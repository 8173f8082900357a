// What frames make of messages (RFC 6455, 5.4 and 5.5; RFC 7692, 7.2.2).

import HTTPModel

/// What a sender leaves out at a compressed message's end (RFC 7692, 7.2.1).
private let flushTail: [UInt8] = [0x00, 0x00, 0xff, 0xff]

extension StreamMessage.Kind {
  /// What an opcode says.
  init(opcode: UInt8) {
    self =
      switch opcode {
      case 0: .unknown
      case 1: .text
      case 2: .binary
      case 8: .close
      case 9: .ping
      case 10: .pong
      default: .reserved
      }
  }
}

extension WebSocketDecoder where Inflater: ~Copyable {
  /// Compressed bytes inflated at a time: what comes out of a step is at most a thousand times as much.
  private static var inflationStep: Int { 4096 }
  private static var controlLimit: Int { 125 }

  mutating func beginFrame(_ header: WebSocketFrameHeader) {
    let kind = StreamMessage.Kind(opcode: header.opcode)
    if header.isMasked != (sender == .client) { pending.append(.anomaly(.webSocketMaskInvalid)) }
    if isClosed { pending.append(.anomaly(.webSocketCloseInvalid)) }
    if kind == .reserved { pending.append(.anomaly(.webSocketOpcodeUnknown)) }
    // RSV1 belongs to permessage-deflate, on a message's first frame (RFC 7692, 6).
    let mayBeCompressed = isDeflateAgreed && (kind == .text || kind == .binary)
    if header.bits & 0x30 != 0 || header.isCompressed && !mayBeCompressed {
      pending.append(.anomaly(.webSocketReservedBits))
    }
    var message = WebSocketMessage(kind: kind, opcode: header.opcode, flags: [], frames: 1, wireSize: header.length)
    if header.isCompressed { message.flags = [.compressed, .stillCompressed] }
    if header.isControl {
      if !header.isFinal || header.length > Self.controlLimit { pending.append(.anomaly(.webSocketControlInvalid)) }
      control.removeAll(keepingCapacity: true)
      openControl = message
      return
    }
    if open != nil {
      open!.frames &+= 1
      open!.wireSize &+= header.length
      open!.flags.insert(.fragmented)
      return
    }
    if header.opcode == 0 {
      message.flags.insert(.incomplete)
      if !isBeginningUnknown { pending.append(.anomaly(.webSocketContinuationInvalid)) }
    }
    isBeginningUnknown = false
    treatment = .keep
    if header.isCompressed, mayBeCompressed, !isWindowLost {
      treatment = .inflate
      message.flags.remove(.stillCompressed)
    }
    (inflated, isPayloadOld) = (0, true)
    open = message
  }

  mutating func consume(_ piece: UnsafeRawBufferPointer, of header: WebSocketFrameHeader, from done: UInt64) {
    if header.isControl {
      let room = Self.controlLimit &- control.count
      if piece.count > room { openControl?.flags.insert(.cut) }
      appendUnmasked(UnsafeRawBufferPointer(rebasing: piece.prefix(room)), of: header, phase: done, to: &control)
      return
    }
    letPayloadGo()
    switch treatment {
    case .drop: break
    case .keep:
      let room = limits.messageBytes &- payload.count
      if piece.count > room { markCut() }
      appendUnmasked(UnsafeRawBufferPointer(rebasing: piece.prefix(room)), of: header, phase: done, to: &payload)
    case .inflate:
      var index = 0
      while index < piece.count, treatment == .inflate {
        let count = min(Self.inflationStep, piece.count &- index)
        let part = UnsafeRawBufferPointer(rebasing: piece[index..<index &+ count])
        if header.key == 0 {
          inflate(part)
        } else {
          var unmasked: [UInt8] = []
          swap(&unmasked, &scratch)
          unmasked.removeAll(keepingCapacity: true)
          appendUnmasked(part, of: header, phase: done &+ UInt64(index), to: &unmasked)
          unmasked.withUnsafeBytes { inflate($0) }
          swap(&unmasked, &scratch)
        }
        index &+= count
      }
    }
  }

  private mutating func inflate(_ part: UnsafeRawBufferPointer) {
    let room = limits.messageBytes &- payload.count
    guard let count = inflater.inflate(part, limit: room, into: &payload) else {
      pending.append(.anomaly(.messageCodingInvalid))
      open?.flags.insert(.cut)
      return giveUpInflating()
    }
    inflated &+= count
    if count > room { markCut() }
    if inflated > limits.inflatedBytes {
      markCut()
      giveUpInflating()
    }
  }

  /// The rest of the message cannot be inflated, nor what refers to it.
  private mutating func giveUpInflating() {
    treatment = .drop
    if takesContextOver { isWindowLost = true }
  }

  private mutating func markCut() {
    guard open?.flags.insert(.cut).inserted == true else { return }
    pending.append(.anomaly(.messageOverLimit))
  }

  /// A part of a frame's payload was never captured.
  mutating func markIncomplete(_ header: WebSocketFrameHeader) {
    if header.isControl {
      openControl?.flags.insert(.incomplete)
    } else {
      open?.flags.insert(.incomplete)
      if treatment == .inflate { giveUpInflating() }
    }
  }

  mutating func endFrameOfMessage(_ header: WebSocketFrameHeader) {
    if header.isControl {
      guard let message = openControl else { return }
      openControl = nil
      if message.kind == .close { checkClose(message) }
      pending.append(.message(message))
    } else if header.isFinal {
      letPayloadGo()
      if treatment == .inflate { flushTail.withUnsafeBytes { inflate($0) } }
      endMessage()
    }
  }

  private mutating func endMessage() {
    guard let message = open else { return }
    open = nil
    if message.flags.contains(.compressed), !takesContextOver { inflater.reset() }
    if message.kind == .text, message.flags.isDisjoint(with: [.stillCompressed, .incomplete]),
      !payload.withUnsafeBytes({ isUTF8($0, mayBeCut: message.flags.contains(.cut)) })
    {
      pending.append(.anomaly(.webSocketTextInvalid))
    }
    pending.append(.message(message))
  }

  /// Tells what there is of the messages being read, as incomplete.
  mutating func abandon() {
    if let message = openControl {
      openControl = nil
      pending.append(.message(message.asIncomplete))
    }
    guard let message = open else { return }
    letPayloadGo()
    if treatment == .inflate { giveUpInflating() }
    open = message.asIncomplete
    endMessage()
  }

  private mutating func letPayloadGo() {
    guard isPayloadOld else { return }
    isPayloadOld = false
    payload.removeAll(keepingCapacity: payload.capacity <= 64 << 10)
  }

  private mutating func checkClose(_ message: WebSocketMessage) {
    isClosed = true
    guard message.flags.isDisjoint(with: [.incomplete, .cut]), !control.isEmpty else { return }
    let isValid =
      control.count >= 2 && WebSocketClose.isValid(code: WebSocketClose(control).code ?? 0)
      && control.withUnsafeBytes { isUTF8(UnsafeRawBufferPointer(rebasing: $0.dropFirst(2)), mayBeCut: false) }
    if !isValid { pending.append(.anomaly(.webSocketCloseInvalid)) }
  }
}

extension WebSocketMessage {
  fileprivate var asIncomplete: WebSocketMessage {
    var message = self
    message.flags.insert(.incomplete)
    return message
  }
}
