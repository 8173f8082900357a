// Packets to pcapng: section header, interface descriptions, enhanced packet blocks, statistics, secrets.
//
// In: packets and counts. Out: bytes, appended. Owner: one writer. Bounds: 65,536 interfaces.
//
// Source: draft-ietf-opsawg-pcapng. This machine's byte order, times in nanoseconds.

public import HTTPModel
public import PacketHeaders

/// Encodes one section of a pcapng file; a file is one section or several.
///
/// An interface is described when its first packet comes. No packet costs an allocation beyond what the output needs.
public struct PcapngEncoder: Sendable {
  private struct Interface: Hashable {
    var number: Int
    var linkType: LinkType
  }

  private var snapLength: UInt32
  private var numbers: [Interface: UInt32] = [:]
  private var last: (interface: Interface, number: UInt32)?

  /// - Parameters:
  ///   - application: what wrote the file; told in the section header.
  ///   - snapLength: bytes that were kept of each packet at most; 0 where there was no limit.
  ///   - bytes: the section header is appended.
  public init(application: String, snapLength: UInt32, into bytes: inout [UInt8]) {
    self.snapLength = snapLength
    PcapngEncoder.block(0x0a0d_0d0a, into: &bytes) { bytes in
      bytes.put(0x1a2b_3c4d as UInt32)
      bytes.put(1 as UInt16)
      bytes.put(0 as UInt16)
      // The section's length is not known.
      bytes.put(UInt64.max)
      // shb_userappl
      PcapngEncoder.option(4, Array(application.utf8), into: &bytes)
      bytes.put(0 as UInt32)
    }
  }

  /// Interfaces that have been described.
  public var interfaces: Int { numbers.count }

  /// Bytes that ``add(_:into:)`` appends for a packet at most: a block, and its interface's description.
  public static func room(for packet: PacketRecord) -> Int { packet.bytes.count + 3 + 32 + 32 }

  /// Appends a packet, after its interface's description where it is the first of it.
  ///
  /// - Returns: false where pcapng can't say it: over 65,536 interfaces, a link type over 16 bits, or a length over 32.
  public mutating func add(_ packet: PacketRecord, into bytes: inout [UInt8]) -> Bool {
    let interface = Interface(number: packet.interface, linkType: packet.linkType)
    let number: UInt32
    if let last, last.interface == interface {
      number = last.number
    } else {
      guard let known = numbers[interface] ?? describe(interface, into: &bytes) else { return false }
      number = known
      last = (interface, known)
    }
    let count = packet.bytes.count
    guard count <= Int(UInt32.max) - 64 else { return false }
    let length = UInt32(32 + (count + 3) & ~3)
    // Times before 1970 can't be said without an offset.
    let ticks = UInt64(max(0, packet.time.nanoseconds))
    let header = (
      6 as UInt32, length, number, UInt32(ticks >> 32), UInt32(truncatingIfNeeded: ticks), UInt32(count),
      UInt32(clamping: packet.lengthOnWire)
    )
    withUnsafeBytes(of: header) { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: packet.bytes)
    PcapngEncoder.pad(&bytes, from: count)
    bytes.put(length)
    return true
  }

  /// Appends what was lost on an interface since the section began, of which a packet was added.
  ///
  /// - Returns: false where the section has no such interface.
  public func addStatistics(
    interface: Int, linkType: LinkType, at time: Timestamp, received: UInt64, drops: RecordedDrops,
    into bytes: inout [UInt8]
  ) -> Bool {
    guard let number = numbers[Interface(number: interface, linkType: linkType)] else { return false }
    let ticks = UInt64(max(0, time.nanoseconds))
    PcapngEncoder.block(5, into: &bytes) { bytes in
      bytes.put(number)
      bytes.put(UInt32(ticks >> 32))
      bytes.put(UInt32(truncatingIfNeeded: ticks))
      // isb_ifrecv, isb_ifdrop, isb_osdrop
      for (code, count) in [(4, received), (5, drops.interfaceDrops), (7, drops.kernelDrops)] as [(UInt16, UInt64)] {
        bytes.put(code)
        bytes.put(8 as UInt16)
        bytes.put(count)
      }
      bytes.put(0 as UInt32)
    }
    return true
  }

  /// Appends keys; to stand before the packets that they decrypt.
  public func add(_ secrets: CaptureSecrets, into bytes: inout [UInt8]) {
    PcapngEncoder.block(10, into: &bytes) { bytes in
      bytes.put(secrets.kind.secretsType)
      bytes.put(UInt32(secrets.bytes.count))
      bytes += secrets.bytes
      PcapngEncoder.pad(&bytes, from: secrets.bytes.count)
    }
  }

  private mutating func describe(_ interface: Interface, into bytes: inout [UInt8]) -> UInt32? {
    guard numbers.count < 65_536, let linkType = UInt16(exactly: interface.linkType.rawValue) else { return nil }
    PcapngEncoder.block(1, into: &bytes) { bytes in
      bytes.put(linkType)
      bytes.put(0 as UInt16)
      bytes.put(snapLength)
      // if_tsresol: 10^-9 s
      PcapngEncoder.option(9, [9], into: &bytes)
      bytes.put(0 as UInt32)
    }
    let number = UInt32(numbers.count)
    numbers[interface] = number
    return number
  }

  private static func block(_ type: UInt32, into bytes: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
    let start = bytes.count
    bytes.put(type)
    bytes.put(0 as UInt32)
    body(&bytes)
    let length = UInt32(bytes.count - start + 4)
    bytes.put(length)
    withUnsafeBytes(of: length) { bytes.replaceSubrange(start + 4..<start + 8, with: $0) }
  }

  private static func option(_ code: UInt16, _ value: [UInt8], into bytes: inout [UInt8]) {
    let value = value.prefix(Int(UInt16.max) & ~3)
    bytes.put(code)
    bytes.put(UInt16(value.count))
    bytes += value
    pad(&bytes, from: value.count)
  }

  private static func pad(_ bytes: inout [UInt8], from count: Int) {
    bytes.append(contentsOf: repeatElement(0, count: (4 - count & 3) & 3))
  }
}

extension [UInt8] {
  /// In this machine's byte order.
  @inline(__always)
  fileprivate mutating func put<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
    Swift.withUnsafeBytes(of: value) { append(contentsOf: $0) }
  }
}
