// Whom a replay asks beside the shadow: a live primary, and a control to measure noise with.

import ArgumentParser
import HTTPModel
import ReplayClient

struct RoleOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Send each request to the primary too, at the same time, and compare with its live answer instead of the recorded \
      one. It is sent safe methods only. URL as of --target.
      """, valueName: "url"), transform: RoleTarget.init)
  var primary: RoleTarget?

  @Option(
    help: ArgumentHelp(
      """
      A second instance of the primary, sent what the primary is sent: what differs between the two is noise. Without \
      --primary it is held against the recorded answers.
      """, valueName: "url"), transform: RoleTarget.init)
  var control: RoleTarget?

  @Flag(
    help: ArgumentHelp(
      """
      Send what --allow-unsafe allows to the primary and the control as well. It will happen there once more for each \
      time that it was recorded, so it is a flag of its own: without it such requests go to the shadow alone and are \
      held against the recorded answers.
      """))
  var allowUnsafePrimary = false

  var isAsked: Bool { primary != nil || control != nil }

  /// - Parameter allowsUnsafe: what is allowed for the shadow.
  func check(allowsUnsafe: Bool) throws {
    guard allowUnsafePrimary else { return }
    if !isAsked {
      throw ValidationError("--allow-unsafe-primary is about --primary and --control: name one of them")
    }
    if !allowsUnsafe {
      throw ValidationError("--allow-unsafe-primary sends what --allow-unsafe allows: give that too")
    }
  }

  func apply(to plan: inout ReplayPlan) {
    (plan.primary, plan.control) = (primary?.value, control?.value)
    plan.options.sendsUnsafeToPrimary = allowUnsafePrimary
  }
}

/// A URL of `--primary` or `--control`.
struct RoleTarget {
  var value: ReplayTarget

  /// - Throws: `ValidationError` that says what is wrong with the URL.
  init(_ argument: String) throws {
    do { value = try ReplayTarget(url: argument) } catch { throw ValidationError("\(error)") }
  }
}

extension ReplayPlan {
  /// Whom it asks beside the shadow, the primary first.
  var besides: [(role: AttemptRole, target: ReplayTarget)] {
    [(AttemptRole.primary, primary), (.control, control)].compactMap { role, target in target.map { (role, $0) } }
  }

  /// Where requests must not go that were sent there before. The primary and the control may well be the captured server:
  /// what is safe does no harm there.
  var guardedTargets: [ReplayTarget] {
    targets.map(\.target) + (options.sendsUnsafeToPrimary ? besides.map(\.target) : [])
  }
}

extension ReplayProgress {
  /// The primary's and the control's part of the live line.
  var besidesText: String {
    besides.sorted { $0.key.rawValue < $1.key.rawValue }.map { role, progress in
      "  \(role.identifier) \(grouped(progress.answered))"
        + (progress.failed > 0 ? " (\(grouped(progress.failed)) failed)" : "")
        + (progress.breakersOpen > 0 ? " BREAKER OPEN" : "")
    }.joined()
  }
}

extension RunFacts {
  /// What is to be said of the primary and the control.
  mutating func judgeBesides(_ outcome: ReplayOutcome, _ plan: ReplayPlan) {
    if let behind = outcome.skipped[.fellBehind], behind > 0 {
      doubts.append(
        "The shadow was too far behind: \(counted(behind, "request")) that \(behind == 1 ? "was" : "were") due "
          + "\(behind == 1 ? "was" : "were") withheld so that the other sides kept their times.")
    }
    for (role, target) in plan.besides {
      guard let side = outcome.besides[role] else { continue }
      let attempts = side.attempts.values.reduce(0, +)
      let failed = attempts - (side.attempts[.answered] ?? 0) - (side.attempts[.cancelled] ?? 0)
      var text =
        "The \(role.identifier), \(target), was asked \(counted(attempts, "time")); \(grouped(failed)) "
        + "got no whole answer"
      if side.late > 0 { text += ", \(grouped(side.late)) went out more than 10ms late" }
      let openings = side.targets.reduce(0) { $0 + $1.breakerOpenings }
      if openings > 0 { text += ", its breaker opened \(counted(openings, "time"))" }
      remarks.append(text + ".")
      let unsafe = RunFacts.unsafeReasons.reduce(0) { $0 + (side.skipped[$1] ?? 0) }
      if unsafe > 0 {
        remarks.append(
          "\(counted(unsafe, "request")) that may change something \(unsafe == 1 ? "was" : "were") not sent to the "
            + "\(role.identifier) (--allow-unsafe-primary).")
      }
      let others = side.skipped.filter { !RunFacts.unsafeReasons.contains($0.key) && $0.value > 0 }
      if !others.isEmpty {
        let list = others.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\(grouped($0.value)) \($0.key.rawValue)" }
        remarks.append("Not sent to the \(role.identifier) either: \(list.joined(separator: ", ")).")
      }
    }
  }

  private static let unsafeReasons: [WithheldReason] = [.unsafeMethod, .grpcCall, .graphQLMutation]
}
