// A request with another target and other header fields: the bytes between stay as they were recorded.
//
// In: a request, what is changed. Out: a request of the same form. Owner: a value. Bounds: linear in the head.

import HTTPModel

/// What is changed in a request's head.
struct RequestEdit {
  typealias Field = (name: [UInt8], value: [UInt8])

  var target: [UInt8]?
  /// Names (any case) and new values: the first field of a name takes the value in its place, others of the name go. One
  /// that is not there is added at the end, unless ``addsFields`` says otherwise.
  var set: [Field] = []
  /// Names, any case, of fields that go.
  var removed: [[UInt8]] = []
  var addsFields = true

  var isEmpty: Bool { target == nil && set.isEmpty && removed.isEmpty }

  func applied(to request: HTTPRequest) -> HTTPRequest {
    RequestEdit.hasWireHead(request) ? onWire(request) : composed(request)
  }

  private enum Change { case keep, remove, replace([UInt8]) }

  /// - Parameter done: which of ``set`` have found their field.
  private func change(_ name: ArraySlice<UInt8>, _ done: inout Set<Int>) -> Change {
    if removed.contains(where: { asciiCaseInsensitiveEqual($0, name) }) { return .remove }
    guard let index = set.firstIndex(where: { asciiCaseInsensitiveEqual($0.name, name) }) else { return .keep }
    return done.insert(index).inserted ? .replace(set[index].value) : .remove
  }

  // MARK: Heads as on the wire

  private static let (cr, lf) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))

  /// An HTTP/1 head in which each field begins a line, in the order of its ranges.
  private static func hasWireHead(_ request: HTTPRequest) -> Bool {
    let storage = request.fields.storage
    guard request.version != .http2, storage.last == lf,
      request.methodRange.upperBound <= request.targetRange.lowerBound
    else { return false }
    var end = Int(request.targetRange.upperBound)
    for range in request.fields.ranges {
      guard Int(range.nameStart) > end, storage[Int(range.nameStart) - 1] == lf, range.nameEnd <= range.valueStart
      else { return false }
      end = Int(range.valueEnd)
    }
    let last = emptyLineStart(storage)
    return end < last && storage[last - 1] == lf
  }

  private static func emptyLineStart(_ storage: [UInt8]) -> Int {
    let end = storage.count - 1
    return end > 0 && storage[end - 1] == cr ? end - 1 : end
  }

  /// Behind a field's last line, lines that fold it included.
  private static func lineEnd(_ storage: [UInt8], _ valueEnd: Int) -> Int {
    var index = valueEnd
    repeat {
      while index < storage.count, storage[index] != lf { index += 1 }
      index = min(index + 1, storage.count)
    } while index < storage.count && (storage[index] == 0x20 || storage[index] == 0x09)
    return index
  }

  private func onWire(_ request: HTTPRequest) -> HTTPRequest {
    let storage = request.fields.storage
    var (out, copied, ranges, done) = ([UInt8](), 0, [FieldRange](), Set<Int>())
    out.reserveCapacity(storage.count + 256)
    func copy(to end: Int) {
      if copied < end { out += storage[copied..<end] }
      copied = max(copied, end)
    }
    var targetRange = request.targetRange
    if let target {
      copy(to: Int(targetRange.lowerBound))
      out += target
      copied = Int(targetRange.upperBound)
      targetRange = targetRange.lowerBound..<targetRange.lowerBound + UInt32(target.count)
    }
    for (index, range) in request.fields.ranges.enumerated() {
      let shift = out.count - copied
      switch change(request.fields.name(at: index), &done) {
      case .keep: ranges.append(range.shifted(by: shift))
      case .remove:
        copy(to: Int(range.nameStart))
        copied = RequestEdit.lineEnd(storage, Int(range.valueEnd))
      case .replace(let value):
        copy(to: Int(range.valueStart))
        var moved = range.shifted(by: shift)
        out += value
        moved.valueEnd = UInt32(out.count)
        ranges.append(moved)
        copied = Int(range.valueEnd)
      }
    }
    copy(to: RequestEdit.emptyLineStart(storage))
    for (index, field) in set.enumerated() where addsFields && !done.contains(index) {
      let start = UInt32(out.count)
      out += field.name + ": ".utf8 + field.value
      ranges.append(
        FieldRange(
          nameStart: start, nameEnd: start + UInt32(field.name.count), valueStart: start + UInt32(field.name.count) + 2,
          valueEnd: UInt32(out.count)))
      out += [RequestEdit.cr, RequestEdit.lf]
    }
    copy(to: storage.count)
    var edited = request
    edited.fields = HeaderFields(storage: out, ranges: ranges)
    edited.targetRange = targetRange
    return edited
  }

  // MARK: Heads made of fields

  /// What takes another's place comes behind all that is there; HTTP/2's target keeps its place, which tells the order of
  /// the pseudo-header fields.
  private func composed(_ request: HTTPRequest) -> HTTPRequest {
    var edited = request
    var (ranges, done) = ([FieldRange](), Set<Int>())
    if let target {
      let old = request.targetRange
      let shift = target.count - old.count
      edited.fields.storage.replaceSubrange(Int(old.lowerBound)..<Int(old.upperBound), with: target)
      edited.targetRange = old.lowerBound..<old.lowerBound + UInt32(target.count)
      if edited.methodRange.lowerBound >= old.upperBound {
        let method = edited.methodRange
        edited.methodRange = UInt32(Int(method.lowerBound) + shift)..<UInt32(Int(method.upperBound) + shift)
      }
      for index in edited.fields.ranges.indices where edited.fields.ranges[index].nameStart >= old.upperBound {
        edited.fields.ranges[index] = edited.fields.ranges[index].shifted(by: shift)
      }
    }
    for (index, range) in edited.fields.ranges.enumerated() {
      switch change(edited.fields.name(at: index), &done) {
      case .keep: ranges.append(range)
      case .remove: continue
      case .replace(let value):
        var moved = range
        moved.valueStart = UInt32(edited.fields.storage.count)
        edited.fields.storage += value
        moved.valueEnd = UInt32(edited.fields.storage.count)
        ranges.append(moved)
      }
    }
    edited.fields.ranges = ranges
    for (index, field) in set.enumerated() where addsFields && !done.contains(index) {
      edited.fields.append(name: field.name, value: field.value)
    }
    return edited
  }
}

extension FieldRange {
  fileprivate func shifted(by shift: Int) -> FieldRange {
    FieldRange(
      nameStart: UInt32(Int(nameStart) + shift), nameEnd: UInt32(Int(nameEnd) + shift),
      valueStart: UInt32(Int(valueStart) + shift), valueEnd: UInt32(Int(valueEnd) + shift))
  }
}
