// Requests that wait for their answers, handed out early so that a killed capture has them on disk.

import HTTPModel

extension HTTP1Conversation {
  /// Adds the exchanges whose request ended before `time` and is still unanswered; each once.
  func tellUnanswered(before time: Timestamp, into unanswered: inout [Exchange]) {
    for place in pending
    where !place.pointee.isToldEarly && place.pointee.requestBody == nil && place.pointee.awaitsResponse
      && place.pointee.exchange.request!.timing.end < time
    {
      place.pointee.isToldEarly = true
      unanswered.append(place.pointee.exchange)
    }
  }
}
