// Key logs, read while they are written.
//
// In: paths. Out: their bytes, as they come. Owner: one lane. Bounds: one buffer; a file that is cut short or replaced is
// read anew from its beginning. The bytes are secrets: they go to the decoder and nowhere else.

import Glibc

final class KeyLogFollower {
  private struct Log {
    let path: String
    var descriptor: Int32 = -1
    var offset: Int64 = 0
    var identity: (device: UInt64, file: UInt64) = (0, 0)
  }

  private var logs: [Log]
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)

  init(_ paths: [String]) { logs = paths.map { Log(path: $0) } }

  deinit {
    for log in logs where log.descriptor >= 0 { close(log.descriptor) }
  }

  /// Hands over what was added since the last call.
  ///
  /// - Parameters:
  ///   - add: bytes, and the number of their file.
  ///   - endLine: the file of this number was cut short or replaced: an unfinished line is none.
  func poll(add: (UnsafeRawBufferPointer, Int) -> Void, endLine: (Int) -> Void) {
    for index in logs.indices {
      var named = stat()
      let isThere = stat(logs[index].path, &named) == 0
      if logs[index].descriptor >= 0 {
        let isReplaced = isThere && logs[index].identity != (UInt64(named.st_dev), UInt64(named.st_ino))
        let isCut = isThere && !isReplaced && Int64(named.st_size) < logs[index].offset
        if isReplaced || isCut {
          read(index, add)
          endLine(index)
          close(logs[index].descriptor)
          logs[index].descriptor = -1
        }
      }
      if logs[index].descriptor < 0, isThere { begin(index) }
      read(index, add)
    }
  }

  private func begin(_ index: Int) {
    let descriptor = open(logs[index].path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    var facts = stat()
    guard descriptor >= 0, fstat(descriptor, &facts) == 0 else { return }
    logs[index].descriptor = descriptor
    logs[index].offset = 0
    logs[index].identity = (UInt64(facts.st_dev), UInt64(facts.st_ino))
  }

  private func read(_ index: Int, _ add: (UnsafeRawBufferPointer, Int) -> Void) {
    guard logs[index].descriptor >= 0 else { return }
    while true {
      let count = buffer.withUnsafeMutableBytes { Glibc.read(logs[index].descriptor, $0.baseAddress!, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      logs[index].offset += Int64(count)
      buffer.withUnsafeBytes { add(UnsafeRawBufferPointer(rebasing: $0[..<count]), index) }
    }
  }
}
