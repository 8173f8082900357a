// The JSON report against the JSON Schema that ships with it: every member is described, every description holds.

import Foundation
import ResponseDiff
import Testing

@testable import Reporting

@Suite struct SchemaTests {
  private static func schema() throws -> [String: Any] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    // A checkout's folders may be links; the schema stands beside the sources that write what it describes.
    let places = [
      root,
      URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent(),
    ]
    let file = places.map { $0.appending(path: "man/umbra-report.schema.json") }.first {
      FileManager.default.fileExists(atPath: $0.path)
    }
    let data = try Data(contentsOf: try #require(file))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  /// The keywords that the schema uses, and one rule more: what is written must be described.
  private struct Checker {
    let root: [String: Any]
    var faults: [String] = []

    mutating func check(_ value: Any, _ schema: [String: Any], _ path: String) {
      if let reference = schema["$ref"] as? String, let definitions = root["$defs"] as? [String: [String: Any]],
        let target = definitions[String(reference.dropFirst("#/$defs/".count))]
      {
        return check(value, target, path)
      }
      if let types = schema["type"] as? [String] ?? (schema["type"] as? String).map({ [$0] }),
        !types.contains(where: { isType($0, value) })
      {
        return faults.append("\(path) is not \(types)")
      }
      if let constant = schema["const"] as? String, value as? String != constant {
        faults.append("\(path) ≠ \(constant)")
      }
      if let names = schema["enum"] as? [String], !names.contains(value as? String ?? "") {
        faults.append("\(path) is none of \(names)")
      }
      if let pattern = schema["pattern"] as? String, let text = value as? String,
        text.range(of: pattern, options: .regularExpression) == nil
      {
        faults.append("\(path) does not match")
      }
      if let number = value as? NSNumber, !(value is NSNull) {
        if let least = schema["minimum"] as? Double, number.doubleValue < least { faults.append("\(path) < \(least)") }
        if let most = schema["maximum"] as? Double, number.doubleValue > most { faults.append("\(path) > \(most)") }
      }
      if let list = value as? [Any] {
        if let least = schema["minItems"] as? Int, list.count < least { faults.append("\(path) is too short") }
        if let most = schema["maxItems"] as? Int, list.count > most { faults.append("\(path) is too long") }
        for (index, item) in list.enumerated() {
          check(item, schema["items"] as? [String: Any] ?? [:], "\(path)[\(index)]")
        }
      }
      guard let object = value as? [String: Any] else { return }
      let known = schema["properties"] as? [String: [String: Any]] ?? [:]
      for name in schema["required"] as? [String] ?? [] where object[name] == nil {
        faults.append("\(path).\(name) is missing")
      }
      for (name, member) in object {
        guard let described = known[name] ?? schema["additionalProperties"] as? [String: Any] else {
          faults.append("\(path).\(name) is not described")
          continue
        }
        check(member, described, "\(path).\(name)")
      }
    }

    private func isType(_ name: String, _ value: Any) -> Bool {
      let isBoolean = value is Bool && String(describing: type(of: value)).contains("Bool")
      return switch name {
      case "null": value is NSNull
      case "object": value is [String: Any]
      case "array": value is [Any]
      case "string": value is String
      case "boolean": isBoolean
      case "integer": !isBoolean && (value as? NSNumber).map { $0.doubleValue.rounded() == $0.doubleValue } == true
      case "number": !isBoolean && value is NSNumber
      default: false
      }
    }
  }

  @Test(arguments: 0..<5) func whatIsWrittenIsAsTheSchemaSays(_ index: Int) throws {
    let reports = [
      SampleReports.failing, SampleReports.green, SampleReports.inconclusive, SampleReports.empty,
      SampleReports.filled(with: SampleReports.hostileText),
    ]
    var report = reports[index]
    // What is made of hostile text stands where only umbra writes.
    for cluster in report.clusters.indices where index == 4 { report.clusters[cluster].location = .body }
    let written = try JSONSerialization.jsonObject(with: Data(report.rendered(as: .json)), options: .fragmentsAllowed)
    let schema = try SchemaTests.schema()
    var checker = Checker(root: schema)
    checker.check(written, schema, "report")
    #expect(checker.faults.isEmpty)
  }

  private static let validator = ["/usr/bin/python3"].first { python in
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-c", "import jsonschema"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  @Test(.enabled(if: validator != nil, "no python3 with jsonschema here"))
  func anotherValidatorAgrees() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "umbra-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (report, schema) = (folder.appending(path: "report.json"), folder.appending(path: "schema.json"))
    try Data(SampleReports.failing.rendered(as: .json)).write(to: report)
    try JSONSerialization.data(withJSONObject: try SchemaTests.schema()).write(to: schema)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(SchemaTests.validator))
    process.arguments = [
      "-c",
      """
      import json, jsonschema, sys
      schema = json.load(open(sys.argv[2]))
      jsonschema.Draft202012Validator.check_schema(schema)
      jsonschema.Draft202012Validator(schema).validate(json.load(open(sys.argv[1])))
      """, report.path, schema.path,
    ]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }
}
