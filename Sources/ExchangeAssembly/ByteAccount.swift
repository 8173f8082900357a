// Where the bytes of a connection went, counted by those that consumed them.
//
// In: counts of decoders, each its own. Out: rows of the ledger. Owner: whoever reads the bytes. Nothing here is derived
// from what the connection brought, so that the two can be held against each other.

import HTTP1Decoding
import HTTP2Decoding
import HTTPModel
import TLSDecryption

struct ByteAccount: Equatable {
  /// In HTTP messages, framing included.
  var message: UInt64 = 0
  /// Passed over on the way to the next message.
  var skipped: UInt64 = 0
  /// In tunnels and upgraded connections that are not read as HTTP.
  var tunnel: UInt64 = 0
  var notHTTP: UInt64 = 0
  /// What TLS adds: handshakes, record headers, padding, tags.
  var protection: UInt64 = 0
  /// Held until more comes.
  var pending: UInt64 = 0

  var total: UInt64 { message &+ skipped &+ tunnel &+ notHTTP &+ protection &+ pending }

  static func += (account: inout ByteAccount, other: ByteAccount) {
    account.message &+= other.message
    account.skipped &+= other.skipped
    account.tunnel &+= other.tunnel
    account.notHTTP &+= other.notHTTP
    account.protection &+= other.protection
    account.pending &+= other.pending
  }

  /// Nothing more comes: what was held became part of no message.
  mutating func close() {
    skipped &+= pending
    pending = 0
  }

  /// Enters the account into `ledger`, and by how much it differs from what the connection brought.
  func enter(_ ledger: inout Ledger, delivered: UInt64) {
    ledger[.bytesMessage] &+= message
    ledger[.bytesSkipped] &+= skipped
    ledger[.bytesTunnel] &+= tunnel
    ledger[.bytesNotHTTP] &+= notHTTP
    ledger[.bytesTLS] &+= protection
    ledger[.bytesPending] &+= pending
    ledger[.bytesUnaccounted] &+= total > delivered ? total - delivered : delivered - total
  }
}

extension ByteAccount {
  /// Bytes of a tunnel are their readers', bytes of a rejected stream those of whoever takes over.
  init(_ decoder: borrowing HTTP1Decoder) {
    message = decoder.counts.message
    skipped = decoder.counts.skipped
    pending = UInt64(decoder.heldBytes)
  }

  init(_ connection: borrowing HTTP2Connection) {
    for side in [HTTP2Side.originator, .responder] {
      let counts = connection.counts(of: side)
      message &+= counts.framing &+ counts.blocks &+ counts.data
      skipped &+= counts.skipped
      pending &+= UInt64(connection.heldBytes(of: side))
    }
  }

  /// Without the plaintext, which is the streams' within.
  init(_ connection: borrowing TLSConnection) {
    notHTTP = connection.unreadBytes
    protection = connection.recordBytes &- connection.plaintextBytes
    pending = UInt64(connection.heldCiphertext)
  }
}
