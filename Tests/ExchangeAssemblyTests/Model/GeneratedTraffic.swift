// Conversations made up at random, and what each of their bytes belongs to.

struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed &+ 0x9e37_79b9_7f4a_7c15 }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }

  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}

/// One message: its bytes, and where in its direction's stream they stand.
struct GeneratedMessage {
  var body: [UInt8] = []
  var isChunked = false
  /// In the stream.
  var head = 0..<0
  /// In the stream, chunk framing included.
  var content = 0..<0

  var whole: Range<Int> { head.lowerBound..<content.upperBound }
}

struct GeneratedExchange {
  var method: String
  var target: String
  var status: Int
  var request = GeneratedMessage()
  var response = GeneratedMessage()
}

/// One connection: its exchanges, and the two streams that carry them.
struct GeneratedConversation {
  enum Side: Int, CaseIterable { case client, server }

  /// What one side sends at one go: in the order in which things happen.
  struct Turn {
    var side: Side
    var range: Range<Int>
  }

  private(set) var exchanges: [GeneratedExchange] = []
  private(set) var streams: [[UInt8]] = [[], []]
  private(set) var turns: [Turn] = []

  /// - Parameter mayPipeline: requests are sent before earlier ones are answered, and some are HEAD: what their answers
  ///   are cannot be known where requests are lost.
  init(number: Int, mayPipeline: Bool, using random: inout SeededGenerator) {
    for index in 0..<Int.random(in: 1...8, using: &random) {
      let methods = ["GET", "POST", "DELETE", "PUT"] + (mayPipeline ? ["HEAD"] : [])
      let method = methods.randomElement(using: &random)!
      exchanges.append(
        GeneratedExchange(
          method: method, target: "/c\(number)/e\(index)",
          status: [200, 201, 204, 404, 500].randomElement(using: &random)!))
    }
    var next = 0
    while next < exchanges.count {
      let burst = mayPipeline ? Int.random(in: 1...3, using: &random) : 1
      let end = min(next + burst, exchanges.count)
      for index in next..<end { sendRequest(index, using: &random) }
      for index in next..<end { sendResponse(index, using: &random) }
      next = end
    }
  }

  private mutating func sendRequest(_ index: Int, using random: inout SeededGenerator) {
    let exchange = exchanges[index]
    let hasBody = exchange.method == "POST" || exchange.method == "PUT"
    let head = "\(exchange.method) \(exchange.target) HTTP/1.1\r\nHost: model\r\nX-Exchange: \(exchange.target)\r\n"
    exchanges[index].request = send(head, hasBody: hasBody, mayHaveContent: hasBody, .client, using: &random)
  }

  private mutating func sendResponse(_ index: Int, using random: inout SeededGenerator) {
    let exchange = exchanges[index]
    let head = "HTTP/1.1 \(exchange.status) Said\r\nX-Exchange: \(exchange.target)\r\n"
    let hasBody = exchange.status != 204
    exchanges[index].response = send(
      head, hasBody: hasBody, mayHaveContent: exchange.method != "HEAD", .server, using: &random)
  }

  private mutating func send(
    _ lines: String, hasBody: Bool, mayHaveContent: Bool, _ side: Side, using random: inout SeededGenerator
  ) -> GeneratedMessage {
    var message = GeneratedMessage()
    var lines = lines
    var content: [UInt8] = []
    if hasBody {
      let length = [0, 1, 20, 300, 5000, 15_000].randomElement(using: &random)!
      // No byte of it is a letter, so that no start line stands in a body.
      let salt = Int.random(in: 0..<64, using: &random)
      message.body = (0..<length).map { UInt8(($0 &* 7 &+ ($0 >> 6) &* 13 &+ salt) & 63) }
      message.isChunked = random.chance(40)
      lines += message.isChunked ? "Transfer-Encoding: chunked\r\n" : "Content-Length: \(length)\r\n"
      content = message.isChunked ? Self.chunked(message.body, using: &random) : message.body
    }
    if !mayHaveContent {
      content = []
      message.body = []
    }
    let start = streams[side.rawValue].count
    streams[side.rawValue] += Array((lines + "\r\n").utf8)
    message.head = start..<streams[side.rawValue].count
    streams[side.rawValue] += content
    message.content = message.head.upperBound..<streams[side.rawValue].count
    turns.append(Turn(side: side, range: message.whole))
    return message
  }

  private static func chunked(_ body: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = body[...]
    while !rest.isEmpty {
      let chunk = rest.prefix(Int.random(in: 1...9000, using: &random))
      bytes += Array(String(chunk.count, radix: 16).utf8) + [13, 10] + chunk + [13, 10]
      rest = rest.dropFirst(chunk.count)
    }
    return bytes + Array("0\r\n\r\n".utf8)
  }
}
