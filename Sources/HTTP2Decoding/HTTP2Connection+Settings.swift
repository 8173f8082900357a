// Purpose: SETTINGS with their acknowledgements (RFC 9113, 6.5), and flow-control windows (6.9) as far as they explain
// silence. Input -> output: payloads of control frames -> what frame and HPACK decoders go by. Bounds: HTTP2Limits.
//
// A side that receives SETTINGS applies them before it acknowledges them, and what it sends after the acknowledgement
// goes by them. In its own stream that is a definite place, so values come into force there and nowhere else.

import HTTPModel

/// RFC 9113, 6.5.2: what a side tells its peer to keep to.
public struct HTTP2Settings: Hashable, Sendable {
  /// SETTINGS_HEADER_TABLE_SIZE, in octets.
  public var headerTableSize: UInt32 = 4096
  /// SETTINGS_ENABLE_PUSH.
  public var enablesPush = true
  /// `.max` where not limited.
  public var maxConcurrentStreams: UInt32 = .max
  /// SETTINGS_INITIAL_WINDOW_SIZE, in octets.
  public var initialWindowSize: UInt32 = 65_535
  /// SETTINGS_MAX_FRAME_SIZE, in octets.
  public var maxFrameSize: UInt32 = 16_384
  /// `.max` where not limited.
  public var maxHeaderListSize: UInt32 = .max
  /// Extended CONNECT (RFC 8441).
  public var enablesConnectProtocol = false

  public init() {}
}

extension HTTP2Connection {
  mutating func receiveSettings(
    _ header: HTTP2FrameHeader, _ payload: UnsafeRawBufferPointer, from sender: HTTP2Side
  ) {
    let peer = sender.opposite
    if header.flags.contains(.ack) {
      if !peers[peer.rawValue].pendingSettings.isEmpty {
        putInForce(peers[peer.rawValue].pendingSettings.removeFirst(), of: sender.opposite)
      } else if isWhole {
        tell(.h2SettingsAckUnexpected, stream: 0, from: sender)
        peers[peer.rawValue].earlyAcknowledgements = min(
          peers[peer.rawValue].earlyAcknowledgements + 1, limits.maxPendingSettings)
      }
      return
    }
    let side = sender
    var settings = peers[side.rawValue].pendingSettings.last ?? peers[side.rawValue].settings
    readSettings(payload, into: &settings, from: sender)
    if peers[side.rawValue].earlyAcknowledgements > 0 {
      peers[side.rawValue].earlyAcknowledgements -= 1
      putInForce(settings, of: sender)
      return
    }
    peers[side.rawValue].pendingSettings.append(settings)
    if peers[side.rawValue].pendingSettings.count > limits.maxPendingSettings {
      tell(.h2SettingsFlood, stream: 0, from: sender)
      putInForce(peers[side.rawValue].pendingSettings.removeFirst(), of: sender)
    }
  }

  mutating func readSettings(
    _ payload: UnsafeRawBufferPointer, into settings: inout HTTP2Settings, from sender: HTTP2Side
  ) {
    let count = payload.count / 6
    if count > limits.maxSettings { tell(.h2SettingsFlood, stream: 0, from: sender) }
    for index in 0..<min(count, limits.maxSettings) {
      let identifier = UInt16(
        bigEndian: payload.loadUnaligned(fromByteOffset: index * 6, as: UInt16.self))
      let value = UInt32(bigEndian: payload.loadUnaligned(fromByteOffset: index * 6 + 2, as: UInt32.self))
      var isValid = true
      switch identifier {
      case 1: settings.headerTableSize = value
      case 2:
        isValid = value <= 1 && !(value == 1 && clientIsCertain && sender != client)
        settings.enablesPush = value != 0
      case 3: settings.maxConcurrentStreams = value
      case 4:
        isValid = value < 1 << 31
        if isValid { settings.initialWindowSize = value }
      case 5:
        isValid = (16_384...16_777_215).contains(value)
        if isValid { settings.maxFrameSize = value }
      case 6: settings.maxHeaderListSize = value
      case 8:
        isValid = value <= 1
        settings.enablesConnectProtocol = value != 0
      default: break
      }
      if !isValid { tell(.h2SettingInvalid, stream: 0, from: sender) }
    }
  }

