// Keys: a member by which the elements of two arrays of objects belong together.

extension ArrayPairing {
  /// A member's name, and how it is worth less than others that pair as many elements.
  struct Key {
    var name: String
    var rank = 0
  }

  /// Members of an element that are looked at for a key.
  private static let memberLimit = 32
  private static let candidateLimit = 6

  /// Elements that have one value at the key, the first with the first; of what is left, what is alike for the most part.
  mutating func pairByKey(_ key: Key, _ rows: Range<Int>, _ columns: Range<Int>) {
    var places: [UInt64: Int] = [:]
    for y in columns.reversed() {
      if let value = value(of: key.name, in: a, ys[y], aHashes) { places[value] = y }
    }
    for x in rows {
      guard let value = value(of: key.name, in: e, xs[x], eHashes), let y = places.removeValue(forKey: value) else {
        continue
      }
      join(x, y)
    }
    pairByHash(rows, columns)
    assign(rows, columns, least: 0.5)
  }

  /// A member that all elements have, with another scalar in each, half of which at least both arrays know.
  func inferredKey(_ rows: Range<Int>, _ columns: Range<Int>) -> Key? {
    guard rows.count > 0, columns.count > 0, rows.count + columns.count > 2,
      rows.allSatisfy({ e.records[xs[$0]].kind == .object }),
      columns.allSatisfy({ a.records[ys[$0]].kind == .object })
    else { return nil }
    var best: (key: Key, common: Int)?
    for key in candidates(xs[rows.lowerBound]) {
      guard let expected = values(of: key.name, in: e, xs[rows], eHashes),
        let actual = values(of: key.name, in: a, ys[columns], aHashes)
      else { continue }
      let common = expected.intersection(actual).count
      guard common * 2 >= min(rows.count, columns.count) else { continue }
      if best == nil || (common, best!.key.rank) > (best!.common, key.rank) { best = (key, common) }
    }
    return best?.key
  }

  private func candidates(_ object: Int) -> [Key] {
    var keys: [Key] = []
    forEachMember(e, object) { name, value in
      switch e.records[value].kind {
      case .string, .integer:
        let text = String(decoding: e.text(name), as: UTF8.self)
        keys.append(Key(name: text, rank: Self.rank(text)))
      default: break
      }
      return true
    }
    return Array(keys.sorted { $0.rank < $1.rank }.prefix(Self.candidateLimit))
  }

  private static func rank(_ name: String) -> Int {
    switch name.lowercased() {
    case "id", "_id", "uuid", "guid", "key", "pk": 0
    case let name where name.hasSuffix("id"): 1
    case "sku", "code", "slug", "name", "number", "ref", "email": 2
    default: 3
    }
  }

  /// nil where an element lacks it, has something else than a string or a whole number there, or two have the same.
  private func values(
    of name: String, in side: JSONSide, _ elements: ArraySlice<Int>, _ hashes: [UInt64]
  ) -> Set<UInt64>? {
    var values: Set<UInt64> = []
    values.reserveCapacity(elements.count)
    for element in elements {
      guard let value = value(of: name, in: side, element, hashes), values.insert(value).inserted else { return nil }
    }
    return values
  }

  private func value(of name: String, in side: JSONSide, _ element: Int, _ hashes: [UInt64]) -> UInt64? {
    guard side.records[element].kind == .object else { return nil }
    var found: UInt64?
    var name = name
    name.withUTF8 { wanted in
      let wanted = UnsafeRawBufferPointer(wanted)
      forEachMember(side, element) { name, value in
        guard sameBytes(side.text(name), wanted) else { return true }
        switch side.records[value].kind {
        case .string, .integer: found = hashes[value]
        default: break
        }
        return false
      }
    }
    return found
  }

  /// The first members, until `body` returns false.
  private func forEachMember(_ side: JSONSide, _ object: Int, _ body: (_ name: Int, _ value: Int) -> Bool) {
    var index = object &+ 1
    let end = Int(side.records[object].next)
    var count = 0
    while index < end, count < Self.memberLimit {
      guard body(index, index &+ 1) else { return }
      index = Int(side.records[index &+ 1].next)
      count &+= 1
    }
  }
}
