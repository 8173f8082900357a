import Glibc
import HTTPModel
import NIOCore
import NIOHTTP2
import NIOPosix
import NIOSSL

/// Why a connection could not be made, or broke: what an attempt ends with, and what to tell a person.
struct DialFailure: Error {
  var outcome: AttemptOutcome
  /// What happened and, where there is something to do about it, what; without the target's name.
  var reason: String

  init(_ outcome: AttemptOutcome, _ reason: String) {
    self.outcome = outcome
    self.reason = reason
  }

  /// After a trial of HTTP/2 there was a connection, so that HTTP/1 may be tried on another.
  var mayBeHTTP1: Bool {
    switch outcome {
    case .protocolNotAgreed, .malformedResponse, .connectionReset, .closedEarly, .connectTimeout: true
    default: false
    }
  }

  /// - Parameter isHandshake: nothing but TLS has been spoken so far.
  init(_ error: any Error, isHandshake: Bool) {
    switch error {
    case let failure as DialFailure: self = failure
    case let error as ChannelError:
      if case .connectTimeout(let amount) = error {
        self.init(.connectTimeout, "no answer within \(amount.nanoseconds / 1_000_000) ms")
      } else {
        self.init(isHandshake ? .connectFailed : .connectionReset, "\(error)")
      }
    case let error as IOError: self.init(error, isHandshake: isHandshake)
    case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError, is NIOTLSUnwrappingError:
      self.init(security: error, isHandshake: isHandshake)
    case is any NIOHTTP2Error: self.init(.malformedResponse, "what it sent is no HTTP/2: \(error)")
    default: self.init(isHandshake ? .connectFailed : .connectionReset, "\(error)")
    }
  }

  private init(_ error: IOError, isHandshake: Bool) {
    let text = String(cString: strerror(error.errnoCode))
    switch error.errnoCode {
    case ECONNREFUSED: self.init(.connectionRefused, "connection refused")
    case ECONNRESET: self.init(isHandshake ? .connectionRefused : .connectionReset, text)
    case ETIMEDOUT: self.init(.connectTimeout, text)
    case ENOENT where isHandshake: self.init(.connectionRefused, "there is no such socket")
    default: self.init(isHandshake ? .connectFailed : .connectionReset, text)
    }
  }

  /// From what BoringSSL says: its errors are told apart by their names alone.
  private init(security error: any Error, isHandshake: Bool) {
    let text = "\(error)"
    func says(_ names: String...) -> Bool { names.contains { text.contains($0) } }
    if !isHandshake, let error = error as? NIOSSLError, case .uncleanShutdown = error {
      self.init(.closedEarly, "it closed without ending TLS")
    } else if says("failedToValidateHostname") || (error as? NIOSSLExtraError) == .failedToValidateHostname {
      self.init(
        .certificateNameMismatch,
        "its certificate is for other names: name the target as its certificate does (--resolve says where that name "
          + "is), or --insecure")
    } else if says("CERTIFICATE_VERIFY_FAILED") || says("nableToValidateCertificate") {
      self.init(
        .certificateUntrusted,
        "its certificate is not trusted here: name the file of its authority with --cacert, or --insecure")
    } else if says("NO_APPLICATION_PROTOCOL") {
      self.init(.protocolNotAgreed, "it agrees to no application protocol that was offered: try another --protocol")
    } else if says("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST") {
      self.init(.targetSpeaksPlain, "it does not speak TLS on this port: write the target as http:// or h2c://")
    } else if says("CERTIFICATE_REQUIRED", "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA", "ALERT_CERTIFICATE_") {
      self.init(
        .tlsHandshakeFailed, "it wants a client certificate that it trusts: name one with --cert and --key")
    } else if says("ALERT_HANDSHAKE_FAILURE", "UNSUPPORTED_PROTOCOL", "ALERT_PROTOCOL_VERSION") {
      self.init(
        .tlsHandshakeFailed,
        "it refused the handshake: it wants a client certificate (--cert), or versions and ciphers have none in common")
    } else if isHandshake, says("EOF", "uncleanShutdown") {
      self.init(.tlsHandshakeFailed, "it closed in the middle of the TLS handshake: does it speak TLS on this port?")
    } else {
      self.init(isHandshake ? .tlsHandshakeFailed : .connectionReset, "TLS failed: \(text)")
    }
  }
}
