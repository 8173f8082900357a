/// Something in captured traffic that a protocol's rules do not allow, or that was lost on the way.
///
/// Traffic is data, never an error: an anomaly is attached to the exchange or counted in the ledger and decoding
/// goes on. The raw value is what a session file stores and is never reused; ``identifier`` is what users script against.
public enum Anomaly: UInt8, CaseIterable, Sendable {
  // The network and transport: 0 ..< 10.
  case tcpGap = 0
  case tcpOverlapMismatch = 1
  case tcpMidstream = 2
  case tcpReset = 3
  case tcpEvicted = 4
  case tcpSnapLengthCut = 5
  case tcpIdleExpired = 6
  case tcpDataAfterFIN = 7

  // TLS: 10 ..< 20.
  case tlsBadRecordMAC = 10
  case tlsNoSecrets = 11
  case tlsJoinedInMidConnection = 12
  case tlsRecordMalformed = 13
  case tlsRecordLost = 14
  case tlsRenegotiation = 15
  case tlsEarlyDataRejected = 16
  case tlsHandshakeMalformed = 17
  case tlsDataAfterClose = 18

  // HTTP/1: 20 ..< 60.
  case http1ContentLengthAndChunked = 20
  case http1ContentLengthConflict = 21
  case http1ContentLengthInvalid = 22
  case http1TransferEncodingUnknown = 23
  case http1ChunkInvalid = 24
  case http1BareLF = 25
  case http1ObsoleteFold = 26
  case http1LeadingEmptyLine = 27
  case http1FieldNameInvalid = 28
  case http1FieldValueInvalid = 29
  case http1WhitespaceBeforeColon = 30
  case http1FieldWithoutColon = 31
  case http1StartLineInvalid = 32
  case http1VersionUnknown = 33
  case http1HeadTooLarge = 34
  case http1TruncatedByClose = 35
  case http1HostMissing = 36
  case http1HostRepeated = 37
  case http1ResponseBeforeRequestEnd = 38
  case http1ResponseWithoutRequest = 39
  case http1RequestWithoutResponse = 40
  case http1BodyNotAllowed = 41
  case http1BareCR = 42
  case http1ChunkBareLF = 43
  case http1DataAfterClose = 44
  case http1TransferEncodingInHTTP10 = 45

  // HTTP/2: 60 ..< 100.
  case h2PrefaceInvalid = 60
  case h2SettingsMissing = 61
  case h2FrameSizeExceeded = 62
  case h2FrameSizeInvalid = 63
  case h2PaddingInvalid = 64
  case h2StreamIdentifierInvalid = 65
  case h2StreamIdle = 66
  case h2StreamClosed = 67
  case h2ContinuationExpected = 68
  case h2ContinuationUnexpected = 69
  case h2ContinuationFlood = 70
  case h2HeaderBlockTooLarge = 71
  case h2SettingInvalid = 72
  case h2SettingsFlood = 73
  case h2SettingsAckUnexpected = 74
  case h2WindowUpdateInvalid = 75
  case h2FlowControlExceeded = 76
  case h2PrioritySelfDependency = 77
  case h2PseudoFieldInvalid = 78
  case h2PseudoFieldMissing = 79
  case h2PseudoFieldRepeated = 80
  case h2PseudoFieldMisplaced = 81
  case h2FieldNameInvalid = 82
  case h2FieldValueInvalid = 83
  case h2ConnectionSpecificField = 84
  case h2ContentLengthMismatch = 85
  case h2TrailersWithoutEnd = 86
  case h2PushInvalid = 87
  case h2RapidReset = 88
  case h2ConcurrentStreamsExceeded = 89
  case h2StreamEvicted = 90
  case h2StreamReset = 91
  case h2FrameBoundaryLost = 92
  case h2HeadLost = 93
  case h2FrameTruncated = 94

  // HPACK: 100 ..< 112.
  case h2UnresolvedIndex = 100
  case h2AssumedIndex = 101
  case hpackIndexInvalid = 102
  case hpackIntegerOverflow = 103
  case hpackHuffmanInvalid = 104
  case hpackBlockTruncated = 105
  case hpackSizeUpdateTooLarge = 106
  case hpackSizeUpdateMisplaced = 107
  case hpackSizeUpdateMissing = 108
  case hpackHeaderListTooLarge = 109

