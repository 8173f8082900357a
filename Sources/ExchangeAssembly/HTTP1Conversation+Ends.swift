// What gaps and ends of the streams do to the messages that are open.

import HTTP1Decoding
import HTTPModel

extension HTTP1Conversation {
  /// `length` bytes of the client's stream were never captured.
  mutating func gapFromClient(
    _ length: UInt64, anomaly: Anomaly, at origin: MessageOrigin, into output: inout AssemblyOutput
  ) {
    let effect = requestDecoder.gap(length)
    if case .insideBody = effect {} else { requestsLostBefore = origin.offset }
    switch effect {
    case .insideBody(let range):
      openRequest?.pointee.skipInRequest(range)
      noteRequest(anomaly)
    case .bodyCut(let from, let length):
      openRequest?.pointee.skipInRequest(BodyRange(lowerBound: from, upperBound: from &+ length))
      noteRequest(anomaly)
      endRequest(at: origin.time, complete: false, into: &output)
    case .messageLost:
      noteRequest(anomaly)
      loseRequest(at: origin.time, into: &output)
    case .betweenMessages, .outsideMessages: break
    }
    // A gap that reaches exactly to a body's end is followed by that end.
    receiveFromClient(UnsafeRawBufferPointer(start: nil, count: 0), at: origin, into: &output)
  }

  mutating func gapFromServer(
    _ length: UInt64, anomaly: Anomaly, at origin: MessageOrigin, into output: inout AssemblyOutput
  ) {
    let effect = responseDecoder.gap(length)
    if case .insideBody = effect {} else { serverGapOpen = true }
    switch effect {
    case .insideBody(let range):
      answering?.pointee.skipInResponse(range)
      noteResponse(anomaly)
    case .bodyCut(let from, let length):
      answering?.pointee.skipInResponse(BodyRange(lowerBound: from, upperBound: from &+ length))
      noteResponse(anomaly)
      endResponse(at: origin.time, complete: false, into: &output)
    case .messageLost:
      noteResponse(anomaly)
      loseResponse(at: origin.time, into: &output)
    case .betweenMessages, .outsideMessages: break
    }
    receiveFromServer(UnsafeRawBufferPointer(start: nil, count: 0), at: origin, into: &output)
  }

  /// The client sent FIN, or the connection was reset.
  mutating func endOfClient(at time: Timestamp, reset: Bool, into output: inout AssemblyOutput) {
    if reset { noteRequest(.tcpReset) }
    while let event = requestDecoder.finish() {
      switch event {
      case .end: endRequest(at: time, complete: true, into: &output)
      case .truncated(let reason): truncateRequest(reason, at: time, into: &output)
      case .anomaly(let anomaly): noteRequest(anomaly)
      default: break
      }
    }
  }

  /// The server sent FIN, or the connection was reset.
  /// - Parameter properly: the server ended the stream itself, so that a close-delimited body is whole.
  mutating func endOfServer(at time: Timestamp, reset: Bool, properly: Bool, into output: inout AssemblyOutput) {
    if reset { noteResponse(.tcpReset) }
    while let event = responseDecoder.finish() {
      switch event {
      case .end:
        if properly {
          endResponse(at: time, complete: true, into: &output)
        } else {
          loseResponse(at: time, into: &output)
        }
      case .truncated(let reason): truncateResponse(reason, at: time, into: &output)
      case .anomaly(let anomaly): if properly { noteResponse(anomaly) }
      default: break
      }
    }
  }

  /// Nothing more will come: what is open is told as it stands.
  mutating func close(at time: Timestamp, anomaly: Anomaly?, into output: inout AssemblyOutput) {
    if let anomaly {
      if answering != nil { noteResponse(anomaly) }
      if openRequest != nil { noteRequest(anomaly) }
    }
    endOfClient(at: time, reset: false, into: &output)
    endOfServer(at: time, reset: false, properly: false, into: &output)
    endRequest(at: time, complete: false, into: &output)
    endResponse(at: time, complete: false, into: &output)
    for place in pending { place.pointee.isAbandoned = true }
    flush(into: &output)
  }
}
