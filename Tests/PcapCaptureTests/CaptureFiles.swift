// Writers of pcap and pcapng in either byte order, and readers of what comes out.

import Glibc
import HTTPModel
import PacketHeaders
import PcapCapture

/// Bytes in a byte order.
struct FileBytes {
  let isBigEndian: Bool
  var bytes: [UInt8] = []

  init(isBigEndian: Bool = false) { self.isBigEndian = isBigEndian }

  mutating func add<Value: FixedWidthInteger & UnsignedInteger>(_ value: Value) {
    withUnsafeBytes(of: isBigEndian ? value.bigEndian : value.littleEndian) { bytes += $0 }
  }

  mutating func pad() { while bytes.count % 4 != 0 { bytes.append(0) } }
}

enum PcapFile {
  struct Record {
    var seconds: UInt32 = 1_700_000_000
    var ticks: UInt32 = 123_456
    var bytes: [UInt8]
    var captured: UInt32?
    var onWire: UInt32?
  }

  static func file(
    _ records: [Record], magic: UInt32 = 0xa1b2_c3d4, linkType: UInt32 = 1, minor: UInt16 = 4,
    isBigEndian: Bool = false,
    snapLength: UInt32 = 262_144, extra: [UInt8]? = nil, header: [UInt8] = []
  ) -> [UInt8] {
    var file = FileBytes(isBigEndian: isBigEndian)
    file.add(magic)
    file.add(UInt16(2))
    file.add(minor)
    for value: UInt32 in [0, 0, snapLength, linkType] { file.add(value) }
    file.bytes += header
    var patched = FileBytes(isBigEndian: isBigEndian)
    patched.add(UInt32(2))
    patched.add(UInt16(0x0800))
    patched.add(UInt16(0))
    let extra: [UInt8] = extra ?? (magic == 0xa1b2_cd34 ? patched.bytes : [])
    for record in records {
      let captured = record.captured ?? UInt32(record.bytes.count)
      let lengths = [captured, record.onWire ?? captured]
      for value in [record.seconds, record.ticks] + (minor < 3 ? lengths.reversed() : lengths) { file.add(value) }
      file.bytes += extra
      file.bytes += record.bytes
    }
    return file.bytes
  }
}

/// Builds pcapng block by block.
struct PcapngFile {
  var file: FileBytes
  var bytes: [UInt8] { file.bytes }

  init(isBigEndian: Bool = false) { file = FileBytes(isBigEndian: isBigEndian) }

  mutating func block(_ type: UInt32, trailer: UInt32? = nil, _ body: (inout FileBytes) -> Void) {
    var content = FileBytes(isBigEndian: file.isBigEndian)
    body(&content)
    content.pad()
    let length = UInt32(content.bytes.count + 12)
    file.add(type)
    file.add(length)
    file.bytes += content.bytes
    file.add(trailer ?? length)
  }

  mutating func section(length: UInt64 = .max, major: UInt16 = 1) {
    block(0x0a0d_0d0a) {
      $0.add(UInt32(0x1a2b_3c4d))
      $0.add(major)
      $0.add(UInt16(0))
      $0.add(length)
    }
  }

  mutating func interface(
    linkType: UInt16 = 1, snapLength: UInt32 = 0, options: [(code: UInt16, value: [UInt8])] = []
  ) {
    block(1) {
      $0.add(linkType)
      $0.add(UInt16(0))
      $0.add(snapLength)
      PcapngFile.add(options, to: &$0)
    }
  }

  mutating func enhanced(
    _ packet: [UInt8], interface: UInt32 = 0, ticks: UInt64 = 0, captured: UInt32? = nil, onWire: UInt32? = nil,
    trailer: UInt32? = nil
  ) {
    block(6, trailer: trailer) {
      $0.add(interface)
      $0.add(UInt32(ticks >> 32))
      $0.add(UInt32(truncatingIfNeeded: ticks))
      $0.add(captured ?? UInt32(packet.count))
      $0.add(onWire ?? UInt32(packet.count))
      $0.bytes += packet
    }
  }

  mutating func obsolete(_ packet: [UInt8], interface: UInt16 = 0, ticks: UInt64 = 0) {
    block(2) {
      $0.add(interface)
      $0.add(UInt16(9))
      $0.add(UInt32(ticks >> 32))
      $0.add(UInt32(truncatingIfNeeded: ticks))
      $0.add(UInt32(packet.count))
      $0.add(UInt32(packet.count))
      $0.bytes += packet
    }
  }

