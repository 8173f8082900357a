/// Keys that a capture file carries for decrypting its packets, from a pcapng decryption secrets block.
///
/// Neither printing nor reflecting it shows the keys.
///
/// Source: draft-ietf-opsawg-pcapng, 4.7.
public struct CaptureSecrets: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// Lines of the NSS key log format.
    case tlsKeyLog
    case sshKeyLog
    case wireGuardKeyLog
    /// The block's secrets type.
    case other(UInt32)

    init(secretsType: UInt32) {
      switch secretsType {
      case 0x544c_534b: self = .tlsKeyLog
      case 0x5353_484b: self = .sshKeyLog
      case 0x5747_4b4c: self = .wireGuardKeyLog
      default: self = .other(secretsType)
      }
    }

    var secretsType: UInt32 {
      switch self {
      case .tlsKeyLog: 0x544c_534b
      case .sshKeyLog: 0x5353_484b
      case .wireGuardKeyLog: 0x5747_4b4c
      case .other(let type): type
      }
    }
  }

  public var kind: Kind
  /// As they stood in the block; of the NSS key log format where ``kind`` is `tlsKeyLog`.
  public var bytes: [UInt8]

  public init(kind: Kind, bytes: [UInt8]) {
    self.kind = kind
    self.bytes = bytes
  }
}

extension CaptureSecrets: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String {
    let name =
      switch kind {
      case .tlsKeyLog: "TLS key log"
      case .sshKeyLog: "SSH key log"
      case .wireGuardKeyLog: "WireGuard key log"
      case .other: "secrets"
      }
    return "\(name) of \(bytes.count) bytes"
  }

  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
