// Long output on a terminal goes through a pager, as git's does. Owner: one command; made before anything is printed.

import Glibc

/// `$PAGER`, or `less` where there is none, as a child process that standard output goes to.
final class Pager {
  private let child: pid_t

  /// - Returns: nil where standard output is no terminal, or there is no pager.
  init?(isWanted: Bool = true) {
    guard isWanted, isatty(STDOUT_FILENO) == 1, isatty(STDIN_FILENO) == 1 else { return nil }
    let named = getenv("PAGER").map { String(cString: $0) }
    if named == "" || named == "cat" { return nil }
    // -F leaves at once where all fits on the screen, -R lets colours through, -X keeps what was shown.
    setenv("LESS", "FRX", 0)
    setenv("LV", "-c", 0)
    let script = named ?? "command -v less >/dev/null && exec less || exec cat"
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return nil }
    var files = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&files)
    defer { posix_spawn_file_actions_destroy(&files) }
    posix_spawn_file_actions_adddup2(&files, ends[0], STDIN_FILENO)
    posix_spawn_file_actions_addclose(&files, ends[0])
    posix_spawn_file_actions_addclose(&files, ends[1])
    let command: [String] = ["/bin/sh", "-c", script]
    let words = command.map { strdup($0) }
    defer { for word in words { free(word) } }
    var child: pid_t = 0
    guard posix_spawn(&child, "/bin/sh", &files, nil, words + [nil], environ) == 0 else {
      for end in ends { close(end) }
      return nil
    }
    self.child = child
    dup2(ends[1], STDOUT_FILENO)
    for end in ends { close(end) }
    // Ctrl-C is the pager's.
    signal(SIGINT, SIG_IGN)
  }

  /// Waits until the reader has seen enough.
  func finish() {
    close(STDOUT_FILENO)
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
  }
}
