// The commands of --middleware as child processes, each one's standard output the next one's input.
//
// In: bytes for the first. Out: bytes of the last, and which of them has ended. Owner: one MiddlewareChain. Bounds:
// pipes; nothing here blocks but ``wait(milliseconds:)``, and that for so long only.

import Glibc

final class MiddlewareProcesses {
  private struct Member {
    var command: String
    var process: pid_t
    /// As `waitpid` tells it; nil while it runs.
    var status: Int32?
  }

  private var members: [Member] = []
  /// To the first; -1 once closed.
  private var input: Int32 = -1
  /// From the last.
  private var output: Int32 = -1

  /// - Throws: `CommandFailure` where a command cannot be started.
  init(_ commands: [String]) throws {
    do {
      for command in commands { try start(command) }
    } catch {
      stop()
      throw error
    }
    for descriptor in [input, output] { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) }
  }

  private func start(_ command: String) throws {
    func pair() throws -> (read: Int32, write: Int32) {
      var ends: [Int32] = [0, 0]
      guard pipe(&ends) == 0 else { throw CommandFailure("can't start the middleware: \(systemError())") }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      return (ends[0], ends[1])
    }
    if input < 0 {
      let first = try pair()
      (input, output) = (first.write, first.read)
    }
    let next = try pair()
    var files = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&files)
    defer { posix_spawn_file_actions_destroy(&files) }
    posix_spawn_file_actions_adddup2(&files, output, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&files, next.write, STDOUT_FILENO)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // A group of its own: Ctrl-C is for us, who then end it in order.
    var signals = sigset_t()
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
    let arguments: [String] = ["/bin/sh", "-c", command]
    let words = arguments.map { strdup($0) }
    defer { for word in words { free(word) } }
    var process: pid_t = 0
    let failure = posix_spawn(&process, "/bin/sh", &files, &attributes, words + [nil], environ)
    close(output)
    close(next.write)
    output = next.read
    guard failure == 0 else {
      throw CommandFailure("can't start the middleware '\(command)': \(String(cString: strerror(failure)))")
    }
    members.append(Member(command: command, process: process))
  }

  /// Writes as much as there is room for.
  /// - Returns: how much that was; nil where the first process reads no more.
  func write(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard input >= 0 else { return nil }
    let count = Glibc.write(input, bytes.baseAddress, bytes.count)
    if count >= 0 { return count }
    return errno == EAGAIN || errno == EINTR ? 0 : nil
  }

  /// Appends what there is to read.
  /// - Returns: false at the end of the last process's output.
  func read(into bytes: inout [UInt8]) -> Bool {
    while true {
      var got = 0
      let piece = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
        got = Glibc.read(output, buffer.baseAddress, buffer.count)
        count = max(0, got)
      }
      bytes += piece
      if got == 0 { return false }
      if got < 0 { return errno == EAGAIN || errno == EINTR }
    }
  }

  /// Until there is something to read, or room to write where that is wanted.
  func wait(milliseconds: Int32, forRoom: Bool) {
    var polled = [pollfd(fd: output, events: Int16(POLLIN), revents: 0)]
    if forRoom, input >= 0 { polled.append(pollfd(fd: input, events: Int16(POLLOUT), revents: 0)) }
    _ = poll(&polled, nfds_t(polled.count), milliseconds)
  }

  /// The first that has ended, and how; nil while all run.
  func ended() -> String? {
    for index in members.indices {
      var status: Int32 = 0
      if members[index].status == nil, waitpid(members[index].process, &status, WNOHANG) == members[index].process {
        members[index].status = status
      }
      guard let status = members[index].status else { continue }
      let number = status & 0x7f
      let how = number == 0 ? "ended with status \(status >> 8 & 0xff)" : "was ended by signal \(number)"
      return "the middleware '\(members[index].command)' \(how)"
    }
    return nil
  }

  /// Closes its input, gives it two seconds, then ends it.
  func stop() {
    if input >= 0 { close(input) }
    input = -1
    let end = monotonicNow() + 2_000_000_000
    var rest: [UInt8] = []
    while output >= 0, monotonicNow() < end, read(into: &rest) {
      rest.removeAll(keepingCapacity: true)
      wait(milliseconds: 50, forRoom: false)
    }
    if output >= 0 { close(output) }
    output = -1
    for index in members.indices where members[index].status == nil {
      var status: Int32 = 0
      while waitpid(members[index].process, &status, WNOHANG) == 0, monotonicNow() < end { usleep(10_000) }
      if kill(-members[index].process, SIGTERM) == 0 { usleep(100_000) }
      kill(-members[index].process, SIGKILL)
      _ = waitpid(members[index].process, &status, 0)
      members[index].status = status
    }
  }
}
