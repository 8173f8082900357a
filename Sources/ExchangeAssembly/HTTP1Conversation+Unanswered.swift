// Requests that wait for their answers, handed out early so that a killed capture has them on disk.

import HTTPModel

extension HTTP1Conversation {
  /// Adds the exchanges whose request ended before `time` and is still unanswered; each once.
  func tellUnanswered(before time: Timestamp, into unanswered: inout [Exchange]) {
    for index in pending.indices
    where !pending[index].isToldEarly && pending[index].requestBody == nil && pending[index].awaitsResponse
      && pending[index].exchange.request!.timing.end < time
    {
      pending[index].isToldEarly = true
      unanswered.append(pending[index].exchange)
    }
  }
}