  // Messages in a body's bytes: 112 ..< 120 and 122 ..< 128.
  case messageTruncated = 112
  case messageOverLimit = 113
  case messageBoundaryLost = 114
  case messageCodingInvalid = 115
  case grpcFlagInvalid = 116
  case grpcTrailersMisplaced = 117
  case webSocketReservedBits = 118
  case webSocketOpcodeUnknown = 119
  case webSocketMaskInvalid = 122
  case webSocketControlInvalid = 123
  case webSocketLengthInvalid = 124
  case webSocketContinuationInvalid = 125
  case webSocketTextInvalid = 126
  case webSocketCloseInvalid = 127

  // Bodies: 120 ..< 122.
  case bodyOverLimit = 120
  case bodyIncomplete = 121

  /// The stable name, `layer.what`.
  public var identifier: String {
    switch self {
    case .tcpGap: "tcp.gap"
    case .tcpOverlapMismatch: "tcp.overlap-mismatch"
    case .tcpMidstream: "tcp.midstream"
    case .tcpReset: "tcp.reset"
    case .tcpEvicted: "tcp.evicted"
    case .tcpSnapLengthCut: "tcp.snap-length-cut"
    case .tcpIdleExpired: "tcp.idle-expired"
    case .tcpDataAfterFIN: "tcp.data-after-fin"
    case .tlsBadRecordMAC: "tls.bad-record-mac"
    case .tlsNoSecrets: "tls.no-secrets"
    case .tlsJoinedInMidConnection: "tls.joined-in-mid-connection"
    case .tlsRecordMalformed: "tls.record-malformed"
    case .tlsRecordLost: "tls.record-lost"
    case .tlsRenegotiation: "tls.renegotiation"
    case .tlsEarlyDataRejected: "tls.early-data-rejected"
    case .tlsHandshakeMalformed: "tls.handshake-malformed"
    case .tlsDataAfterClose: "tls.data-after-close"
    case .http1ContentLengthAndChunked: "http1.content-length-and-chunked"
    case .http1ContentLengthConflict: "http1.content-length-conflict"
    case .http1ContentLengthInvalid: "http1.content-length-invalid"
    case .http1TransferEncodingUnknown: "http1.transfer-encoding-unknown"
    case .http1ChunkInvalid: "http1.chunk-invalid"
    case .http1BareLF: "http1.bare-lf"
    case .http1ObsoleteFold: "http1.obs-fold"
    case .http1LeadingEmptyLine: "http1.leading-empty-line"
    case .http1FieldNameInvalid: "http1.field-name-invalid"
    case .http1FieldValueInvalid: "http1.field-value-invalid"
    case .http1WhitespaceBeforeColon: "http1.whitespace-before-colon"
    case .http1FieldWithoutColon: "http1.field-without-colon"
    case .http1StartLineInvalid: "http1.start-line-invalid"
    case .http1VersionUnknown: "http1.version-unknown"
    case .http1HeadTooLarge: "http1.head-too-large"
    case .http1TruncatedByClose: "http1.truncated-by-close"
    case .http1HostMissing: "http1.host-missing"
    case .http1HostRepeated: "http1.host-repeated"
    case .http1ResponseBeforeRequestEnd: "http1.response-before-request-end"
    case .http1ResponseWithoutRequest: "http1.response-without-request"
    case .http1RequestWithoutResponse: "http1.request-without-response"
    case .http1BodyNotAllowed: "http1.body-not-allowed"
    case .http1BareCR: "http1.bare-cr"
    case .http1ChunkBareLF: "http1.chunk-bare-lf"
    case .http1DataAfterClose: "http1.data-after-close"
    case .http1TransferEncodingInHTTP10: "http1.transfer-encoding-in-http10"
    case .h2PrefaceInvalid: "h2.preface-invalid"
    case .h2SettingsMissing: "h2.settings-missing"
    case .h2FrameSizeExceeded: "h2.frame-size-exceeded"
    case .h2FrameSizeInvalid: "h2.frame-size-invalid"
    case .h2PaddingInvalid: "h2.padding-invalid"
    case .h2StreamIdentifierInvalid: "h2.stream-identifier-invalid"
    case .h2StreamIdle: "h2.stream-idle"
    case .h2StreamClosed: "h2.stream-closed"
    case .h2ContinuationExpected: "h2.continuation-expected"
    case .h2ContinuationUnexpected: "h2.continuation-unexpected"
    case .h2ContinuationFlood: "h2.continuation-flood"
    case .h2HeaderBlockTooLarge: "h2.header-block-too-large"
    case .h2SettingInvalid: "h2.setting-invalid"
    case .h2SettingsFlood: "h2.settings-flood"
    case .h2SettingsAckUnexpected: "h2.settings-ack-unexpected"
    case .h2WindowUpdateInvalid: "h2.window-update-invalid"
    case .h2FlowControlExceeded: "h2.flow-control-exceeded"
    case .h2PrioritySelfDependency: "h2.priority-self-dependency"
    case .h2PseudoFieldInvalid: "h2.pseudo-field-invalid"
    case .h2PseudoFieldMissing: "h2.pseudo-field-missing"
    case .h2PseudoFieldRepeated: "h2.pseudo-field-repeated"
    case .h2PseudoFieldMisplaced: "h2.pseudo-field-misplaced"
    case .h2FieldNameInvalid: "h2.field-name-invalid"
    case .h2FieldValueInvalid: "h2.field-value-invalid"
    case .h2ConnectionSpecificField: "h2.connection-specific-field"
    case .h2ContentLengthMismatch: "h2.content-length-mismatch"
    case .h2TrailersWithoutEnd: "h2.trailers-without-end-stream"
    case .h2PushInvalid: "h2.push-invalid"
    case .h2RapidReset: "h2.rapid-reset"
    case .h2ConcurrentStreamsExceeded: "h2.concurrent-streams-exceeded"
    case .h2StreamEvicted: "h2.stream-evicted"
    case .h2StreamReset: "h2.stream-reset"
    case .h2FrameBoundaryLost: "h2.frame-boundary-lost"
    case .h2HeadLost: "h2.head-lost"
    case .h2FrameTruncated: "h2.frame-truncated"
    case .h2UnresolvedIndex: "h2.unresolved-index"
    case .h2AssumedIndex: "h2.assumed-index"
    case .hpackIndexInvalid: "hpack.index-invalid"
    case .hpackIntegerOverflow: "hpack.integer-overflow"
    case .hpackHuffmanInvalid: "hpack.huffman-invalid"
    case .hpackBlockTruncated: "hpack.block-truncated"
    case .hpackSizeUpdateTooLarge: "hpack.size-update-too-large"
    case .hpackSizeUpdateMisplaced: "hpack.size-update-misplaced"
    case .hpackSizeUpdateMissing: "hpack.size-update-missing"
    case .hpackHeaderListTooLarge: "hpack.header-list-too-large"
    case .messageTruncated: "message.truncated"
    case .messageOverLimit: "message.over-limit"
    case .messageBoundaryLost: "message.boundary-lost"
    case .messageCodingInvalid: "message.coding-invalid"
    case .grpcFlagInvalid: "grpc.flag-invalid"
    case .grpcTrailersMisplaced: "grpc.trailers-misplaced"
    case .webSocketReservedBits: "websocket.reserved-bits"
    case .webSocketOpcodeUnknown: "websocket.opcode-unknown"
    case .webSocketMaskInvalid: "websocket.mask-invalid"
    case .webSocketControlInvalid: "websocket.control-frame-invalid"
    case .webSocketLengthInvalid: "websocket.length-invalid"
    case .webSocketContinuationInvalid: "websocket.continuation-invalid"
    case .webSocketTextInvalid: "websocket.text-not-utf8"
    case .webSocketCloseInvalid: "websocket.close-invalid"
    case .bodyOverLimit: "body.over-limit"
    case .bodyIncomplete: "body.incomplete"
    }
  }
}

