import PacketHeaders
import Testing

@testable import PcapCapture

@Suite("Secrets and drops that captures tell of")
struct SecretsTests {
  private static let keyLog = Array("CLIENT_RANDOM 00112233 deadbeef\n".utf8)

  private func secrets(_ file: inout PcapngFile, type: UInt32, _ bytes: [UInt8], length: UInt32? = nil) {
    file.block(10) {
      $0.add(type)
      $0.add(length ?? UInt32(bytes.count))
      $0.bytes += bytes
    }
  }

  @Test("are handed on in order, and never shown", arguments: [false, true])
  func handedOn(_ isBigEndian: Bool) throws {
    var file = PcapngFile(isBigEndian: isBigEndian)
    file.section()
    secrets(&file, type: 0x544c_534b, Self.keyLog)
    file.interface()
    file.enhanced([1])
    secrets(&file, type: 0x5353_484b, [1, 2, 3])
    secrets(&file, type: 9, [])
    secrets(&file, type: 0x544c_534b, [1], length: 500)
    file.enhanced([2])
    let path = try TemporaryFile(file.bytes)
    let capture = try SavedCapture(path: path.path)
    _ = try capture.next()
    #expect(capture.hasSecrets)
    let first = capture.takeSecrets()
    #expect(first == [CaptureSecrets(kind: .tlsKeyLog, bytes: Self.keyLog)])
    #expect(!capture.hasSecrets)
    let second = try capture.next()?.bytes.first
    #expect(second == 2)
    #expect(capture.takeSecrets().map(\.kind) == [.sshKeyLog, .other(9)])
    #expect(capture.problems.map(\.kind) == [.lengthInvalid(24), .skipped(24, isResumed: true)])
    var shown = "\(first) \(first[0]) \(String(reflecting: first[0]))"
    dump(first, to: &shown)
    #expect(shown.contains("TLS key log of 32 bytes"))
    #expect(!shown.contains("deadbeef") && !shown.contains("67"))
  }

  @Test("behind the packets are found by reading ahead")
  func readAhead() throws {
    var file = PcapngFile()
    file.section()
    file.interface()
    for number in 0..<100 { file.enhanced([UInt8(number)]) }
    secrets(&file, type: 0x544c_534b, Self.keyLog)
    let path = try TemporaryFile(file.bytes)
    #expect(try SavedCapture.secrets(path: path.path).map(\.bytes) == [Self.keyLog])
    #expect(try SavedCapture.secrets(path: "-").isEmpty)
    let plain = try TemporaryFile(PcapFile.file([]))
    #expect(try SavedCapture.secrets(path: plain.path).isEmpty)
  }

  @Test("that nobody takes are dropped over a limit")
  func limit() throws {
    var file = PcapngFile()
    file.section()
    file.interface()
    for _ in 0..<3 { secrets(&file, type: 1, Array(repeating: 7, count: 6 << 20)) }
    file.enhanced([1])
    let path = try TemporaryFile(file.bytes)
    let capture = try SavedCapture(path: path.path)
    _ = try capture.next()
    #expect(capture.takeSecrets().count == 2)
    #expect(capture.problems.map(\.kind) == [.secretsTooMany])
  }

  @Test("drops that packets tell of count where statistics do not tell more")
  func packetDrops() throws {
    var file = PcapngFile()
    file.section()
    file.interface()
    file.interface()
    for interface in [0, 0, 1] as [UInt32] {
      file.block(6) {
        for value in [interface, 0, 0, 2, 2] as [UInt32] { $0.add(value) }
        $0.bytes += [1, 2, 0, 0]
        $0.add(UInt16(4))
        $0.add(UInt16(8))
        $0.add(UInt64(5))
        $0.add(UInt32(0))
      }
    }
    file.statistics(interface: 1, options: [(5, file.number(3)), (7, file.number(4))])
    file.statistics(interface: 0, options: [(5, file.number(.max)), (7, file.number(.max))])
    let read = try ReadCapture(file.bytes)
    #expect(read.packets.count == 3)
    #expect(read.drops.kernelDrops == 10 + 4)
    #expect(read.drops.interfaceDrops == 3)
  }
}
