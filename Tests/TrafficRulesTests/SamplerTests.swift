import HTTPModel
import Testing
import TrafficRules

@Suite struct SamplerTests {
  @Test(arguments: [0.0, 0.001, 0.1, 1.0 / 3, 0.5, 0.99, 1]) func requestsAreTakenEvenly(_ share: Double) {
    var sampler = Sampler(SampleRule(share: share, unit: .request))
    var taken = 0
    for count in 1...3000 {
      if sampler.takes(exchange(request())) { taken += 1 }
      #expect(abs(Double(taken) - Double(count) * share) <= 1)
    }
  }

  @Test func connectionsAreInOrOutAsAWhole() {
    var (one, again) = (Sampler(SampleRule(share: 0.2)), Sampler(SampleRule(share: 0.2)))
    var other = Sampler(SampleRule(share: 0.2, seed: "other"))
    var (taken, both) = (0, 0)
    for port in UInt16(1)...10_000 {
      let isIn = one.takes(exchange(request(), port: port))
      #expect(isIn == one.takes(exchange(nil, response(), port: port, ordinal: 2)))
      #expect(isIn == again.takes(exchange(request(), port: port, connection: 99)))
      if isIn { taken += 1 }
      if isIn, other.takes(exchange(request(), port: port)) { both += 1 }
    }
    #expect((1800...2200).contains(taken))
    #expect((300...500).contains(both))
  }

  @Test func aUserIsInOrOutWhateverTheConnection() {
    var (byHeader, byCookie) = (
      Sampler(SampleRule(share: 0.5, unit: .header("x-user"))), Sampler(SampleRule(share: 0.5, unit: .cookie("sid")))
    )
    var (headers, cookies) = (0, 0)
    for user in 0..<2000 {
      let header = (1...3).map {
        byHeader.takes(exchange(request("GET", "/", [("X-User", "u\(user)")]), port: UInt16($0)))
      }
      let cookie = (1...3).map {
        byCookie.takes(exchange(request("GET", "/", [("Cookie", "a=b; sid=u\(user); c=\($0)")]), port: UInt16($0)))
      }
      #expect(Set(header).count == 1 && Set(cookie).count == 1)
      if header[0] { headers += 1 }
      if cookie[0] { cookies += 1 }
    }
    #expect((900...1100).contains(headers) && (900...1100).contains(cookies))
  }

  @Test func theEndsOfTheShareAreNothingAndAll() {
    var (none, all) = (Sampler(SampleRule(share: 0)), Sampler(SampleRule(share: 1)))
    for port in UInt16(1)...500 {
      #expect(!none.takes(exchange(request(), port: port)) && all.takes(exchange(request(), port: port)))
    }
  }
}
