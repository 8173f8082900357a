// swift-tools-version: 6.2
// Targets are drawn where the set of allowed imports changes; the table is in
// Sources/UmbraCLI/UmbraCLI.docc/Architecture.md and a test holds the sources to it.

import PackageDescription

/// Settings that every Swift target shares.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// Packet headers are parsed from hostile bytes: no unsafe construct without a mark, no warning left standing.
let hardened: [SwiftSetting] =
  strict + [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
  ]

let nio: [Target.Dependency] = [
  .product(name: "NIOCore", package: "swift-nio"),
  .product(name: "NIOPosix", package: "swift-nio"),
]

/// What a request travels in beyond plain HTTP/1.1.
let nioProtocols: [Target.Dependency] = [
  .product(name: "NIOHTTP2", package: "swift-nio-http2"),
  .product(name: "NIOHPACK", package: "swift-nio-http2"),
  .product(name: "NIOSSL", package: "swift-nio-ssl"),
  .product(name: "NIOTLS", package: "swift-nio"),
]

func core(_ name: String, _ dependencies: [Target.Dependency] = [], settings: [SwiftSetting] = strict) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(name: name + "Tests", dependencies: [.init(stringLiteral: name)] + dependencies, swiftSettings: strict)
}

let package = Package(
  name: "umbra",
  products: [
    .executable(name: "umbra", targets: ["umbra"]),
    .library(name: "TCPReassembly", targets: ["TCPReassembly"]),
    .library(name: "HTTP1Decoding", targets: ["HTTP1Decoding"]),
    .library(name: "HTTP2Decoding", targets: ["HTTP2Decoding"]),
    .library(name: "SessionFile", targets: ["SessionFile"]),
    .library(name: "ResponseDiff", targets: ["ResponseDiff"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    // CAEAD declares ciphers by names that are swift-crypto's own.
    .package(url: "https://github.com/apple/swift-crypto", .upToNextMinor(from: "4.5.0")),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
  ],
  targets: [
    .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CBrotli", pkgConfig: "libbrotlidec", providers: [.apt(["libbrotli-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CAEAD"),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),

    core("HTTPModel"),
    core("PacketHeaders", ["HTTPModel"], settings: hardened),
    core("TCPReassembly", ["HTTPModel", "PacketHeaders"]),
    core("HTTP1Decoding", ["HTTPModel"]),
    core("HTTP2Decoding", ["HTTPModel"]),
    core(
      "TLSDecryption",
      [
        "HTTPModel", "CAEAD", .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
      ]),
    core("MessageFraming", ["HTTPModel"]),
    core(
      "ExchangeAssembly",
      [
        "HTTPModel", "PacketHeaders", "TCPReassembly", "HTTP1Decoding", "HTTP2Decoding", "MessageFraming",
        "ContentCoding", "TLSDecryption",
      ]),
    core("ContentCoding", ["CZlib", "CBrotli", "CZstd"]),
    core("ContentTree"),
    core("ValueCorrelation", ["HTTPModel", "ContentCoding", "ContentTree"]),
    core("Interchange", ["HTTPModel", "HTTP1Decoding", "ContentCoding", "ContentTree", "CZlib"]),
    core("SessionFile", ["HTTPModel", "CZstd", .product(name: "Crypto", package: "swift-crypto")]),
    core(
      "TrafficRules",
      [
        "HTTPModel", "MessageFraming", "ContentCoding", "ContentTree", "CYAML",
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    core("ReplaySchedule", ["HTTPModel"]),
    core("ReplayClient", ["HTTPModel", "ReplaySchedule", "HTTP1Decoding"] + nio + nioProtocols),
    core(
      "ResponseDiff",
      ["HTTPModel", "ContentCoding", "ContentTree", .product(name: "Histogram", package: "hdrhistogram-swift")]),
    core("Reporting", ["HTTPModel", "ResponseDiff", .product(name: "Mustache", package: "swift-mustache")]),
    core("Telemetry", ["HTTPModel", .product(name: "NIOHTTP1", package: "swift-nio")] + nio),
    core("PcapCapture", ["CPcap", "CZlib", "CZstd", "PacketHeaders", "HTTPModel"]),
    core(
      "UmbraCLI",
      [
        "HTTPModel", "PacketHeaders", "TCPReassembly", "TLSDecryption", "HTTP1Decoding", "HTTP2Decoding",
        "MessageFraming",
        "ExchangeAssembly", "ContentCoding", "ContentTree", "ValueCorrelation", "Interchange", "SessionFile",
        "TrafficRules",
        "ReplaySchedule",
        "ReplayClient", "ResponseDiff",
        "Reporting",
        "PcapCapture", "Telemetry", .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Crypto", package: "swift-crypto"), .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ] + nio),
    .executableTarget(name: "umbra", dependencies: ["UmbraCLI"], swiftSettings: strict),
    // For `make bench`.
    .executableTarget(
      name: "ComparisonBenchmark", dependencies: ["HTTPModel", "ResponseDiff"], path: "Tests/Benchmarks/Comparison",
      swiftSettings: strict),
    .executableTarget(
      name: "HPACKBenchmark",
      dependencies: [
        "HTTPModel", "HTTP2Decoding", .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
      ], path: "Tests/Benchmarks/HPACK", swiftSettings: strict),

    tests("TCPReassembly", ["HTTPModel", "PacketHeaders"]),
    tests("HTTP1Decoding", ["HTTPModel"]),
    .testTarget(
      name: "TLSDecryptionTests",
      dependencies: [
        "TLSDecryption", "HTTPModel", "TCPReassembly", "PacketHeaders", "PcapCapture",
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      exclude: ["Keys/seal-records.py"], swiftSettings: strict),
    tests("MessageFraming", ["HTTPModel", "ContentCoding"]),
    tests("HTTP2Decoding", ["HTTPModel", "TCPReassembly", "PacketHeaders", "PcapCapture"]),
    tests("ContentCoding", ["CBrotli", "CZstd"]),
    tests("PacketHeaders", ["HTTPModel"]),
    tests("PcapCapture", ["CPcap", "CZlib", "CZstd", "HTTPModel", "PacketHeaders"]),
    tests(
      "ExchangeAssembly",
      [
        "HTTPModel", "PacketHeaders", "TCPReassembly", "HTTP1Decoding", "PcapCapture",
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    .testTarget(
      name: "ContentTreeTests", dependencies: ["ContentTree"], exclude: ["Fixtures"], swiftSettings: strict),
    tests("ValueCorrelation", ["HTTPModel"]),
    tests("Interchange", ["HTTPModel"]),
    tests("SessionFile", ["HTTPModel"]),
    tests("TrafficRules", ["HTTPModel", "MessageFraming", "ContentCoding", "ContentTree"]),
    tests("ReplaySchedule", ["HTTPModel"]),
    tests("ReplayClient", ["HTTPModel", "ReplaySchedule", "HTTP1Decoding", "HTTP2Decoding"] + nio + nioProtocols),
    tests("ResponseDiff", ["HTTPModel", "ContentCoding", "ContentTree"]),
    .testTarget(
      name: "ReportingTests", dependencies: ["Reporting", "HTTPModel", "ResponseDiff"], exclude: ["Goldens"],
      swiftSettings: strict),
    tests("Telemetry", ["HTTPModel"] + nio),
    .testTarget(name: "ArchitectureTests", swiftSettings: strict),
    .testTarget(
      name: "LibraryExampleTests",
      dependencies: [
        "HTTPModel", "PacketHeaders", "TCPReassembly", "HTTP1Decoding", "HTTP2Decoding", "SessionFile", "ResponseDiff",
      ], swiftSettings: strict),
    .testTarget(
      name: "FuzzCorpusTests",
      dependencies: [
        "HTTPModel", "PacketHeaders", "TCPReassembly", "HTTP1Decoding", "HTTP2Decoding", "TLSDecryption",
        "ExchangeAssembly", "ContentCoding", "ContentTree", "SessionFile", "PcapCapture", "TrafficRules",
      ],
      path: "Tests/Fuzz", exclude: ["run", "Corpus", "EntryPoint.swift"], swiftSettings: strict),
    tests("UmbraCLI", ["HTTPModel", "ContentCoding", "ResponseDiff", "SessionFile"] + nio),
  ],
)
