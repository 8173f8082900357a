// A gRPC call as a grpcurl command for a POSIX shell. In: a request of one message, that message as JSON. Out: text.
// Owner: SmallestRequest. Bounds: those of a request that was sent again.

import HTTPModel

struct GRPCurlCommand {
  private let options: String
  private let authority: [UInt8]
  /// `package.Service/Method`.
  private let method: [UInt8]

  /// - Parameters:
  ///   - message: as JSON.
  ///   - protoset: the file of its type.
  init(_ request: HTTPRequest, message: [UInt8], protoset: String) {
    var words = ["-protoset", quoted(Array(protoset.utf8))]
    for index in request.fields.ranges.indices where !request.fields.isPseudoField(index) {
      let name = lowercased(request.fields.name(at: index))
      if Self.ownFields.contains(where: { name.elementsEqual($0.utf8) }) { continue }
      words += ["-H", quoted(name + Array(": ".utf8) + request.fields.value(at: index))]
    }
    words += ["-d", quoted(message)]
    options = words.map { " " + $0 }.joined()
    authority = Array(request.authority ?? [])
    method = Array(request.target.drop { $0 == UInt8(ascii: "/") })
  }

  /// - Parameter base: a target as the user named it.
  func text(base: String) -> String {
    let address = CommandAddress(base)
    var command = "grpcurl" + (address.isTLS ? "" : " -plaintext") + (address.socket == nil ? "" : " -unix")
    if !authority.isEmpty, !address.authority.utf8.elementsEqual(authority) {
      command += " -authority " + quoted(authority)
    }
    let place = address.socket ?? (address.authority.contains(":") ? address.authority : address.authority + ":443")
    return command + options + " " + quoted(Array(place.utf8)) + " " + quoted(method)
  }

  /// What grpcurl sets itself.
  private static let ownFields = [
    "host", "content-type", "content-length", "te", "user-agent", "grpc-accept-encoding", "grpc-encoding",
  ]
}
