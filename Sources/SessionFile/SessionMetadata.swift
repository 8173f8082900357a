// What a file says about itself: texts under keys, such as the tool's version, the host, interfaces, filter, command.

/// Texts under keys, in the order in which they were added.
public struct SessionMetadata: Hashable, Sendable {
  /// A text under a key.
  public struct Entry: Hashable, Sendable {
    /// What it says something of: `tool`, `source`, `command`.
    public var key: String
    /// What it says, in UTF-8.
    public var value: String

    public init(key: String, value: String) {
      self.key = key
      self.value = value
    }
  }

  /// A key may stand more than once.
  public var entries: [Entry]

  public init(_ entries: [Entry] = []) { self.entries = entries }

  /// The last value under `key`. Setting replaces all of them; nil removes.
  public subscript(key: String) -> String? {
    get { entries.last { $0.key == key }?.value }
    set {
      entries.removeAll { $0.key == key }
      if let newValue { entries.append(Entry(key: key, value: newValue)) }
    }
  }

  /// All values under `key`, in order.
  public func values(_ key: String) -> [String] { entries.filter { $0.key == key }.map(\.value) }

  /// Adds a value and keeps those that are there.
  public mutating func add(_ key: String, _ value: String) { entries.append(Entry(key: key, value: value)) }
}

extension SessionMetadata: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, String)...) {
    self.init(elements.map { Entry(key: $0.0, value: $0.1) })
  }
}