  /// `settings` of `side` hold for what its peer sends from here on.
  mutating func putInForce(_ settings: HTTP2Settings, of side: HTTP2Side) {
    let peer = side.opposite
    let before = peers[side.rawValue].settings
    peers[side.rawValue].settings = settings
    frames[peer.rawValue].maxFrameSize = settings.maxFrameSize
    hpack[peer.rawValue].acknowledge(maximumTableSize: settings.headerTableSize)
    let change = Int64(settings.initialWindowSize) - Int64(before.initialWindowSize)
    guard change != 0 else { return }
    for slot in 0..<streams.capacity where streams.isOpen(slot) {
      streams[slot][peer].window &+= change
      noteBlocking(slot, peer)
    }
  }

  // MARK: Windows

  /// A DATA frame of `length` flow-controlled bytes begins (RFC 9113, 6.9.1: padding counts).
  @inline(__always)
  mutating func spendWindow(_ length: UInt32, slot: Int, stream: UInt32, from sender: HTTP2Side) {
    let side = sender
    peers[side.rawValue].window &-= Int64(length)
    var isExceeded = length > 0 && peers[side.rawValue].window < 0
    if peers[side.rawValue].window <= 0, peers[side.rawValue].blockedSince == nil {
      peers[side.rawValue].blockedSince = now
    }
    if slot >= 0 {
      streams[slot][sender].window &-= Int64(length)
      isExceeded = isExceeded || length > 0 && streams[slot][sender].window < 0
      if streams[slot][sender].window <= 0 { noteBlocking(slot, sender) }
    }
    if isExceeded, areWindowsKnown { tell(.h2FlowControlExceeded, stream: stream, from: sender) }
  }

  mutating func receiveWindowUpdate(
    _ header: HTTP2FrameHeader, _ payload: UnsafeRawBufferPointer, from sender: HTTP2Side
  ) {
    let increment =
      Int64(UInt32(bigEndian: payload.loadUnaligned(as: UInt32.self)) & 0x7fff_ffff)
    let peer = sender.opposite
    if increment == 0 { tell(.h2WindowUpdateInvalid, stream: header.stream, from: sender) }
    if header.stream == 0 {
      peers[peer.rawValue].window &+= increment
      if peers[peer.rawValue].window > 0 { peers[peer.rawValue].blockedSince = nil }
      if peers[peer.rawValue].window > 0x7fff_ffff {
        if areWindowsKnown { tell(.h2WindowUpdateInvalid, stream: 0, from: sender) }
        peers[peer.rawValue].window = 0x7fff_ffff
      }
      return
    }
    let slot = streams.slot(of: header.stream)
    guard slot >= 0 else {
      tellIfIdle(header.stream, from: sender)
      return
    }
    streams[slot][peer].window &+= increment
    if streams[slot][peer].window > 0x7fff_ffff {
      if areWindowsKnown { tell(.h2WindowUpdateInvalid, stream: header.stream, from: sender) }
      streams[slot][peer].window = 0x7fff_ffff
    }
    noteBlocking(slot, peer)
  }

  private mutating func noteBlocking(_ slot: Int, _ sender: HTTP2Side) {
    if streams[slot][sender].window > 0 || streams[slot][sender].phase == .ended {
      streams[slot][sender].blockedSince = nil
    } else if streams[slot][sender].blockedSince == nil {
      streams[slot][sender].blockedSince = now
    }
  }
}

/// RFC 4648, 5, without padding as RFC 7540, 3.2.1, has it; padding is passed over.
enum Base64URL {
  static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var word: UInt32 = 0
    var bits = 0
    for character in text {
      let value: UInt8
      switch character {
      case 0x41...0x5a: value = character - 0x41
      case 0x61...0x7a: value = character - 0x61 + 26
      case 0x30...0x39: value = character - 0x30 + 52
      case 0x2d, 0x2b: value = 62
      case 0x5f, 0x2f: value = 63
      case 0x3d: continue
      default: return nil
      }
      word = word << 6 | UInt32(value)
      bits += 6
      guard bits >= 8 else { continue }
      bits -= 8
      bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
    }
    return bytes
  }
}
