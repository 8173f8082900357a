// Values that the shadow made itself, in the requests that need them: the flags, and the graph as the client asks it.
//
// In: a session, read through before anything is sent. Out: dependencies for the client. Bounds: those of the finder.

import ArgumentParser
import HTTPModel
import ReplayClient
import ValueCorrelation

struct CorrelationOptions: ParsableArguments {
  enum Mode: String, ExpressibleByArgument, CaseIterable { case off, suggest, auto }

  @Option(
    help: ArgumentHelp(
      """
      Ids, tokens and cookies that recorded answers gave and later requests bring back: suggest says which, auto puts \
      the shadow's own values in their places. A request then waits for the answers that it needs, and is 'blocked' \
      where one of them fails or is not sent. Cookies that were captured as tokens do as well as those captured with \
      --keep-credentials; a bearer token that a body gave needs the latter.
      """, valueName: "mode"))
  var correlate: Mode = .off

  @Option(
    help: ArgumentHelp("How long a request waits at most for answers that it needs.", valueName: "time"))
  var correlateWait = TimeSpan.seconds(10)

  func validate() throws {
    guard (1...86_400_000_000_000).contains(correlateWait.nanoseconds) else {
      throw ValidationError("--correlate-wait takes a time above 0, up to a day")
    }
  }
}

/// The graph of a session, as the client asks it.
struct SessionCorrelation: ReplayDependencies {
  let graph: CorrelationGraph

  func producers(of dependant: ExchangeID) -> [ExchangeID] { graph.producers(of: dependant) }
  func isProducer(_ exchange: ExchangeID) -> Bool { graph.isProducer(exchange) }

  func values(in response: HTTPResponse, to producer: ExchangeID) -> [UInt32: [UInt8]] {
    graph.values(in: response, to: producer).values
  }

  func substituted(
    _ request: HTTPRequest, of dependant: ExchangeID, values: (ExchangeID) -> [UInt32: [UInt8]]
  ) -> HTTPRequest? {
    graph.substituted(request, of: dependant) { AnswerValues(values($0)) }
  }
}

/// What a plan would do about values that the shadow makes; for `--dry-run`.
struct CorrelatedCounts {
  private var dependants: UInt64 = 0
  private var producers: UInt64 = 0
  private var blocked: UInt64 = 0
  /// Of this round, the answers that are waited for and asked for.
  private var asked: Set<ExchangeID> = []

  mutating func beginRound() { asked.removeAll() }

  /// Counts an exchange that is sent.
  mutating func count(_ exchange: ExchangeID, _ dependencies: any ReplayDependencies) {
    let needs = dependencies.producers(of: exchange)
    if !needs.isEmpty { dependants += 1 }
    if needs.contains(where: { !asked.contains($0) }) { blocked += 1 }
    guard dependencies.isProducer(exchange) else { return }
    producers += 1
    asked.insert(exchange)
  }

  func text(_ mode: CorrelationOptions.Mode) -> String {
    if mode == .suggest { return "nothing: --correlate suggest only says what auto would do" }
    guard dependants > 0 else { return "nothing: no request that is sent brings back what an earlier answer gave" }
    var text = "\(counted(dependants, "request")) that \(dependants == 1 ? "needs" : "need") values of "
    text += counted(producers, "earlier answer")
    if blocked > 0 {
      text +=
        "; \(grouped(blocked)) would be blocked, since what \(blocked == 1 ? "it needs" : "they need") is not sent"
    }
    return text
  }
}

extension ReplayPlan {
  /// Finds what the session's requests need of earlier answers, as the flags say, and leaves the session at its beginning.
  mutating func correlate(_ source: ExchangeSource) throws {
    guard correlation != .off else { return }
    let found = try SessionDependencies(of: source)
    if correlation == .suggest, !isQuiet { StandardError.write(found.summary()) }
    if correlation == .auto, !found.graph.isEmpty {
      options.dependencies = SessionCorrelation(graph: found.graph)
      if found.graph.isCut {
        StandardError.say(
          "more requests need earlier answers than are kept; the later ones are sent as recorded", .warning)
      }
    }
  }
}
