// Several interfaces read as one source, by one thread.
//
// In: captures that are open. Out: batches of packet records, an interface after the other. Owner: one thread. Bounds:
// a batch each; packets of different interfaces may be out of order by as much as the kernel gathers for a batch.

import Glibc

/// Live captures that one thread reads together, so that the two directions of a connection may come by different
/// interfaces.
public final class LiveCaptureSet {
  /// An interface that ended the reading of its packets.
  public struct Loss: Sendable {
    public var options: LiveCaptureOptions
    public var error: CaptureError
  }

  private var captures: [LiveCapture]
  private var descriptors: [pollfd]
  /// Counters of captures that are gone, by interface.
  private var past: [String: LiveCaptureStatistics] = [:]
  /// What ``read(_:)`` lost since it was last asked for.
  private var losses: [Loss] = []

  public init(_ captures: [LiveCapture]) {
    self.captures = captures
    descriptors = captures.map(\.waiting)
  }

  /// No interface is left.
  public var isEmpty: Bool { captures.isEmpty }

  public func add(_ capture: LiveCapture) {
    captures.append(capture)
    descriptors.append(capture.waiting)
  }

  /// Hands over the packets that are ready; waits for some, at most `timeoutMilliseconds`, where there are none.
  ///
  /// - Parameter body: the record's bytes are borrowed for the call.
  /// - Returns: how many packets there were; 0 after a wait in vain or a signal.
  public func read(timeoutMilliseconds: Int32 = 100, _ body: (PacketRecord) -> Void) -> Int {
    let ready = dispatch(body)
    if ready > 0 { return ready }
    _ = poll(&descriptors, nfds_t(descriptors.count), timeoutMilliseconds)
    return dispatch(body)
  }

  /// Interfaces that went away since the last call.
  public func takeLosses() -> [Loss] {
    defer { losses = [] }
    return losses
  }

  /// The counters up to now, by interface.
  public var statistics: [String: LiveCaptureStatistics] {
    var all = past
    for capture in captures { all[capture.options.interface, default: LiveCaptureStatistics()] += capture.statistics }
    return all
  }

  private func dispatch(_ body: (PacketRecord) -> Void) -> Int {
    var total = 0
    var index = 0
    while index < captures.count {
      do throws(CaptureError) {
        total += try captures[index].dispatch(body)
        index += 1
      } catch {
        let gone = captures.remove(at: index)
        descriptors.remove(at: index)
        past[gone.options.interface, default: LiveCaptureStatistics()] += gone.statistics
        losses.append(Loss(options: gone.options, error: error))
      }
    }
    return total
  }
}

extension LiveCaptureStatistics {
  static func += (sum: inout LiveCaptureStatistics, other: LiveCaptureStatistics) {
    sum.received &+= other.received
    sum.kernelDrops &+= other.kernelDrops
    sum.interfaceDrops &+= other.interfaceDrops
  }
}
