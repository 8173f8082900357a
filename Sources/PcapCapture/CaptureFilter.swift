// BPF: the text of a filter from ports and a user's expression, and a compiled one for saved packets.

import CPcap
import PacketHeaders

/// The pcap-filter(7) text of a capture.
public enum CaptureFilter {
  /// TCP on any of `ports`, also behind one or two VLAN tags, and the user's own expression; nil where all is wanted.
  ///
  /// IP fragments but the first carry no ports and are let through, so that they can be counted.
  public static func text(ports: [ClosedRange<UInt16>], and expression: String?) -> String? {
    let terms = ports.map { range in
      range.count == 1 ? "port \(range.lowerBound)" : "portrange \(range.lowerBound)-\(range.upperBound)"
    }
    var parts: [String] = []
    if !terms.isEmpty {
      let either = terms.joined(separator: " or ")
      let wanted = "((tcp and (\(either))) or (ip[6:2] & 0x1fff != 0))"
      // 'vlan' shifts where everything after it looks, so the untagged case stands first.
      parts.append("(\(wanted) or (vlan and (\(wanted) or (vlan and \(wanted)))))")
    }
    if let expression, !expression.allSatisfy(\.isWhitespace) { parts.append("(\(expression))") }
    // The user's expression goes first: it must not be read after 'vlan' has shifted offsets.
    return parts.isEmpty ? nil : parts.reversed().joined(separator: " and ")
  }
}

/// A filter compiled for one link type, for packets that are already in memory. Owner: one source, one thread.
final class CompiledFilter {
  private var program = bpf_program()

  init(_ text: String, linkType: LinkType, snapLength: Int32 = 262_144) throws(CaptureError) {
    guard let handle = pcap_open_dead(Int32(bitPattern: linkType.rawValue), snapLength) else {
      throw .filterInvalid(filter: text, reason: "out of memory")
    }
    defer { pcap_close(handle) }
    guard pcap_compile(handle, &program, text, 1, UInt32(bitPattern: -1)) == 0 else {
      throw .filterInvalid(filter: text, reason: String(cString: pcap_geterr(handle)))
    }
  }

  deinit { pcap_freecode(&program) }

  func matches(_ packet: UnsafeRawBufferPointer, lengthOnWire: Int) -> Bool {
    guard let base = packet.baseAddress else { return false }
    var header = pcap_pkthdr()
    header.caplen = UInt32(clamping: packet.count)
    header.len = UInt32(clamping: lengthOnWire)
    return pcap_offline_filter(&program, &header, base.assumingMemoryBound(to: UInt8.self)) != 0
  }
}