/// A set of anomalies, two words wide.
public struct AnomalySet: Hashable, Sendable {
  /// Bit n of the pair (`low` first) stands for the anomaly with raw value n.
  public var low: UInt64
  /// See ``low``.
  public var high: UInt64

  public init() { (low, high) = (0, 0) }

  public init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// Nothing odd was seen.
  @inlinable public var isEmpty: Bool { low | high == 0 }

  /// Adds an anomaly.
  @inlinable
  public mutating func insert(_ anomaly: Anomaly) {
    let bit = anomaly.rawValue
    if bit < 64 { low |= 1 << UInt64(bit) } else { high |= 1 << UInt64(bit - 64) }
  }

  /// Whether an anomaly was seen.
  @inlinable
  public func contains(_ anomaly: Anomaly) -> Bool {
    let bit = anomaly.rawValue
    return (bit < 64 ? low >> UInt64(bit) : high >> UInt64(bit - 64)) & 1 == 1
  }

  /// Adds what another set holds.
  @inlinable
  public mutating func formUnion(_ other: AnomalySet) {
    low |= other.low
    high |= other.high
  }

  /// The members in order of raw value; bits of a newer version that have no name here are left out.
  public var members: [Anomaly] { Anomaly.allCases.filter(contains) }
}

extension AnomalySet: ExpressibleByArrayLiteral {
  public init(arrayLiteral elements: Anomaly...) {
    self.init()
    for element in elements { insert(element) }
  }
}
