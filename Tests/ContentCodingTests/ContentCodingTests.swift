import CBrotli
import CZstd
import ContentCoding
import Testing

/// The content that `encoded` decodes to, or what was thrown.
private func decode(
  _ encoded: [UInt8], _ codings: [String], limit: Int = 1 << 20
) -> Result<[UInt8], ContentCodingError> {
  do throws(ContentCodingError) {
    return .success(try ContentCoding.decode(encoded, codings: codings, limit: limit))
  } catch {
    return .failure(error)
  }
}

private func brotli(_ bytes: [UInt8]) -> [UInt8] {
  var count = BrotliEncoderMaxCompressedSize(bytes.count)
  var output = [UInt8](repeating: 0, count: count)
  BrotliEncoderCompress(5, 22, BROTLI_MODE_GENERIC, bytes.count, bytes, &count, &output)
  return Array(output.prefix(count))
}

private func zstandard(_ bytes: [UInt8], windowLog: Int32? = nil) -> [UInt8] {
  let context = ZSTD_createCCtx()
  defer { ZSTD_freeCCtx(context) }
  if let windowLog { ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, windowLog) }
  var output = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
  let count = ZSTD_compress2(context, &output, output.count, bytes, bytes.count)
  return Array(output.prefix(count))
}

private let encodings: [(name: String, bytes: [UInt8])] = [
  ("gzip", Vectors.gzip), ("deflate", Vectors.zlib), ("deflate", Vectors.raw), ("zstd", Vectors.zstd),
  ("br", Vectors.brotli),
]

