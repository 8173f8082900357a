// What the demo shop sells, who buys and what they say, grown from a seed.
// Owner: a value, made once per shop. Bounds: ShopCatalog.itemCount items and userCount users; a few hundred KB.

/// SplitMix64: a small generator whose sequence a seed determines for ever, unlike the standard library's.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }

  /// A number in `range`, by remainder: the standard library's own choice may change between its versions.
  mutating func number(in range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(next() % UInt64(range.count))
  }

  mutating func element<T>(of elements: [T]) -> T { elements[number(in: 0...elements.count - 1)] }
}

/// Something for sale.
struct ShopItem: Hashable, Sendable {
  /// From 1.
  var number: Int
  var name: String
  /// As spelled in JSON: `12.50`, and `1250` in JPY.
  var price: String
  var currency: String
  /// One decimal.
  var rating: String
  var tags: [String]
  var stock: Int
  var warehouse: String
  var reviews: [ShopReview]
}

struct ShopReview: Hashable, Sendable {
  var author: String
  var stars: Int
  var text: String
}

struct ShopUser: Hashable, Sendable {
  /// From 1.
  var number: Int
  var name: String
  var city: String
  var points: Int
}

/// The shop's data.
struct ShopCatalog: Sendable {
  static let itemCount = 200
  static let userCount = 60
  static let currencies = ["EUR", "USD", "JPY", "GBP"]

  let items: [ShopItem]
  let users: [ShopUser]

  init(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    items = (1...Self.itemCount).map { Self.item($0, &generator) }
    users = (1...Self.userCount).map { number in
      ShopUser(
        number: number, name: Self.person(&generator), city: generator.element(of: Self.cities),
        points: generator.number(in: 0...5000))
    }
  }

  func item(_ number: Int) -> ShopItem? { items.indices.contains(number - 1) ? items[number - 1] : nil }
  func user(_ number: Int) -> ShopUser? { users.indices.contains(number - 1) ? users[number - 1] : nil }

  private static func item(_ number: Int, _ generator: inout SplitMix64) -> ShopItem {
    // By number and not by chance, so that any run of neighbours meets each currency.
    let currency = currencies[number % currencies.count]
    let minor = generator.number(in: 199...99_999)
    let cents = minor % 100
    let price = currency == "JPY" ? String(minor) : "\(minor / 100).\(cents < 10 ? "0" : "")\(cents)"
    return ShopItem(
      number: number, name: generator.element(of: materials) + " " + generator.element(of: things),
      price: price, currency: currency,
      rating: "\(generator.number(in: 1...4)).\(generator.number(in: 0...9))",
      tags: (0..<generator.number(in: 1...4)).map { _ in generator.element(of: labels) },
      stock: generator.number(in: 0...400), warehouse: generator.element(of: cities),
      reviews: (0..<generator.number(in: 1...6)).map { _ in
        ShopReview(
          author: person(&generator), stars: generator.number(in: 1...5),
          text: (0..<generator.number(in: 3...24)).map { _ in generator.element(of: words) }.joined(separator: " "))
      })
  }

  private static func person(_ generator: inout SplitMix64) -> String {
    generator.element(of: givenNames) + " " + generator.element(of: familyNames)
  }

  static let materials = ["Brass", "Oak", "Linen", "Copper", "Slate", "Cork", "Woollen", "Glass", "Marble", "Rattan"]
  static let things = ["Lantern", "Kettle", "Basket", "Clock", "Chair", "Mug", "Compass", "Blanket", "Mirror", "Vase"]
  private static let labels = ["new", "sale", "handmade", "fragile", "gift", "outdoor", "kitchen", "last one"]
  private static let cities = ["Lyon", "Göteborg", "Porto", "Kraków", "Leeds", "Ōsaka", "Gent", "Trieste"]
  private static let givenNames = ["Ada", "Bruno", "Chloë", "Dmitri", "Esra", "Farid", "Greta", "Hana", "Ivo", "Juana"]
  private static let familyNames = ["Almeida", "Berg", "Čapek", "Dubois", "Eriksson", "Fontana", "Grau", "Hayashi"]
  private static let words = [
    "arrived", "sturdy", "lighter", "than", "expected", "well", "made", "colour", "differs", "from", "the", "photo",
    "would", "buy", "again", "gift", "for", "my", "brother", "\"perfect\"", "a", "bit", "small", "– still", "good",
  ]
}
