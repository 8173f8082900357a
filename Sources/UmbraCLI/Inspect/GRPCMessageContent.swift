// What a gRPC message says: its coding undone, and its fields by name where descriptors know its type.
//
// In: a message's bytes as kept, its call. Out: bytes, or JSON. Owner: a value, for one command. Bounds: ProtobufLimits,
// 64 MiB for what a coding holds.

import ContentCoding
import ContentTree
import Glibc
import HTTPModel

/// The types of --proto-descriptors.
struct MessageTypes {
  let descriptors: ProtobufDescriptors

  /// - Throws: `CommandFailure`, where the file is not there or is something else.
  init(path: String) throws {
    guard let file = fopen(path, "re") else {
      throw CommandFailure("can't read \(path): \(systemError())")
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0, bytes.count <= 64 << 20 {
      bytes += buffer[..<count]
    }
    do {
      descriptors = try ProtobufDescriptors(fileDescriptorSet: bytes)
      StandardError.say(
        "\(path) knows \(counted(descriptors.messageNames.count, "message type")) and "
          + counted(descriptors.methodPaths.count, "method"), .debug)
    } catch {
      throw CommandFailure(
        "\(path) is no FileDescriptorSet (\(error)): make one with "
          + "'protoc --include_imports --descriptor_set_out=\(path) FILE.proto'")
    }
  }

  /// The message as JSON; nil where its method or its type is not known, or it is something else.
  /// - Parameter path: of the call.
  func json(_ message: [UInt8], _ direction: StreamMessage.Direction, of path: ArraySlice<UInt8>) -> [UInt8]? {
    guard let method = descriptors.method(at: path) else { return nil }
    return try? ProtobufMessage(message).jsonText(
      as: direction == .request ? method.input : method.output, in: descriptors)
  }
}

extension StreamMessages {
  private static let decodedLimit = 64 << 20

  /// A message without its coding (`grpc-encoding`); nil where a part of it was not kept, or the coding can't be undone.
  /// - Parameters:
  ///   - body: of the message's direction.
  ///   - coding: what the fields of that direction name.
  func content(of message: StreamMessage, in body: HTTPBody?, coding: String?) -> [UInt8]? {
    guard message.flags.isDisjoint(with: [.incomplete, .cut]), let bytes = bytes(of: message, in: body) else {
      return nil
    }
    guard message.flags.contains(.stillCompressed) else { return Array(bytes) }
    guard let coding else { return nil }
    return try? ContentCoding.decode(Array(bytes), codings: [coding], limit: Self.decodedLimit)
  }
}
