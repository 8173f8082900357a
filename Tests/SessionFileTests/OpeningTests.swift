import Glibc
import HTTPModel
import Testing

@testable import SessionFile

@Suite struct OpeningTests {
  private func error(_ bytes: [UInt8], _ name: String = "f", expecting: SessionFileKind? = nil) -> SessionFileError? {
    let directory = TemporaryDirectory()
    write(bytes, to: directory.file(name))
    return sessionError { _ = try SessionReader(path: directory.file(name), expecting: expecting) }
  }

  @Test func whatIsNoSessionIsCalledWhatItIs() {
    func content(_ bytes: [UInt8]) -> SessionFileError.ForeignContent?? {
      if case .notSessionFile(_, let content)? = error(bytes) { return .some(content) }
      return nil
    }
    let rest = [UInt8](repeating: 0x20, count: 100)
    #expect(content([0xd4, 0xc3, 0xb2, 0xa1] + rest) == .some(.packetCapture))
    #expect(content([0x0a, 0x0d, 0x0d, 0x0a] + rest) == .some(.packetCapture))
    #expect(content(Array("{\"log\":{}}".utf8)) == .some(.json))
    #expect(content(Array("\n [1]".utf8) + rest) == .some(.json))
    #expect(content([0x1f, 0x8b, 8] + rest) == .some(.gzip))
    #expect(content([0x28, 0xb5, 0x2f, 0xfd] + rest) == .some(.zstd))
    #expect(content(Array("1 7c9e1a0b7c9e1a0b7c9e1a0b 1790000000\nGET / HTTP/1.1\r\n".utf8)) == .some(.goReplay))
    #expect(content(Array("hello".utf8) + rest) == .some(nil))
    #expect(content([0]) == .some(nil))
  }

  @Test func emptyMissingAndDirectories() {
    let directory = TemporaryDirectory()
    guard case .empty? = error([]) else { return #expect(Bool(false), "an empty file") }
    #expect(
      sessionError { _ = try SessionReader(path: directory.file("none")) }
        == .system(path: directory.file("none"), operation: "open", errno: ENOENT))
    #expect(
      sessionError { _ = try SessionReader(path: directory.path) } == .isDirectory(path: directory.path))
  }

  @Test func anotherKindOrANewerVersionIsRefused() throws {
    let header = FileHeader(kind: SessionFileKind.run.rawValue, created: noon)
    guard case .otherKind(_, .run, .session)? = error(header.encoded(), expecting: .session) else {
      return #expect(Bool(false), "a run where a session is expected")
    }
    var newer = FileHeader(kind: 1, created: noon)
    newer.major = 3
    guard case .newerVersion(_, 3, 0)? = error(newer.encoded()) else {
      return #expect(Bool(false), "a newer major version")
    }
    var later = FileHeader(kind: 1, created: noon)
    later.minor = 9
    #expect(error(later.encoded()) == nil)
    guard case .unknownKind(_, 7)? = error(FileHeader(kind: 7, created: noon).encoded()) else {
      return #expect(Bool(false), "an unknown kind")
    }
  }

  @Test func everyErrorIsOneLineThatSaysWhatToDo() {
    let errors: [SessionFileError] = [
      .system(path: "f", operation: "open", errno: ENOENT), .system(path: "f", operation: "open", errno: EACCES),
      .isDirectory(path: "f"), .empty(path: "f"), .truncatedHeader(path: "f"), .notSessionFile(path: "f", content: nil),
      .notSessionFile(path: "f", content: .packetCapture), .notSessionFile(path: "f", content: .json),
      .notSessionFile(path: "f", content: .gzip), .notSessionFile(path: "f", content: .goReplay),
      .otherKind(path: "f", kind: .run, expected: .session), .otherKind(path: "f", kind: .session, expected: .run),
      .unknownKind(path: "f", kind: 3), .newerVersion(path: "f", major: 2, minor: 1), .exists(path: "f"),
      .existsForeign(path: "f"), .diskFull(path: "f"), .fileTooLarge(path: "f"), .pipeClosed(path: "f"),
      .spoolFull(path: "f", directory: "/t"), .encrypted(path: "f"), .wrongKey(path: "f"),
      .encryptedHeaderLost(path: "f"),
    ]
    for error in errors {
      #expect(!error.description.contains("\n"))
      #expect(error.description.contains(": "))
    }
  }
}
