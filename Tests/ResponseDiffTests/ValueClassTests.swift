import Testing

@testable import ResponseDiff

@Test(
  arguments: [
    (nil, ValueClass.nothing), ("null", .null), ("true", .boolean), ("12", .number), ("-1.5e3", .number),
    ("\"12\"", .text), ("\"\"", .text), ("", .nothing), ("{\"a\":1}", .structure), ("[1]", .structure),
    ("\"2026-11-21T10:00:00Z\"", .time), ("2026-11-21", .time), ("Sun, 06 Nov 1994 08:49:37 GMT", .time),
    ("1795254303", .epoch), ("1795254303123", .epoch), ("\"123e4567-e89b-42d3-a456-426614174000\"", .uuid),
    ("\"9f86d081884c7d659a2feaa0\"", .token), ("W/\"33a64df551425fcc\"", .token), ("\"order 17 of 20\"", .text),
    ("max-age=60", .text), ("application/json", .text), ("nginx/1.24.0", .text),
  ] as [(String?, ValueClass)])
func valuesAreClassedByTheirLook(value: String?, expected: ValueClass) {
  #expect(ValueClass(value) == expected)
}
