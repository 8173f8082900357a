// Captures of other programs: each opens or is refused with a reason, and the number of packets is what tshark counts.

import Glibc
import PacketHeaders
import PcapCapture
import Testing

@Suite("The corpus of captures", .enabled(if: Corpus.captures != nil, "no corpus: UMBRA_CORPUS names one"))
struct CorpusTests {
  @Test("every file opens or says why not, every packet can be parsed, and none is missed")
  func everyFile() throws {
    let captures = try #require(Corpus.captures)
    #expect(!captures.isEmpty)
    var counted = 0
    var segments = 0
    for path in captures {
      var packets = 0
      var problems: [SavedCaptureProblem] = []
      do {
        let capture = try SavedCapture(path: path)
        while let packet = try capture.next() {
          packets += 1
          let content = PacketParser(linkType: packet.linkType)
            .parse(packet.bytes.bytes, lengthOnWire: packet.lengthOnWire)
          guard case .tcp(let segment) = content else { continue }
          segments += 1
          #expect(segment.payload.upperBound <= packet.bytes.count, "\(path), packet \(packets)")
        }
        problems = capture.problems
      } catch { #expect("\(error)".contains(path)) }
      guard let frames = Corpus.frames(beside: path) else { continue }
      counted += 1
      // A packet that the file's end cuts is counted by some and lost to all.
      let cutOff = problems.contains { $0.kind == .cutOff } ? 1 : 0
      #expect(packets == frames || packets == frames - cutOff, "\(path): \(problems)")
    }
    #expect(counted > 0)
    #expect(segments > 0)
  }

  @Test("every format reads the same through gzip and zstd, and as one of two that are merged")
  func formats() throws {
    let captures = try #require(Corpus.captures).filter {
      $0.contains("/formats/") || $0.contains("/adversarial/file/")
    }
    #expect(!captures.isEmpty)
    for path in captures {
      guard let bytes = Corpus.contents(of: path), let plain = try? ReadCapture(bytes) else { continue }
      for compressed in [Compressed.gzip(bytes), Compressed.zstd(bytes)] {
        #expect(try ReadCapture(compressed) == plain, "\(path)")
      }
      let set = try SavedCaptureSet(paths: [path, path])
      var count = 0
      while try set.next() != nil { count += 1 }
      #expect(count == 2 * plain.packets.count, "\(path)")
    }
  }
}

enum Corpus {
  /// All captures below the corpus' `pcap` folder, or nil without a corpus.
  static let captures: [String]? = {
    let named = getenv("UMBRA_CORPUS").map { String(cString: $0) }
    let package = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    let folder = (named ?? package + "/../shared/corpus") + "/pcap"
    guard access(folder, R_OK) == 0 else { return nil }
    return files(below: folder).filter { $0.hasSuffix(".pcap") || $0.hasSuffix(".pcapng") || $0.hasSuffix(".cap") }
      .sorted()
  }()

  /// The number of packets that a capture's side file tells, be it tshark's or the generator's. tshark counts other
  /// blocks of pcapng as frames too, log entries for instance, and lists them under a link type without a name.
  static func frames(beside path: String) -> Int? {
    for suffix in [".truth.jsonl", ".expected.json"] {
      guard let text = start(of: path + suffix), let found = text.firstRange(of: "\"frames\": ") else { continue }
      let frames = Int(text[found.upperBound...].prefix { $0.isNumber })
      guard let other = text.firstRange(of: "\"encap\": {\"\": ") else { return frames }
      return frames.flatMap { all in Int(text[other.upperBound...].prefix { $0.isNumber }).map { all - $0 } }
    }
    return nil
  }

  private static func start(of path: String) -> String? {
    contents(of: path, limit: 4096).map { String(decoding: $0, as: UTF8.self) }
  }

  static func contents(of path: String, limit: Int = 1 << 20) -> [UInt8]? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = fread(&bytes, 1, bytes.count, file)
    return Array(bytes.prefix(count))
  }

  private static func files(below folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var found: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      guard !name.hasPrefix(".") else { continue }
      let path = folder + "/" + name
      if Int32(entry.pointee.d_type) == Int32(DT_DIR) { found += files(below: path) } else { found.append(path) }
    }
    return found
  }
}
