// Addresses as umbra prints them, read back. In: text. Out: an address and port.

import HTTPModel

extension TransportAddress {
  /// `127.0.0.1:8080`, or `[::1]:8080`; nil for anything else.
  init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
      let address = IPAddress(text[..<colon].trimmingBrackets)
    else { return nil }
    self.init(address: address, port: port)
  }
}
