// Names whose values are secret. In: a name as it stands in a message. Out: whether it is one of them.
// Owner: a redactor, as a value. Bounds: one hash of the name; nearly every name is refused by its first and last letters.

/// Names without regard to case, `_`, `-` and `.`: `X-Api-Key`, `x_api_key` and `xApiKey` are one.
struct NameTable: Sendable {
  private var slots: [UInt64] = []
  /// By the lowest five bits of a name's first octet, which case does not change: those of the last, a bit each.
  private var ends = [UInt32](repeating: 0, count: 32)
  /// A bit for each three letters, by the same bits of each, that a name can end in.
  private var endings = [UInt64](repeating: 0, count: 512)
  /// Octets of the longest name that can be in the table.
  private(set) var longest = 0
  private var globs: [TextPattern] = []

  init(_ names: some Sequence<String>, patterns: [TextPattern] = [], except: Set<String> = []) {
    var hashes: Set<UInt64> = []
    let spared = Set(except.map { NameTable.hash(Array($0.utf8)) })
    let exact = patterns.map(\.description).filter { !$0.contains { "*?\\~".contains($0) } }
    for name in Array(names) + exact {
      let bytes = Array(name.utf8)
      let hash = NameTable.hash(bytes)
      let letters = bytes.filter { !NameTable.isPassedOver($0) }
      guard !spared.contains(hash) || exact.contains(name), let first = letters.first, let last = letters.last else {
        continue
      }
      hashes.insert(hash)
      ends[Int(first & 31)] |= 1 << UInt32(last & 31)
      insertEnding(of: letters)
      // Separators may be more than in the table's spelling.
      longest = max(longest, bytes.count + 8)
    }
    // Before an escaped quote a name may go on.
    for key in 0x1c << 10..<0x1d << 10 { endings[key >> 6] |= 1 << UInt64(key & 63) }
    globs = patterns.filter { $0.description.contains { "*?\\~".contains($0) } }
    if !globs.isEmpty {
      ends = [UInt32](repeating: .max, count: 32)
      endings = [UInt64](repeating: .max, count: 512)
      longest = .max
    }
    var size = 16
    while size < hashes.count * 3 { size *= 2 }
    slots = [UInt64](repeating: 0, count: size)
    for hash in hashes {
      var place = Int(truncatingIfNeeded: hash) & (size - 1)
      while slots[place] != 0 { place = (place + 1) & (size - 1) }
      slots[place] = hash
    }
  }

  func contains(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    if !globs.isEmpty {
      let text = Array(name)[...]
      if globs.contains(where: { $0.matches(text) }) { return true }
    }
    guard mayContain(name) else { return false }
    let hash = NameTable.hash(name)
    var place = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[place] != 0 {
      if slots[place] == hash { return true }
      place = (place + 1) & (slots.count - 1)
    }
    return false
  }

  /// False proves that a name is none of these, by a glance at its ends.
  @inline(__always)
  func mayContain(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    guard !name.isEmpty, name.count <= longest else { return false }
    let (first, last) = (name[0], name[name.count &- 1])
    return
      (ends[Int(first & 31)] >> UInt32(last & 31) & 1 == 1 || NameTable.isPassedOver(first)
      || NameTable.isPassedOver(last)) && mayEnd(name, at: name.count)
  }

  /// False proves that no name of these ends at `end` in a text, wherever it begins.
  @inline(__always)
  func mayEnd(_ text: UnsafeBufferPointer<UInt8>, at end: Int) -> Bool {
    if end > 2 {
      let (a, b, c) = (text[end &- 3], text[end &- 2], text[end &- 1])
      if !NameTable.isPassedOver(a), !NameTable.isPassedOver(b), !NameTable.isPassedOver(c) {
        return hasEnding(Int(c & 31) << 10 | Int(b & 31) << 5 | Int(a & 31))
      }
    }
    return mayEndSpaced(text, at: end)
  }

  /// True proves that no name of these ends in three letters before a quote; nearly every name in JSON is so refused.
  /// - Parameter word: the four octets, the first one lowest.
  @inline(__always)
  func refuses(quoted word: UInt32) -> Bool {
    // Only `_` of what is passed over stands among the letters.
    let others = (word ^ 0x5f5f5f) & 0xffffff
    guard word >> 24 == 0x22, word & 0x404040 == 0x404040, (others &- 0x010101) & ~others & 0x808080 == 0 else {
      return false
    }
    return !hasEnding(Int(word >> 6 & 0x7c00 | word >> 3 & 0x3e0 | word & 0x1f))
  }

