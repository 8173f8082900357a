import Glibc
import HTTPModel
import SessionFile
import Testing

@Suite struct WritingTests {
  private func mode(_ path: String) -> mode_t {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
  }

  @Test func newFilesAreForTheirOwnerOnly() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("a.umbra")
    try writeSession([plainExchange(1, at: 0)], to: path)
    #expect(mode(path) == 0o600)
    // Also where an old one was open to all.
    chmod(path, 0o644)
    try writeSession([plainExchange(2, at: 0)], to: path)
    #expect(mode(path) == 0o600)
    #expect(try SessionReader(path: path).all() == [plainExchange(2, at: 0)])
  }

  @Test func nothingIsOverwrittenUnasked() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("a.umbra")
    func problem(overwrite: Bool) -> SessionFileError? {
      sessionError { _ = try SessionWriter(.path(path, overwrite: overwrite), kind: .session, created: noon) }
    }
    write(Array("precious".utf8), to: path)
    #expect(problem(overwrite: true) == .existsForeign(path: path))
    #expect(contents(of: path) == Array("precious".utf8))
    write([], to: path)
    try writeSession([plainExchange(1, at: 0)], to: path)
    #expect(problem(overwrite: false) == .exists(path: path))
    #expect(try SessionReader(path: path).all().count == 1)
    #expect(
      sessionError {
        _ = try SessionWriter(.path(directory.path, overwrite: true), kind: .session, created: noon)
      } == .isDirectory(path: directory.path))
    let nowhere = directory.file("none/a.umbra")
    #expect(
      sessionError { _ = try SessionWriter(.path(nowhere, overwrite: true), kind: .session, created: noon) }
        == .system(path: nowhere, operation: "create", errno: ENOENT))
  }

  @Test func aReaderKeepsTheFileThatIsReplaced() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("a.umbra")
    try writeSession([plainExchange(1, at: 0)], to: path)
    let reader = try SessionReader(path: path)
    try writeSession([plainExchange(2, at: 0)], to: path)
    #expect(try reader.all() == [plainExchange(1, at: 0)])
  }

  @Test func throughAPipeAndBack() throws {
    let exchanges = (0..<3000).map { plainExchange(UInt32($0), at: Int64($0) * 1000) }
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    let writer = try SessionWriter(.descriptor(ends[1], name: "pipe"), kind: .session, created: noon)
    let encoder = SessionEncoder(blockTarget: 10_000)
    for exchange in exchanges {
      if let block = encoder.append(exchange) { #expect(writer.offer(block)) }
    }
    while let block = encoder.sealBlock() { #expect(writer.offer(block)) }
    // The writer's own thread fills the pipe while this one empties it; the end comes with the last descriptor.
    let finishing = FinishingThread(writer, closing: ends[1])
    let reader = try SessionReader(descriptor: ends[0], name: "pipe", expecting: .session)
    finishing.join()
    close(ends[0])
    #expect(try reader.all() == exchanges)
    #expect(reader.damage.isEmpty)
  }

  @Test func aClosedPipeIsSaidAndNothingElseHappens() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    close(ends[0])
    let writer = try SessionWriter(.descriptor(ends[1], name: "standard output"), kind: .session, created: noon)
    #expect(sessionError { try writer.finish() } == .pipeClosed(path: "standard output"))
    #expect(writer.problem == .pipeClosed(path: "standard output"))
    #expect(!writer.offer(.metadata(["a": "b"])))
    #expect(!writer.put(.metadata(["a": "b"])))
    close(ends[1])
  }

  @Test func aFullDeviceIsSaid() throws {
    let writer = try SessionWriter(.path("/dev/full", overwrite: false), kind: .session, created: noon)
    #expect(sessionError { try writer.finish() } == .diskFull(path: "/dev/full"))
  }

  @Test func aFullDiskLeavesWhatWasWritten() throws {
    let directory = TemporaryDirectory()
    guard mount("tmpfs", directory.path, "tmpfs", 0, "size=256k,mode=700") == 0 else {
      print("skipped: a full disk (mounting a tmpfs is not allowed here)")
      return
    }
    defer { umount(directory.path) }
    let path = directory.file("full.umbra")
    let writer = try SessionWriter(.path(path, overwrite: false), kind: .session, created: noon)
    let encoder = SessionEncoder(blockTarget: 40_000)
    var random = SeededGenerator(seed: 4)
    let exchanges = (0..<200).map { plainExchange(UInt32($0), at: Int64($0), body: random.bytes(4000)) }
    for exchange in exchanges {
      if let block = encoder.append(exchange) { _ = writer.put(block) }
    }
    #expect(sessionError { try writer.finish() } == .diskFull(path: path))
    let reader = try SessionReader(path: path)
    let found = try reader.all()
    #expect(found.count > 30)
    #expect(found == Array(exchanges.prefix(found.count)))
    #expect(!reader.losesData)
    #expect(UInt64(found.count) == writer.written.exchanges)
  }

  @Test func aFullQueueShedsAndNeverBlocks() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    // Nobody reads: the writer is stuck as soon as the pipe is full.
    let writer = try SessionWriter(
      .descriptor(ends[1], name: "pipe"), kind: .session, created: noon, queueLimit: 300_000)
    let encoder = SessionEncoder(blockTarget: 1)
    var random = SeededGenerator(seed: 2)
    var taken: UInt64 = 0
    var shed = 0
    for index in 0..<60 {
      guard let block = encoder.append(plainExchange(UInt32(index), at: Int64(index), body: random.bytes(20_000)))
      else {
        continue
      }
      if writer.offer(block) { taken += 1 } else { shed += 1 }
      #expect(writer.queuedBytes <= 300_000)
    }
    #expect(shed > 0)
    #expect(taken >= 14)
    let finishing = FinishingThread(writer, closing: ends[1])
    let reader = try SessionReader(descriptor: ends[0], name: "pipe")
    finishing.join()
    close(ends[0])
    #expect(reader.exchangeCount == taken)
    #expect(writer.queuedBytes == 0)
  }

  @Test func waitingForRoomAlwaysEnds() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("a.umbra")
    let writer = try SessionWriter(.path(path, overwrite: false), kind: .session, created: noon, queueLimit: 500)
    let encoder = SessionEncoder(blockTarget: 1)
    for index in 0..<2000 {
      if let block = encoder.append(plainExchange(UInt32(index), at: Int64(index))) { #expect(writer.put(block)) }
    }
    #expect(try writer.finish().exchanges == 2000)
  }

  @Test func theSummaryIsTheFile() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("a.umbra")
    let writer = try SessionWriter(.path(path, overwrite: false), kind: .session, created: noon)
    let encoder = SessionEncoder()
    _ = encoder.append(plainExchange(1, at: 0))
    #expect(writer.put(encoder.sealBlock()!))
    let summary = try writer.finish(metadata: ["a": "b"])
    #expect(summary.bytes == UInt64(contents(of: path).count))
    #expect(summary.exchanges == 1)
    #expect(summary.blocks == 3)
  }

  @Test func whatCannotBeCompressedIsStoredAsItIs() throws {
    let directory = TemporaryDirectory()
    var random = SeededGenerator(seed: 1)
    let noise = random.bytes(300_000)
    let text = [UInt8](repeating: 0x61, count: 300_000)
    for (name, body, most) in [("noise", noise, 310_000), ("text", text, 5000)] {
      let path = directory.file(name)
      try writeSession([plainExchange(1, at: 0, body: body)], to: path)
      #expect(contents(of: path).count < most)
      #expect(try SessionReader(path: path).all().first?.response?.body.bytes == body)
    }
  }
}

/// Finishes a writer on another thread, so that this one can read what it writes.
///
/// `@unchecked Sendable`: both properties are set before the thread starts and only read after.
private final class FinishingThread: @unchecked Sendable {
  private let writer: SessionWriter
  private let descriptor: Int32
  private var thread = pthread_t()

  init(_ writer: SessionWriter, closing descriptor: Int32) {
    self.writer = writer
    self.descriptor = descriptor
    pthread_create(
      &thread, nil,
      { argument in
        let finishing = Unmanaged<FinishingThread>.fromOpaque(argument!).takeRetainedValue()
        _ = try? finishing.writer.finish()
        close(finishing.descriptor)
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
  }

  func join() { pthread_join(thread, nil) }
}
