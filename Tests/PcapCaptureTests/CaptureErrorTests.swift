import Glibc
import HTTPModel
import PacketHeaders
import Testing

@testable import PcapCapture

@Suite("Files that can't be read, and what is said about them")
struct CaptureErrorTests {
  private func message(_ path: String, filter: String? = nil) -> String {
    do {
      let capture = try SavedCapture(path: path, filter: filter)
      while try capture.next() != nil {}
      return ""
    } catch { return "\(error)" }
  }

  private func message(of bytes: [UInt8]) throws -> (message: String, path: String) {
    let file = try TemporaryFile(bytes)
    return (message(file.path), file.path)
  }

  @Test("missing, a directory, empty, unreadable")
  func access() throws {
    #expect(message("/nonexistent/x.pcap") == "/nonexistent/x.pcap does not exist: check the name")
    #expect(message("/") == "/ is a directory: name a capture file in it")
    let empty = try message(of: [])
    #expect(empty.message == "\(empty.path) is empty: it holds no capture; capture again")
    #expect(message("/proc/self/mem").hasPrefix("cannot read /proc/self/mem: "))
  }

  @Test("compression that is not undone names the tool, and so does a second layer of one that is")
  func compressed() throws {
    let lz4 = try message(of: [0x04, 0x22, 0x4d, 0x18, 0, 0, 0, 0])
    #expect(
      lz4.message == "\(lz4.path) is compressed with lz4: decompress it first, "
        + "with 'lz4 -dc < \(lz4.path) > capture.pcap'")
    #expect(try message(of: Compressed.gzip(Compressed.gzip(PcapFile.file([])))).message.contains("gzip -dc"))
    #expect(try message(of: Compressed.gzip(Compressed.zstd(PcapFile.file([])))).message.contains("zstd -dc"))
    let ends = try silentPipe([0x04, 0x22, 0x4d, 0x18, 0, 0, 0, 0])
    defer { ends.forEach(closeDescriptor) }
    do {
      _ = try SavedCapture(descriptor: ends[0], name: standardInputName)
      Issue.record("accepted")
    } catch { #expect("\(error)".hasSuffix("decompress it first, with 'lz4 -dc | umbra ...'")) }
  }

  @Test("compressed files in which no capture's header is found")
  func compressedUnreadable() throws {
    let whole = Compressed.gzip(PcapFile.file([PcapFile.Record(bytes: PcapTests.packet)]))
    let cut = try message(of: Array(whole.prefix(12)))
    #expect(
      cut.message == "\(cut.path) is compressed with gzip and cut off before the capture's first packet: "
        + "nothing can be read; copy it again")
    var damaged = Compressed.zstd(PcapFile.file([]))
    damaged[5] ^= 0xff
    #expect(try message(of: damaged).message.contains("is compressed with zstd and damaged"))
    #expect(try message(of: Compressed.gzip([])).message.contains("is empty"))
    #expect(try message(of: Compressed.zstd(Array("hello, world".utf8))).message.contains("neither pcap nor pcapng"))
  }

  @Test("other kinds of file are named where they are known")
  func foreign() throws {
    #expect(try message(of: Array("snoop\0\0\0".utf8)).message.contains("editcap"))
    #expect(try message(of: [0x89] + Array("UMBRA\r\n".utf8)).message.contains("umbra show"))
    #expect(try message(of: Array("PK\u{3}\u{4}....".utf8)).message.contains("neither pcap nor pcapng"))
    #expect(try message(of: [1, 2]).message.contains("neither pcap nor pcapng"))
    var header = PcapFile.file([])
    header[4] = 9
    #expect(try message(of: header).message.contains("pcap version 9.4"))
  }

  @Test("a filter's mistake is told in libpcap's words with the filter's text")
  func filter() throws {
    let file = try TemporaryFile(PcapFile.file([PcapFile.Record(bytes: PcapTests.packet)]))
    let text = message(file.path, filter: "tcp porrt 80")
    #expect(text.hasPrefix("the filter 'tcp porrt 80' is not valid for Ethernet packets: "))
    #expect(text.contains("syntax error"))
  }

  @Test("interfaces are named in order of likeness")
  func unknownInterface() {
    let error = CaptureError.interfaceUnknown(name: "lol", existing: CaptureInterfaces.names(like: "lol"))
    #expect("\(error)".hasPrefix("there is no interface 'lol'; there are: lo, "))
    #expect(CaptureInterfaces.editDistance("eth0", "eth1") == 1)
    #expect(CaptureInterfaces.editDistance("", "abc") == 3)
    #expect(CaptureInterfaces.editDistance("kitten", "sitting") == 3)
  }

  @Test("want of privilege names the capability and the command for this program")
  func privilege() {
    let text = "\(CaptureError.notPermitted(interface: "lo"))"
    #expect(text.contains("CAP_NET_RAW"))
    #expect(text.contains(CapturePrivilege.setcapCommand))
    #expect(CapturePrivilege.setcapCommand.hasPrefix("sudo setcap cap_net_raw+ep "))
    #expect(CapturePrivilege.shellQuoted("/usr/bin/umbra") == "/usr/bin/umbra")
    #expect(CapturePrivilege.shellQuoted("/a b/it's") == "'/a b/it'\\''s'")
  }

  @Test("loopback is listed with its address, and any")
  func interfaces() throws {
    let interfaces = try CaptureInterfaces.list()
    let loopback = try #require(interfaces.first { $0.isLoopback })
    #expect(loopback.addresses.contains { $0.isLoopback })
    #expect(loopback.linkType == .ethernet)
    #expect(interfaces.last?.name == "any")
    #expect(Set(interfaces.map(\.name)).count == interfaces.count)
  }
}
