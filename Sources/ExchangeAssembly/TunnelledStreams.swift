// What an HTTP/1 connection carries after a CONNECT that succeeded (RFC 9110, 9.3.6).
//
// In: the bytes of both directions. Out: the same to the streams within, where they are ones that can be read. Owner:
// ApplicationStreams. Bounds: those of the streams within.

import HTTP2Decoding
import HTTPModel
import TCPReassembly
import TLSDecryption

final class TunnelledStreams {
  private let client: StreamDirection
  private var inner: ApplicationStreams?
  private var isForeign = false
  /// Of what is not read.
  private var passed = ByteAccount()

  init(client: StreamDirection) { self.client = client }

  /// - Parameter place: where exchanges that begin now stand.
  func read(
    _ bytes: UnsafeRawBufferPointer, _ direction: StreamDirection, _ origin: MessageOrigin, place: StreamPlace,
    limits: AssemblyLimits, into output: inout AssemblyOutput
  ) {
    if inner == nil, !isForeign {
      if Self.isReadable(bytes) {
        inner = ApplicationStreams(place, limits: limits, client: client)
      } else {
        isForeign = true
      }
    }
    if let inner {
      inner.read(bytes, direction, origin, into: &output)
    } else {
      passed.tunnel &+= UInt64(bytes.count)
    }
  }

  func readEnd(
    _ end: StreamEnd, _ direction: StreamDirection, at time: Timestamp, into output: inout AssemblyOutput
  ) {
    inner?.readEnd(end, direction, at: time, into: &output)
  }

  var isBlocked: Bool { inner?.isBlocked ?? false }

  var waitsForSecrets: Bool { inner?.waitsForSecrets ?? false }

  func retry(at time: Timestamp, into output: inout AssemblyOutput) { inner?.retry(at: time, into: &output) }

  func close(at time: Timestamp, anomaly: Anomaly?, into output: inout AssemblyOutput) {
    inner?.close(at: time, anomaly: anomaly, into: &output)
  }

  var account: ByteAccount {
    var account = passed
    if let inner { account += inner.account }
    return account
  }

  private static func isReadable(_ bytes: UnsafeRawBufferPointer) -> Bool {
    TLSConnection.recognise(bytes) == .clientHello || HTTP2Recognition.preface(bytes) == .yes
      || MessageOpening.role(bytes) == .request
  }
}