  private func mayEndSpaced(_ text: UnsafeBufferPointer<UInt8>, at end: Int) -> Bool {
    var (key, count, index) = (0, 0, end)
    while count < 3 {
      guard index > 0 else { return true }
      index &-= 1
      let byte = text[index]
      if NameTable.isPassedOver(byte) { continue }
      key = key << 5 | Int(byte & 31)
      count &+= 1
    }
    return hasEnding(key)
  }

  @inline(__always)
  private func hasEnding(_ key: Int) -> Bool { endings[key >> 6] >> UInt64(key & 63) & 1 == 1 }

  /// What stands before the first letter of a short name may be anything.
  private mutating func insertEnding(of letters: [UInt8]) {
    let ending = letters.suffix(3).reversed().reduce(0) { $0 << 5 | Int($1 & 31) }
    let free = 5 * (3 - min(3, letters.count))
    for key in ending << free..<(ending + 1) << free { endings[key >> 6] |= 1 << UInt64(key & 63) }
  }

  @inline(__always)
  private static func isPassedOver(_ byte: UInt8) -> Bool { byte == 0x5f || byte &- 0x2d <= 1 }

  /// FNV-1a of the letters that count; never 0.
  private static func hash(_ name: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name where !isPassedOver(byte) {
      let folded = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
      hash = (hash ^ UInt64(folded)) &* 0x0000_0100_0000_01b3
    }
    return (hash ^ hash >> 29) | 1
  }
}

/// Names that are hidden without being named by a rule: what is secret by its name nearly everywhere, and little else.
enum WellKnownNames {
  /// Fields whose values are hidden in part, each in its own way.
  static let formed = [
    "authorization", "proxy-authorization", "cookie", "set-cookie", "referer", "location", "content-location", "link",
    "refresh",
  ]

  /// Beside Authorization, Proxy-Authorization, Cookie and Set-Cookie.
  static let headers = [
    "api-key", "x-api-key", "x-api-token", "x-api-secret", "apikey", "x-auth", "x-auth-token", "x-auth-key",
    "x-access-token", "x-refresh-token", "x-id-token", "x-session-token", "x-session-id", "x-user-token",
    "x-csrf-token", "x-xsrf-token", "csrf-token", "x-amz-security-token", "x-goog-api-key", "x-goog-iap-jwt-assertion",
    "x-amzn-oidc-data", "x-amzn-oidc-accesstoken", "x-vault-token", "x-gitlab-token", "x-github-token", "private-token",
    "deploy-token", "job-token", "x-shopify-access-token", "x-functions-key", "ocp-apim-subscription-key",
    "x-rapidapi-key", "x-forwarded-access-token", "x-forwarded-authorization", "x-original-authorization",
    "x-ms-client-principal", "x-secret", "x-password", "x-client-secret", "x-hub-signature", "x-hub-signature-256",
    "authentication-info", "cf-access-client-secret", "cf-access-jwt-assertion", "x-sentry-auth", "sec-websocket-key1",
  ]

  /// In JSON, forms, multipart forms, queries, XML, and of cookies all.
  static let fields = [
    "password", "passwd", "pwd", "pass", "passphrase", "passcode", "password_confirmation", "confirm_password",
    "current_password", "new_password", "old_password", "user_password", "secret", "secrets", "client_secret",
    "app_secret", "shared_secret", "secret_key", "secret_access_key", "aws_secret_access_key", "secret_token",
    "token", "access_token", "refresh_token", "id_token", "auth_token", "session_token", "bearer_token", "api_token",
    "csrf_token", "xsrf_token", "csrfmiddlewaretoken", "authenticity_token", "__requestverificationtoken",
    "device_token", "push_token", "reset_token", "password_reset_token", "verification_token", "personal_access_token",
    "oauth_token", "oauth_token_secret", "oauth_verifier", "oauth_signature", "security_token", "x-amz-security-token",
    "jwt", "bearer", "authorization", "credential", "credentials", "api_key", "api_secret", "apikey", "app_key",
    "access_key", "private_key", "encryption_key", "signing_key", "master_key", "subscription_key", "account_key",
    "storage_key", "client_assertion", "code_verifier", "assertion", "saml_response", "session_id", "sessionid",
    "jsessionid", "phpsessid", "session_key", "otp", "totp", "one_time_password", "mfa_code", "otp_code", "pin",
    "pin_code", "cvv", "cvc", "cvv2", "cvc2", "security_code", "card_number", "cardnumber", "card_cvc", "card_cvv",
    "credit_card", "credit_card_number", "pan", "ssn", "social_security_number", "iban", "account_number",
    "routing_number", "private_key_id", "webhook_secret", "connection_string", "dsn", "two_factor_code",
    "recovery_code", "backup_codes", "security_answer", "signature_secret", "x-api-key",
  ]

  /// In queries beside those: signed links.
  static let query = ["sig", "signature", "x-amz-signature", "x-amz-credential", "x-goog-signature", "hmac"]
}
