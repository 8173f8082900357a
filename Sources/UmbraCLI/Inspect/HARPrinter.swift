// Exchanges as a HAR file. The writer keeps count of entries; one printer makes one file.

import HTTPModel
import Interchange

final class HARPrinter: ExchangePrinter {
  private var writer = HARWriter(version: umbraVersion)

  var header: String? {
    var bytes: [UInt8] = []
    writer.begin(into: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  var footer: String? {
    var bytes: [UInt8] = []
    writer.end(into: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  func text(_ exchange: Exchange) -> [UInt8] {
    var bytes: [UInt8] = []
    writer.append(exchange, attempts: [], into: &bytes)
    return bytes
  }
}
