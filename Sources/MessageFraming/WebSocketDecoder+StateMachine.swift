// The transitions of the WebSocket decoder (RFC 6455, 5): frames. Messages: WebSocketDecoder+Messages.swift.
//
//   header ──▶ payload ──last byte──▶ header      a message ends with FIN; control frames may stand between its frames
//     │ length that cannot be, bytes missing
//     ▼
//   lost ──a call begins──▶ chain of plausible headers ──a frame's end is the call's end──▶ header

import HTTPModel

extension WebSocketDecoder where Inflater: ~Copyable {
  /// Plausible frames that prove a chain where the last one's end is a call's end, and anywhere.
  private static var proof: Int { 3 }
  private static var certainty: Int { 8 }

  /// The next event, or nil when all of `bytes` is consumed and more is needed.
  /// - Parameters:
  ///   - bytes: borrowed until return.
  ///   - offset: where to go on, at most `bytes.count`; moved over what is consumed.
  public mutating func nextEvent(in bytes: UnsafeRawBufferPointer, at offset: inout Int) -> WebSocketEvent? {
    if case .lost = state, offset == 0, !isEnded {
      state = .header
      (plausibleFrames, partial) = (0, [])
    }
    while true {
      if !pending.isEmpty { return pending.removeFirst() }
      if case .payload(let header, let done) = state, done == header.length {
        endFrame(header)
        continue
      }
      guard offset < bytes.count else { break }
      switch state {
      case .lost: offset = bytes.count
      case .header:
        if isLocked, partial.isEmpty, !isBegunTold, begin(bytes[offset]) { continue }
        readHeader(bytes, &offset)
      case .payload(let header, let done):
        let count = Int(min(header.length &- done, UInt64(bytes.count &- offset)))
        if isLocked {
          consume(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset &+ count]), of: header, from: done)
        }
        offset &+= count
        state = .payload(header, done: done &+ UInt64(count))
      }
    }
    if !isLocked, plausibleFrames >= Self.proof, case .header = state, partial.isEmpty { lock() }
    return nil
  }

  /// Bytes were never captured. Pull events again, of no bytes.
  /// - Parameter count: nil where it is not known.
  public mutating func gap(_ count: UInt64?) {
    if count == 0 || isEnded { return }
    if isLocked, case .payload(let header, let done) = state, let count, count <= header.length &- done {
      markIncomplete(header)
      state = .payload(header, done: done &+ count)
    } else if isLocked {
      abandon()
      lose()
    } else {
      state = .lost
    }
  }

  /// The stream has ended: what that makes of the message being read. Pull events again, of no bytes.
  public mutating func finish() {
    defer {
      state = .lost
      (isLocked, isEnded) = (false, true)
    }
    guard isLocked else { return }
    if case .payload(let header, let done) = state, done == header.length { endFrame(header) }
    if case .header = state, partial.isEmpty, open == nil { return }
    abandon()
    pending.append(.anomaly(.messageTruncated))
  }

  /// Tells of a message's first byte before it is consumed; a continuation begins nothing. False where there is
  /// nothing to tell.
  private mutating func begin(_ first: UInt8) -> Bool {
    let opcode = first & 0x0f
    guard opcode != 0 || open == nil else { return false }
    if opcode & 0x08 == 0, open != nil {
      pending.append(.anomaly(.webSocketContinuationInvalid))
      abandon()
    }
    isBegunTold = true
    pending.append(.began(isControl: opcode & 0x08 != 0))
    return true
  }

  private mutating func readHeader(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) {
    let header: WebSocketFrameHeader
    let left = bytes.count &- offset
    if partial.isEmpty, left >= 2, left >= WebSocketFrameHeader.size(second: bytes[offset &+ 1]) {
      let size = WebSocketFrameHeader.size(second: bytes[offset &+ 1])
      header = WebSocketFrameHeader(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset &+ size]))
      offset &+= size
    } else {
      partial.append(bytes[offset])
      offset &+= 1
      guard partial.count >= 2, partial.count == WebSocketFrameHeader.size(second: partial[1]) else { return }
      header = partial.withUnsafeBytes { WebSocketFrameHeader($0) }
      partial.removeAll(keepingCapacity: true)
    }
    isBegunTold = false
    if !isLocked {
      // A header on the search for boundaries.
      guard header.isPlausible(from: sender, allowsCompression: isDeflateAgreed) else {
        state = .lost
        return
      }
      plausibleFrames += 1
    } else {
      if header.isLengthInvalid { pending.append(.anomaly(.webSocketLengthInvalid)) }
      if header.length >> 63 != 0 {
        abandon()
        return lose()
      }
      beginFrame(header)
    }
    state = .payload(header, done: 0)
  }

  private mutating func endFrame(_ header: WebSocketFrameHeader) {
    state = .header
    if isLocked {
      endFrameOfMessage(header)
    } else if plausibleFrames >= Self.certainty {
      lock()
    }
  }

  private mutating func lock() {
    isLocked = true
    isBeginningUnknown = true
    if takesContextOver { isWindowLost = true }
    isBegunTold = false
  }

  private mutating func lose() {
    pending.append(.anomaly(.messageBoundaryLost))
    isLocked = false
    partial = []
    state = .lost
  }
}
