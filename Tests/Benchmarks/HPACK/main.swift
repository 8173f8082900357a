// How fast header blocks are decoded, here and by NIOHPACK. In: a file of header blocks, each a line of table size, number
// of fields and the block in hexadecimal; an empty line ends a connection. Then the seconds to measure each for. Out: one
// JSON object on standard output, nanoseconds of processor time a field. Bounds: the file, held in memory.

import Glibc
import HTTP2Decoding
import HTTPModel
import NIOCore
import NIOHPACK

struct HeaderBlock {
  var bytes: [UInt8]
  var buffer: ByteBuffer
  var tableSize: Int
  var fields: Int
}

/// The blocks of each connection, in their order.
func connections(_ path: String) -> [[HeaderBlock]] {
  guard let file = fopen(path, "r") else {
    perror(path)
    exit(2)
  }
  defer { fclose(file) }
  var read: [[HeaderBlock]] = [[]]
  var line: UnsafeMutablePointer<CChar>?
  var capacity = 0
  defer { free(line) }
  while getline(&line, &capacity, file) > 0, let text = line.map({ String(cString: $0) }) {
    let parts = text.dropLast().split(separator: " ")
    guard parts.count == 3, let size = Int(parts[0]), let fields = Int(parts[1]) else {
      read.append([])
      continue
    }
    let digits = parts[2].compactMap { $0.hexDigitValue.map { UInt8($0) } }
    let bytes = stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    read[read.count - 1].append(
      HeaderBlock(bytes: bytes, buffer: ByteBuffer(bytes: bytes), tableSize: size, fields: fields))
  }
  return read.filter { !$0.isEmpty }
}

/// The fields that were decoded; with `kept` each block is also made into the fields of a message, as a capture does.
func decodeHere(_ connections: [[HeaderBlock]], kept: Bool) -> Int {
  var fields = 0
  var list = HPACKFieldList()
  for blocks in connections {
    var decoder = HTTP2Decoding.HPACKDecoder()
    var size = 4096
    for block in blocks {
      if block.tableSize != size {
        size = block.tableSize
        decoder.acknowledge(maximumTableSize: UInt32(size))
      }
      list.removeAll()
      let outcome = block.bytes.withUnsafeBytes { decoder.decode($0, into: &list) }
      precondition(!outcome.isError)
      fields += kept ? list.headerFields().count : list.count
    }
  }
  return fields
}

func decodeThere(_ connections: [[HeaderBlock]]) throws -> Int {
  var fields = 0
  for blocks in connections {
    var decoder = NIOHPACK.HPACKDecoder(allocator: ByteBufferAllocator())
    var size = 4096
    for block in blocks {
      if block.tableSize != size {
        size = block.tableSize
        decoder.maxDynamicTableLength = size
      }
      var buffer = block.buffer
      fields += try decoder.decodeHeaders(from: &buffer).count
    }
  }
  return fields
}

/// Nanoseconds of processor time for each field, over at least `seconds`. Other work on the machine does not count.
func cost(_ fields: Int, seconds: Double, _ body: () throws -> Int) rethrows -> Double {
  var rounds = 0
  let start = clock()
  var elapsed = 0.0
  repeat {
    let decoded = try body()
    precondition(decoded == fields)
    rounds += 1
    elapsed = Double(clock() - start) / Double(CLOCKS_PER_SEC)
  } while elapsed < seconds
  return elapsed * 1e9 / Double(rounds * fields)
}

let arguments = CommandLine.arguments
guard arguments.count > 1 else { exit(64) }
let seconds = arguments.count > 2 ? Double(arguments[2]) ?? 1 : 1
let read = connections(arguments[1])
let fields = read.joined().reduce(0) { $0 + $1.fields }
let here = cost(fields, seconds: seconds) { decodeHere(read, kept: false) }
let there = try cost(fields, seconds: seconds) { try decodeThere(read) }
let kept = cost(fields, seconds: seconds) { decodeHere(read, kept: true) }
print(
  "{\"blocks\":\(read.joined().count),\"fields\":\(fields),\"here\":\(here),\"kept\":\(kept),\"there\":\(there)}")
