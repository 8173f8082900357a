// What the system says of this process, at each scrape.

import Glibc

extension MetricFamily {
  /// - Parameter command: the subcommand, as a label.
  public static func process(version: String, command: String) -> [MetricFamily] {
    var families = [
      MetricFamily(.buildInfo, samples: [Sample(labels: [version, command], value: .count(1))]),
      MetricFamily(.startTime, startTime),
      MetricFamily(.cpuTime, cpuSeconds()),
    ]
    if let resident = residentBytes() { families.append(MetricFamily(.residentMemory, resident)) }
    if let open = openFiles() { families.append(MetricFamily(.openFiles, open)) }
    return families
  }

  /// Taken when it is first asked for, which is when the server starts.
  static let startTime: Double = {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec)
  }()

  private static func cpuSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private static func residentBytes() -> UInt64? {
    let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 128)
    let count = read(descriptor, &buffer, buffer.count)
    guard count > 0 else { return nil }
    let fields = String(decoding: buffer.prefix(count), as: UTF8.self).split(separator: " ")
    return fields.count > 1 ? UInt64(fields[1]).map { $0 * UInt64(sysconf(Int32(_SC_PAGESIZE))) } : nil
  }

  private static func openFiles() -> UInt64? {
    guard let directory = opendir("/proc/self/fd") else { return nil }
    defer { closedir(directory) }
    var count: UInt64 = 0
    while readdir(directory) != nil { count += 1 }
    // Two dots, and the directory itself.
    return count >= 3 ? count - 3 : 0
  }
}
