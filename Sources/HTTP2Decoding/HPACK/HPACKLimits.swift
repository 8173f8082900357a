/// What one direction of a connection may make an HPACK decoder hold or hand over.
public struct HPACKLimits: Sendable {
  /// Bytes of a block's field list: names, values and 32 for each field (RFC 9113, 6.5.2). What is over is counted in
  /// ``HPACKFieldList/omittedFields``; the table is kept right all the same.
  public var maxHeaderListBytes = 1 << 20
  /// Fields of a block.
  public var maxFields = 4096
  /// Bytes of the dynamic table that are kept (RFC 7541, 4.1), whatever SETTINGS allow; at most 256 MiB. Of a larger
  /// table the oldest entries become unknown.
  public var maxTableBytes = 64 << 10

  public init() {}
}
