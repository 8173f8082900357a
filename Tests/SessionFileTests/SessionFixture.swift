// Files to test with: a directory that goes away, and sessions written into it.

import Glibc
import HTTPModel
import SessionFile

/// A new directory, removed with what is in it.
final class TemporaryDirectory {
  let path: String

  init() {
    var template = Array("/tmp/umbra-test-XXXXXX".utf8CString)
    path = String(cString: mkdtemp(&template))
  }

  deinit {
    if let directory = opendir(path) {
      while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { unlink("\(path)/\(name)") }
      }
      closedir(directory)
    }
    rmdir(path)
  }

  func file(_ name: String) -> String { "\(path)/\(name)" }
}

let noon = Timestamp(nanoseconds: 1_790_000_000_000_000_000)

/// A GET and its 200, `offset` nanoseconds after noon.
func plainExchange(_ ordinal: UInt32, at offset: Int64, lasting: Int64 = 1000, body: [UInt8] = []) -> Exchange {
  let start = noon.advanced(byNanoseconds: offset)
  let end = start.advanced(byNanoseconds: lasting)
  let address = TransportAddress(address: IPAddress(v4: 0x7f00_0001), port: 8080)
  let head = Array("GET /\(ordinal) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
  return Exchange(
    id: ExchangeID(connection: 1, ordinal: ordinal), client: address, server: address,
    request: HTTPRequest(
      version: .http11, methodRange: 0..<3, targetRange: 4..<6, fields: HeaderFields(storage: head),
      timing: MessageTiming(start: start, headEnd: start, end: start)),
    response: HTTPResponse(
      version: .http11, status: 200, reasonRange: 13..<15,
      fields: HeaderFields(storage: Array("HTTP/1.1 200 OK\r\n\r\n".utf8)),
      body: HTTPBody(bytes: body, size: UInt64(body.count), framing: .contentLength),
      timing: MessageTiming(start: end, headEnd: end, end: end)))
}

/// Writes exchanges in the order given and finishes the file.
func writeSession(
  _ exchanges: [Exchange], to path: String, blockTarget: Int = SessionEncoder.blockTarget, ledger: Ledger? = nil,
  metadata: SessionMetadata = SessionMetadata(), finishing: Bool = true
) throws {
  let writer = try SessionWriter(.path(path, overwrite: true), kind: .session, created: noon)
  let encoder = SessionEncoder(blockTarget: blockTarget)
  for exchange in exchanges {
    if let block = encoder.append(exchange) { _ = writer.put(block) }
  }
  while let block = encoder.sealBlock() { _ = writer.put(block) }
  if finishing { try writer.finish(ledger: ledger, metadata: metadata) }
}

extension SessionReader {
  /// Whether anything that was found until now cost more than time.
  var losesData: Bool { damage.contains { $0.losesData } }

  func all() throws -> [Exchange] {
    var exchanges: [Exchange] = []
    while let exchange = try next() { exchanges.append(exchange) }
    return exchanges
  }

  func allReplayed() throws -> [ReplayedExchange] {
    var replayed: [ReplayedExchange] = []
    while let next = try nextReplayed() { replayed.append(next) }
    return replayed
  }
}

func contents(of path: String) -> [UInt8] {
  guard let file = fopen(path, "r") else { return [] }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = fread(&buffer, 1, buffer.count, file)
    if count == 0 { return bytes }
    bytes += buffer.prefix(count)
  }
}

func write(_ bytes: [UInt8], to path: String) {
  let file = fopen(path, "w")!
  fwrite(bytes, 1, bytes.count, file)
  fclose(file)
}

/// The error that `body` throws.
func sessionError(_ body: () throws -> Void) -> SessionFileError? {
  do {
    try body()
    return nil
  } catch {
    return error as? SessionFileError
  }
}