  mutating func simple(_ packet: [UInt8], onWire: UInt32? = nil) {
    block(3) {
      $0.add(onWire ?? UInt32(packet.count))
      $0.bytes += packet
    }
  }

  mutating func statistics(interface: UInt32, options: [(code: UInt16, value: [UInt8])]) {
    block(5) {
      $0.add(interface)
      $0.add(UInt64(0))
      PcapngFile.add(options, to: &$0)
    }
  }

  /// A number as an option's value, in the file's byte order.
  func number(_ value: UInt64) -> [UInt8] {
    var bytes = FileBytes(isBigEndian: file.isBigEndian)
    bytes.add(value)
    return bytes.bytes
  }

  private static func add(_ options: [(code: UInt16, value: [UInt8])], to content: inout FileBytes) {
    for option in options {
      content.add(option.code)
      content.add(UInt16(option.value.count))
      content.bytes += option.value
      content.pad()
    }
    if !options.isEmpty { content.add(UInt32(0)) }
  }
}

/// A record that owns its bytes.
struct OwnedPacket: Equatable {
  var nanoseconds: Int64
  var linkType: LinkType
  var interface: Int
  var bytes: [UInt8]
  var lengthOnWire: Int

  init(_ record: PacketRecord) {
    nanoseconds = record.time.nanoseconds
    linkType = record.linkType
    interface = record.interface
    bytes = Array(record.bytes)
    lengthOnWire = record.lengthOnWire
  }
}

struct ReadCapture: Equatable {
  var packets: [OwnedPacket] = []
  var problems: [SavedCaptureProblem] = []
  var filtered: UInt64 = 0
  var drops = RecordedDrops()
  var skipped: UInt64 = 0

  init(_ capture: SavedCapture) throws(CaptureError) {
    while let record = try capture.next() { packets.append(OwnedPacket(record)) }
    problems = capture.problems
    filtered = capture.filteredPackets
    drops = capture.recordedDrops
    skipped = capture.skippedBytes
  }

  /// Through a file.
  init(_ bytes: [UInt8], filter: String? = nil) throws {
    let file = try TemporaryFile(bytes)
    try self.init(SavedCapture(path: file.path, filter: filter))
  }
}

struct SystemFailure: Error { let code = errno }

/// A file that goes when this goes.
final class TemporaryFile {
  let path: String

  init(_ bytes: [UInt8] = []) throws {
    var template = Array("/tmp/umbra-capture-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw SystemFailure() }
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    defer { close(descriptor) }
    guard write(descriptor, bytes, bytes.count) == bytes.count else { throw SystemFailure() }
  }

  deinit { unlink(path) }
}

/// The reading end of a pipe into which another thread writes `bytes` in pieces.
func pipeReadingEnd(_ bytes: [UInt8], pieces: [Int]) throws -> Int32 {
  var ends: [Int32] = [0, 0]
  guard pipe(&ends) == 0 else { throw SystemFailure() }
  let writer = PipeWriter(descriptor: ends[1], bytes: bytes, pieces: pieces)
  var thread = pthread_t()
  let status = pthread_create(
    &thread, nil,
    {
      Unmanaged<PipeWriter>.fromOpaque($0!).takeRetainedValue().run()
      return nil
    }, Unmanaged.passRetained(writer).toOpaque())
  guard status == 0 else { throw SystemFailure() }
  pthread_detach(thread)
  return ends[0]
}

private final class PipeWriter: Sendable {
  let descriptor: Int32
  let bytes: [UInt8]
  let pieces: [Int]

  init(descriptor: Int32, bytes: [UInt8], pieces: [Int]) {
    (self.descriptor, self.bytes, self.pieces) = (descriptor, bytes, pieces)
  }

  func run() {
    var rest = bytes[...]
    var turn = 0
    while !rest.isEmpty {
      let piece = Array(rest.prefix(pieces[turn % pieces.count]))
      guard write(descriptor, piece, piece.count) == piece.count else { break }
      rest = rest.dropFirst(piece.count)
      turn += 1
    }
    close(descriptor)
  }
}

/// Both ends of a pipe that holds `bytes` and in which nothing more comes.
func silentPipe(_ bytes: [UInt8]) throws -> [Int32] {
  var ends: [Int32] = [0, 0]
  guard pipe(&ends) == 0, write(ends[1], bytes, bytes.count) == bytes.count else { throw SystemFailure() }
  return ends
}

func closeDescriptor(_ descriptor: Int32) { close(descriptor) }