@Suite struct ContentCodingTests {
  @Test func whatOtherProgramsCompressedIsDecoded() {
    for (name, bytes) in encodings { #expect(decode(bytes, [name]) == .success(Vectors.content), "\(name)") }
    #expect(decode(Vectors.gzip, ["X-GZip"]) == .success(Vectors.content))
    #expect(decode(Vectors.gzip, ["GZIP"]) == .success(Vectors.content))
    #expect(decode([1, 2, 3], ["identity"]) == .success([1, 2, 3]))
    #expect(decode([1, 2, 3], []) == .success([1, 2, 3]))
  }

  @Test func namesAreTakenFromFieldValues() {
    let values = [" gzip , br", "", ",", "identity", "Zstd\t"].map { Array($0.utf8) }
    #expect(ContentCoding.names(in: values) == ["gzip", "br", "Zstd"])
  }

  @Test func gzipComesBack() {
    for count in [0, 1, 1000, 300_000] {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
      for level: Int32 in [1, 6, 9] {
        let encoded = ContentCoding.gzip(bytes, level: level)
        #expect(decode(encoded, ["gzip"]) == .success(bytes))
        #expect(encoded == ContentCoding.gzip(bytes, level: level))
      }
    }
  }

  @Test func membersAndFramesThatFollowOneAnotherAreOneContent() {
    let twice = Vectors.content + Vectors.content
    #expect(decode(Vectors.gzip + Vectors.gzip, ["gzip"]) == .success(twice))
    #expect(decode(Vectors.zstd + Vectors.zstd, ["zstd"]) == .success(twice))
    let skippable: [UInt8] = [0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9]
    #expect(decode(skippable + Vectors.zstd + skippable, ["zstd"]) == .success(Vectors.content))
  }

  @Test func bytesBehindTheEndArePassedOver() {
    for (name, bytes) in encodings {
      for garbage: [UInt8] in [[0], Array("garbage".utf8), [0x1f], [0x1f, 0x8b, 7, 7], [0x28, 0xb5, 0x2f]] {
        #expect(decode(bytes + garbage, [name]) == .success(Vectors.content), "\(name) \(garbage)")
      }
    }
  }

  @Test func listsAreUndoneFromTheLast() {
    let encoded = brotli(ContentCoding.gzip(zstandard(Vectors.content)))
    #expect(decode(encoded, ["zstd", "gzip", "identity", "br"]) == .success(Vectors.content))
    #expect(decode(encoded, Array(repeating: "gzip", count: 9)) == .failure(.tooManyCodings(count: 9)))
  }

  @Test func anUnknownNameIsSaidBeforeAnythingIsDecoded() {
    #expect(decode([0], ["gzip", "compress"]) == .failure(.unknownCoding(name: "compress")))
    #expect("\(ContentCodingError.unknownCoding(name: "aes128gcm"))".contains("aes128gcm"))
  }

  @Test func noBytesAreNoContent() {
    for (name, _) in encodings { #expect(decode([], [name]) == .success([])) }
  }

  @Test func inputCutAtAnyByteCarriesWhatWasDecoded() {
    for (name, bytes) in encodings {
      for length in 1..<bytes.count {
        switch decode(Array(bytes.prefix(length)), [name]) {
        case .success(let content): Issue.record("\(name) cut at \(length) gave \(content.count) bytes")
        case .failure(.truncated(_, let decoded)):
          #expect(Vectors.content.starts(with: decoded), "\(name) at \(length)")
        case .failure(.malformed(_, let decoded)):
          #expect(decoded.isEmpty, "\(name) at \(length)")
        case .failure(let error): Issue.record("\(name) cut at \(length): \(error)")
        }
      }
    }
    // Only the checksum is missing: all content is there.
    #expect(
      decode(Array(Vectors.gzip.dropLast()), ["gzip"])
        == .failure(.truncated(coding: .gzip, decoded: Vectors.content)))
  }

  @Test func aCutOuterCodingIsStillDecodedInside() {
    let long = Array(String(repeating: "inside ", count: 20_000).utf8).enumerated().map {
      UInt8($0.offset * 7 % 251) ^ $0.element
    }
    let encoded = ContentCoding.gzip(brotli(long))
    guard case .failure(.truncated(.gzip, let decoded)) = decode(Array(encoded.dropLast(8)), ["br", "gzip"]) else {
      Issue.record("a cut gzip was not called truncated")
      return
    }
    #expect(decoded == long)
  }

  @Test func outputStaysWithinTheLimit() {
    let zeroes = [UInt8](repeating: 0, count: 8 << 20)
    for (name, bomb) in [("gzip", ContentCoding.gzip(zeroes)), ("br", brotli(zeroes)), ("zstd", zstandard(zeroes))] {
      #expect(bomb.count < 20_000)
      #expect(
        decode(bomb, [name]) == .failure(.overLimit(coding: ContentCoding(rawValue: name)!, limit: 1 << 20)), "\(name)")
      #expect(decode(bomb, [name], limit: zeroes.count) == .success(zeroes), "\(name)")
      #expect(
        decode(bomb, [name], limit: zeroes.count - 1)
          == .failure(.overLimit(coding: ContentCoding(rawValue: name)!, limit: zeroes.count - 1)))
    }
    let nested = ContentCoding.gzip(ContentCoding.gzip(zeroes))
    #expect(decode(nested, ["gzip", "gzip"]) == .failure(.overLimit(coding: .gzip, limit: 1 << 20)))
    #expect("\(ContentCodingError.overLimit(coding: .gzip, limit: 77))".contains("77 bytes"))
  }

  @Test func aWindowOverEightMegabytesIsRefused() {
    let wide = zstandard([UInt8](repeating: 1, count: 40 << 20), windowLog: 25)
    #expect(decode(wide, ["zstd"]) == .failure(.malformed(coding: .zstd, decoded: [])))
  }

  @Test func changedBytesNeverTrap() {
    var state: UInt64 = 42
    for (name, bytes) in encodings {
      for _ in 0..<2000 {
        var changed = bytes
        for _ in 0..<3 {
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          changed[Int(state >> 33) % changed.count] = UInt8(truncatingIfNeeded: state >> 24)
        }
        _ = decode(changed, [name], limit: 4096)
        _ = decode(changed, ["gzip", "deflate", name], limit: 4096)
      }
    }
  }
}
