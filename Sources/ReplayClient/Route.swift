import HTTPModel

/// Which protocol requests travel on.
public enum ProtocolChoice: Hashable, Sendable {
  /// What was recorded on HTTP/1 goes on HTTP/1, what was recorded on HTTP/2 on HTTP/2 where the target speaks it.
  case recorded
  case http1
  case http2
}

/// How a connection is made.
enum Route: Hashable, Sendable {
  case plainHTTP1
  /// By prior knowledge.
  case plainHTTP2
  /// HTTP/2 by prior knowledge, if the target answers with it.
  case plainTrial
  case secure(OfferedProtocols)

  var mayBeHTTP2: Bool {
    switch self {
    case .plainHTTP1, .secure(.http1): false
    case .plainHTTP2, .plainTrial, .secure(.http2), .secure(.either): true
    }
  }

  /// - Parameters:
  ///   - wasHTTP2: the request was recorded on HTTP/2.
  ///   - speaksHTTP2: whether a target that was asked took HTTP/2; nil where none was.
  init(to scheme: ReplayTarget.Scheme, _ choice: ProtocolChoice, wasHTTP2: Bool, speaksHTTP2: Bool?) {
    switch (scheme, choice) {
    case (.h2c, _), (.http, .http2): self = .plainHTTP2
    case (.http, .http1): self = .plainHTTP1
    case (.http, .recorded):
      self = !wasHTTP2 || speaksHTTP2 == false ? .plainHTTP1 : speaksHTTP2 == true ? .plainHTTP2 : .plainTrial
    case (.https, .http1): self = .secure(.http1)
    case (.https, .http2): self = .secure(.http2)
    case (.https, .recorded): self = .secure(wasHTTP2 && speaksHTTP2 != false ? .either : .http1)
    }
  }

  /// What a run to such a target may offer.
  static func offers(_ choice: ProtocolChoice) -> [OfferedProtocols] {
    switch choice {
    case .recorded: [.http1, .either]
    case .http1: [.http1]
    case .http2: [.http2]
    }
  }
}

/// What a server's first bytes say about what it speaks.
enum FirstBytes {
  case tooFew
  /// The frame with which each HTTP/2 server begins (RFC 9113, 3.4).
  case settings
  case http1
  case tls
  case other

  init(_ bytes: some Collection<UInt8>) {
    let bytes = Array(bytes.prefix(9))
    if bytes.starts(with: "HTTP/1".utf8) {
      self = .http1
    } else if bytes.count >= 3, (0x14...0x17).contains(bytes[0]), bytes[1] == 3, bytes[2] <= 4 {
      self = .tls
    } else if bytes.count < 9 {
      self = .tooFew
    } else {
      self = bytes[3] == 4 && bytes[4] == 0 && bytes[5...8].allSatisfy { $0 == 0 } ? .settings : .other
    }
  }

  /// What is wrong with it as the beginning of HTTP/2; nil where that is not known yet, or nothing is.
  var failure: DialFailure? {
    switch self {
    case .tooFew, .settings: nil
    case .http1:
      DialFailure(
        .protocolNotAgreed, "it answers in HTTP/1 where HTTP/2 was spoken: write http://, or --protocol http/1.1")
    case .tls: DialFailure(.targetSpeaksTLS, "it speaks TLS on this port: write the target as https://")
    case .other: DialFailure(.malformedResponse, "what it sent first is no HTTP/2")
    }
  }
}
