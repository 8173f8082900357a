// Purpose: the static table of RFC 7541, appendix A.
// Input -> output: an index -> a name and a value. Owner: the process; made once. Bounds: 61 entries.

/// The static table.
///
/// `@unchecked Sendable`: the memory is written in `init`, before anybody has the value, then only read, and never freed.
struct HPACKStaticTable: @unchecked Sendable {
  static let count = 61
  static let shared = HPACKStaticTable()

  /// Names and values one after the other, and room behind the last for a copy in blocks.
  let bytes: UnsafePointer<UInt8>
  let entries: UnsafePointer<HPACKTableEntry>

  /// A line an entry, from index 1 on: the name, a bar, the value.
  private static let text: StaticString = """
    :authority|
    :method|GET
    :method|POST
    :path|/
    :path|/index.html
    :scheme|http
    :scheme|https
    :status|200
    :status|204
    :status|206
    :status|304
    :status|400
    :status|404
    :status|500
    accept-charset|
    accept-encoding|gzip, deflate
    accept-language|
    accept-ranges|
    accept|
    access-control-allow-origin|
    age|
    allow|
    authorization|
    cache-control|
    content-disposition|
    content-encoding|
    content-language|
    content-length|
    content-location|
    content-range|
    content-type|
    cookie|
    date|
    etag|
    expect|
    expires|
    from|
    host|
    if-match|
    if-modified-since|
    if-none-match|
    if-range|
    if-unmodified-since|
    last-modified|
    link|
    location|
    max-forwards|
    proxy-authenticate|
    proxy-authorization|
    range|
    referer|
    refresh|
    retry-after|
    server|
    set-cookie|
    strict-transport-security|
    transfer-encoding|
    user-agent|
    vary|
    via|
    www-authenticate|
    """

  private init() {
    let text = HPACKStaticTable.text.withUTF8Buffer { $0 }
    let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: text.count + copyBlock)
    bytes.initialize(repeating: 0, count: text.count + copyBlock)
    let entries = UnsafeMutablePointer<HPACKTableEntry>.allocate(capacity: HPACKStaticTable.count)
    var end = 0
    for (index, line) in text.split(separator: 0x0a).enumerated() {
      let name = line.prefix { $0 != 0x7c }
      let value = line[(name.endIndex + 1)...]
      entries[index] = HPACKTableEntry(
        offset: UInt32(end), nameLength: UInt32(name.count), valueLength: UInt32(value.count), marks: [],
        nameOrigin: HPACKTableEntry.noOrigin)
      for byte in [name, value].joined() {
        bytes[end] = byte
        end += 1
      }
    }
    self.bytes = UnsafePointer(bytes)
    self.entries = UnsafePointer(entries)
  }
}
