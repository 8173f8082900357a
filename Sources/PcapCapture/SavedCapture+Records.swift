// The pcap format: a file header, then records of a header and a packet.
//
// Source: draft-ietf-opsawg-pcap. Times are seconds and microseconds or nanoseconds, as the file's header says. Files that
// were joined with cat(1) are read through.

import HTTPModel
import PacketHeaders

extension SavedCapture {
  /// The next record of a pcap file.
  func nextRecord() throws(CaptureError) -> PacketRecord? {
    while !isAtEnd {
      if damage != nil, try !findRecord() { return nil }
      let headerLength = records.headerLength
      guard let header = try input.peek(headerLength) else {
        runOut(at: input.offset)
        return nil
      }
      let seconds: UInt32 = header.load(0, records.isSwapped)
      let ticks: UInt32 = header.load(4, records.isSwapped)
      let (captured, onWire) = records.lengths(header)
      if captured == 0, onWire == 0, try isNoRecord(seconds, ticks) {
        if isAtEnd || damage == nil && input.shortage == .pending { return nil }
        continue
      }
      guard let record = try takeRecord(captured) else {
        if damage == nil { return nil }
        continue
      }
      let time = Timestamp(seconds: Int64(seconds), nanoseconds: Int64(ticks) &* records.nanosecondsPerTick)
      blocks.lastTime = time
      return PacketRecord(
        time: time, linkType: records.linkType, interface: blocks.interfaceBase,
        bytes: UnsafeRawBufferPointer(start: record + headerLength, count: Int(captured)), lengthOnWire: Int(onWire))
    }
    return nil
  }

  /// Consumes a record.
  /// - Returns: nil where its bytes are not there or ``damage`` has begun.
  @inline(__always)
  private func takeRecord(_ captured: UInt32) throws(CaptureError) -> UnsafeRawPointer? {
    guard captured <= records.longest else {
      beginDamage(.lengthInvalid(UInt64(captured)), at: input.offset)
      return nil
    }
    let length = records.headerLength + Int(captured)
    if let record = try input.peek(length) {
      if input.available - length < 16 || records.lengths(record + length).captured <= records.longest {
        input.consume(length)
        return record
      }
    }
    return try takeDoubtful(captured)
  }

  /// The record goes beyond the file's end, or what follows it is none. Its length is to blame where records can be
  /// proved to begin within it.
  @inline(never)
  private func takeDoubtful(_ captured: UInt32) throws(CaptureError) -> UnsafeRawPointer? {
    let length = records.headerLength + Int(captured)
    let isWhole = try input.peek(length) != nil
    if isWhole || input.shortage == .end || input.shortage == .replaced {
      if let place = try placeOfRecord(), place < length {
        beginDamage(.lengthInvalid(UInt64(captured)), at: input.offset)
        return nil
      }
    }
    guard let record = try input.peek(length) else {
      runOut(at: input.offset)
      return nil
    }
    input.consume(length)
    return record
  }

  /// Looks into a record without a packet. All zeros are what a disk shows that lost what was written last. This file's
  /// own header, with a zone and an accuracy of 0 as all are written, is another file's that was joined to it: as a
  /// record it would be of the year 2055.
  ///
  /// - Returns: whether it is no record, but damage or a header that was consumed, or one that has not come as a whole.
  @inline(never)
  private func isNoRecord(_ seconds: UInt32, _ ticks: UInt32) throws(CaptureError) -> Bool {
    let offset = input.offset
    if seconds == 0, ticks == 0 {
      beginDamage(.lengthInvalid(0), at: offset)
      return true
    }
    guard seconds == records.magic, ticks == 0x0004_0002 || ticks == 0x0002_0004 else { return false }
    guard let header = try input.peek(24) else {
      runOut(at: offset)
      return true
    }
    let magic = UInt32(bigEndian: header.loadUnaligned(as: UInt32.self))
    guard let variant = RecordLayout.Variant(magic: magic), variant.fileHeaderLength == 24 else { return false }
    let headerLength = records.headerLength
    records = RecordLayout(variant, header: header)
    records.headerLength = headerLength
    input.consume(24)
    if !records.linkType.isSupported { note(.linkTypeUnread(records.linkType), at: offset) }
    return true
  }
}
