// Ports and a user's expression to a BPF program.
//
// In: port ranges, pcap-filter(7) text. Out: text, or a program for one link type. Owner: a packet source.
// Bounds: libpcap's, 4096 instructions in the kernel; larger programs run in libpcap.

import CPcap
import PacketHeaders

/// The filter's text, from ports and a user's expression.
///
/// libpcap's `port` sees only what has its TCP header at the usual place. So that nothing vanishes uncounted, the text
/// for ports lets through, besides TCP packets of those ports, what may carry such TCP behind something else: the other
/// fragments of IPv4 datagrams with TCP, and IPv6 packets with extension headers (fragments among them). Whoever takes
/// the packets still has to look at the ports.
///
/// When compiled for Ethernet, the whole expression F becomes `F or (vlan and (F or (vlan and F)))`, so that it also
/// holds within one 802.1Q tag or two. An expression that itself says `vlan` is left as it is, and so is every
/// expression on other link types, where libpcap knows no tags.
public enum CaptureFilter {
  /// - Parameter ports: none means that every packet is wanted.
  /// - Returns: nil where nothing is asked for.
  public static func text(ports: [ClosedRange<UInt16>], and expression: String?) -> String? {
    let expression = expression.flatMap { text in text.allSatisfy(\.isWhitespace) ? nil : text }
    guard !ports.isEmpty else { return expression }
    let choice = ports.map { $0.count == 1 ? "port \($0.lowerBound)" : "portrange \($0.lowerBound)-\($0.upperBound)" }
    let wanted = "(tcp and (\(choice.joined(separator: " or ")))) or \(laterFragments) or \(extensionHeaders)"
    return expression.map { "(\(wanted)) and (\($0))" } ?? wanted
  }

  private static let laterFragments = "(ip proto 6 and ip[6:2] & 0x1fff != 0)"
  private static let extensionHeaders =
    "(ip6 and (\([0, 43, 44, 51, 60].map { "ip6[6] = \($0)" }.joined(separator: " or "))))"

  /// The text that also looks behind VLAN tags; nil where that makes no sense.
  static func withinTags(_ text: String, linkType: LinkType) -> String? {
    guard linkType == .ethernet, !text.contains("vlan") else { return nil }
    return "(\(text)) or (vlan and ((\(text)) or (vlan and (\(text)))))"
  }
}

/// A compiled filter. Owner: one packet source.
final class BPFProgram {
  private let program: UnsafeMutablePointer<bpf_program>

  /// For a live capture: the kernel's knowledge of tags that the interface took off is compiled in.
  ///
  /// - Parameter handle: an activated `pcap_t`.
  /// - Returns: nil where nothing is asked for.
  static func live(
    ports: [ClosedRange<UInt16>], expression: String?, handle: OpaquePointer, linkType: LinkType
  ) throws(CaptureError) -> BPFProgram? {
    guard let text = CaptureFilter.text(ports: ports, and: expression) else { return nil }
    // A mistake is told in the user's own words, not in those that the ports added.
    if let expression, expression != text { _ = try BPFProgram(expression, handle: handle) }
    if let tagged = CaptureFilter.withinTags(text, linkType: linkType),
      let program = try? BPFProgram(tagged, handle: handle)
    {
      return program
    }
    return try BPFProgram(text, handle: handle)
  }

  /// For packets of a saved capture.
  static func saved(_ expression: String, linkType: LinkType) throws(CaptureError) -> BPFProgram {
    // DLT_RAW is the one number that differs between files and libpcap.
    let number = linkType == .raw ? DLT_RAW : Int32(truncatingIfNeeded: linkType.rawValue)
    guard let handle = pcap_open_dead(number, 262_144) else {
      throw .filterInvalid(filter: expression, message: "out of memory", linkType: linkType)
    }
    defer { pcap_close(handle) }
    if let tagged = CaptureFilter.withinTags(expression, linkType: linkType),
      let program = try? BPFProgram(tagged, handle: handle)
    {
      return program
    }
    return try BPFProgram(expression, handle: handle, linkType: linkType)
  }

  /// - Parameter linkType: told in the error.
  private init(_ text: String, handle: OpaquePointer, linkType: LinkType? = nil) throws(CaptureError) {
    program = .allocate(capacity: 1)
    program.initialize(to: bpf_program())
    // bpf_u_int32.max stands for an unknown netmask.
    guard pcap_compile(handle, program, text, 1, bpf_u_int32.max) == 0 else {
      throw .filterInvalid(filter: text, message: String(cString: pcap_geterr(handle)), linkType: linkType)
    }
  }

  deinit {
    pcap_freecode(program)
    program.deallocate()
  }

  func matches(_ packet: PacketRecord) -> Bool {
    var header = pcap_pkthdr()
    header.caplen = bpf_u_int32(truncatingIfNeeded: packet.bytes.count)
    header.len = bpf_u_int32(truncatingIfNeeded: max(packet.lengthOnWire, packet.bytes.count))
    return pcap_offline_filter(program, &header, packet.bytes.assumingMemoryBound(to: UInt8.self).baseAddress) != 0
  }

  /// Lets the kernel, or libpcap where the kernel can't, drop what does not match.
  /// - Returns: whether that was done; `pcap_geterr` tells why not.
  func install(on handle: OpaquePointer) -> Bool { pcap_setfilter(handle, program) == 0 }
}
