// What handshake messages do to a connection.
// In: messages whole and in order, of either direction. Out: negotiations, epochs. Owner: `TLSConnection`. Bounds:
// `negotiationLimit` handshakes of a connection.

import HTTPModel

extension TLSConnection {
  /// Renegotiations beyond this are an attack, not traffic.
  static var negotiationLimit: Int { 32 }

  /// Takes the content of one handshake record.
  mutating func take(handshake content: UnsafeRawBufferPointer, from side: TLSSide, at time: Timestamp) -> Reading {
    if self[side].handshakeIsCut { return .consumed }
    self[side].handshake.append(content)
    while let message = self[side].handshake.next(limit: limits.handshakeMessageBytes) {
      let before = self[side].epoch
      take(message, from: side)
      guard self[side].isReadable else { return .stopped }
      // New keys begin with a new record, so that nothing of this one is left.
      if self[side].epoch != before { break }
    }
    return .consumed
  }

  private mutating func take(_ message: HandshakeMessage, from side: TLSSide) {
    switch (message.type, side) {
    case (HandshakeMessage.Kind.clientHello, .client): takeClientHello(message)
    case (HandshakeMessage.Kind.serverHello, .server): takeServerHello(message)
    case (HandshakeMessage.Kind.encryptedExtensions, .server) where server.epoch == .handshake:
      guard let extensions = EncryptedExtensions(message) else { return append(.anomaly(.tlsHandshakeMalformed)) }
      negotiations[0].applicationProtocol = extensions.applicationProtocol
      negotiations[0].acceptsEarlyData = extensions.acceptsEarlyData
    case (HandshakeMessage.Kind.endOfEarlyData, .client) where client.epoch == .early: client.enter(.handshake)
    case (HandshakeMessage.Kind.finished, _) where self[side].epoch == .handshake: self[side].enter(.application)
    case (HandshakeMessage.Kind.keyUpdate, _) where self[side].epoch == .application:
      guard message.body.count == 1, let next = self[side].protection?.updated() else {
        return append(.anomaly(.tlsHandshakeMalformed))
      }
      self[side].enter(.application, next)
    default: break
    }
  }

  private mutating func takeClientHello(_ message: HandshakeMessage) {
    guard let hello = ClientHello(message) else {
      append(.anomaly(.tlsHandshakeMalformed))
      if negotiations.isEmpty { giveUp(nil, .malformed) }
      return
    }
    switch client.epoch {
    case .plaintext where negotiations.isEmpty: negotiations.append(Negotiation(hello))
    // The second hello, after a HelloRetryRequest, has the first one's random and no early data of its own.
    case .plaintext: break
    case .changed:
      append(.anomaly(.tlsRenegotiation))
      if negotiations.count < Self.negotiationLimit {
        negotiations.append(Negotiation(hello))
      } else {
        giveUp(nil, .malformed)
      }
    case .early, .handshake, .application: append(.anomaly(.tlsHandshakeMalformed))
    }
  }

  private mutating func takeServerHello(_ message: HandshakeMessage) {
    guard let hello = ServerHello(message) else {
      append(.anomaly(.tlsHandshakeMalformed))
      if negotiations.first?.answer == nil { giveUp(nil, .malformed) }
      return
    }
    guard let index = negotiations.firstIndex(where: { $0.answer == nil }) else {
      return append(.anomaly(.tlsHandshakeMalformed))
    }
    if hello.asksToRetry, index == 0 {
      negotiations[0].wasRetried = true
      return
    }
    let answer = Answer(hello)
    negotiations[index].answer = answer
    if let obstacle = answer.obstacle { giveUp(nil, obstacle) }
  }
}
