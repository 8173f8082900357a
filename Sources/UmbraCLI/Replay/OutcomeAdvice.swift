// What to do about attempts that failed for the sake of TLS or of the protocol. In: counts. Out: sentences.

import HTTPModel
import ReplayClient

extension ReplayOutcome {
  /// A sentence for each way of failing that flags can mend.
  var advice: [String] {
    attempts.sorted { $0.key.rawValue < $1.key.rawValue }.compactMap { outcome, count in
      outcome.advice.map { "\(counted(count, "attempt")) ended as \(outcome.identifier): \($0)." }
    }
  }
}

extension AttemptOutcome {
  fileprivate var advice: String? {
    switch self {
    case .certificateUntrusted: "name the file of the certificate's authority with --cacert, or --insecure"
    case .certificateNameMismatch: "name the target as its certificate does; --resolve says where that name is"
    case .tlsHandshakeFailed: "a target that wants a client certificate takes --cert and --key"
    case .protocolNotAgreed: "the target does not speak what was asked of it; try another --protocol or http://"
    case .targetSpeaksTLS: "write the target as https://"
    case .targetSpeaksPlain: "write the target as http:// or h2c://"
    default: nil
    }
  }
}
