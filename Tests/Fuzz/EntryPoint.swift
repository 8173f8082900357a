// libFuzzer's way in. Not part of the tests.
//
// UMBRA_FUZZ_TARGET names the target. UMBRA_FUZZ_SEEDS=FOLDER writes its seeds there instead of fuzzing.

import Glibc

private let chosen: any FuzzTarget.Type = {
  let name = getenv("UMBRA_FUZZ_TARGET").map { String(cString: $0) } ?? ""
  guard let target = fuzzTargets.first(where: { $0.name == name }) else {
    puts("targets: \(fuzzTargets.map { $0.name }.joined(separator: " "))")
    exit(64)
  }
  return target
}()

@_cdecl("LLVMFuzzerInitialize")
public func fuzzerInitialize(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>>>
) -> CInt {
  // Here, because libFuzzer takes an exit later on for a failure.
  let target = chosen
  guard let folder = getenv("UMBRA_FUZZ_SEEDS").map({ String(cString: $0) }) else { return 0 }
  for (number, seed) in target.seeds.enumerated() {
    guard let file = fopen("\(folder)/seed-\(number)", "w") else { exit(2) }
    fwrite(seed, 1, seed.count, file)
    fclose(file)
  }
  exit(0)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzerTestOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  // A copy on the heap, so that a read past its end is seen.
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  do { try chosen.run(input) } catch { fatalError("\(error)") }
  return 0
}
