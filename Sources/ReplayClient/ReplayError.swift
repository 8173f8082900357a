/// Why a replay could not begin or go on; each says what to change.
///
/// What happens to a single request is never an error but an attempt's outcome.
public enum ReplayError: Error, Sendable, CustomStringConvertible {
  case targetNotUnderstood(url: String, reason: String)
  case optionOutOfRange(name: String, expected: String)
  case nameNotResolved(host: String, reason: String)
  /// No address of the target took a connection when the run was about to begin.
  case targetUnreachable(target: String, address: String, reason: String)
  /// A target took a connection, and TLS or HTTP/2 was not agreed on.
  case notAgreed(target: String, address: String, reason: String)
  /// A file of certificates or keys cannot be used.
  case certificateUnusable(file: String, reason: String)
  /// The system refused threads, descriptors or memory for the run.
  case systemFailure(reason: String)
  /// `next` threw: the session could not be read on.
  case sessionFailed(any Error)
  /// `deliver` threw: a result could not be kept.
  case deliveryFailed(any Error)

  public var description: String {
    switch self {
    case .targetNotUnderstood(let url, let reason):
      "'\(url)' is not a target: \(reason); write it like http://canary:8080"
    case .optionOutOfRange(let name, let expected): "\(name) is out of range: expected \(expected)"
    case .nameNotResolved(let host, let reason):
      "the name '\(host)' cannot be resolved: \(reason); check its spelling and this machine's DNS"
    case .targetUnreachable(let target, let address, let reason):
      "cannot connect to \(target) at \(address): \(reason); is it running and listening there?"
    case .notAgreed(let target, let address, let reason): "\(target) at \(address): \(reason)"
    case .certificateUnusable(let file, let reason): "'\(file)' cannot be used: \(reason)"
    case .systemFailure(let reason): "the replay could not be set up: \(reason)"
    case .sessionFailed(let error): "the session could not be read on: \(error)"
    case .deliveryFailed(let error): "a result could not be kept: \(error)"
    }
  }
}
