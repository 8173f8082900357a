// Records of every kind of cipher suite, sealed by another implementation: written by seal-records.py.
// The TLS 1.2 keys come from `master` and the randoms; the TLS 1.3 keys from the traffic secrets by length, the
// server's one KeyUpdate later. The version in every header is 0x0303.

@testable import TLSDecryption

/// One sealed record and what is in it.
struct RecordVector: Sendable {
  let suite: UInt16
  let encryptThenMAC: Bool
  let side: TLSSide
  let sequence: UInt64
  let contentType: UInt8
  let payload: String
  let plaintext: String

  static let master = bytes(
    ofHex: "82b70eee7f1a5039bef07ec2347f066ed08f5dc7512447e3404300026b6e545594a065685d64c4980bb8d4544a8721a9")
  static let clientRandom = bytes(ofHex: "9a01ad219eb59cf6a15ef6f15a1d830bb7ce09d6bbc004e7175c643c7decb0b5")
  static let serverRandom = bytes(ofHex: "80ec37bc9712dd2e6aaeb94bae8d2f9fa29c5a284c9ef7521829cf1079b080e9")
  /// Client and server traffic secrets for suites with SHA-256.
  static let traffic256 = (
    bytes(ofHex: "d74a1c10fcab6a4243d33656debe4c1ed79648e856e8f9a2f58c95f0ce4b39c1"),
    bytes(ofHex: "5bffad5c2dfb8bb820b6119cba8ff88796ae5b05f280a68ced93b6b28cb0d1b3")
  )
  /// Client and server traffic secrets for suites with SHA-384.
  static let traffic384 = (
    bytes(ofHex: "58e6baab485565b9f49028d557d79a8a0e6451e15c705c15f173541b4438a25cf76312d4eeb3c2246879bf00b3cf8ed1"),
    bytes(ofHex: "3abf129a3097ad96b442d6d1bdef4850c3f465442eb300c337a648a6c0dbdd73fc95f5c2c451859afe80d40aa39dfb92")
  )

  static let all: [RecordVector] = [
    RecordVector(
      suite: 0x1301, encryptThenMAC: false, side: .client, sequence: 0, contentType: 23,
      payload: "598207c17a5ce3561f3530d0b276e14002344cdbf21ce7c6312675569cc1f0a554191899f7d632a40adac4a38a8868da"
        + "0af5206ad9e09976ddee",
      plaintext: "474554202f3438363520485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0x1301, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "77c4f04234c323b276d6926ddc7a070eccbe8ab25edad721c52de227b17c594ad83a14c80bd3b0f033a6b8bac9bc6d60"
        + "89eb08e0b13d23fcecb7d384f70d135429",
      plaintext: "474554202f3438363520485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0x1302, encryptThenMAC: false, side: .client, sequence: 0, contentType: 23,
      payload: "e2633744902c983dbec906cd9e86c1795b00f0be9a125452840712b64c679a143e6f8b6a68afc0f7cd3d40cb39bdb991"
        + "e4d17cb159ab81e75b6d",
      plaintext: "474554202f3438363620485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0x1302, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "37fd1ab2019355df1f2fbe8a4b311ac7c3e5e9360d70a61a437970a8ee9b75eeea7bd1fd6748303bb69e49f3b7f1dd4f"
        + "88ce90eee21da01ea6aa0081f27b36df20",
      plaintext: "474554202f3438363620485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0x1303, encryptThenMAC: false, side: .client, sequence: 0, contentType: 23,
      payload: "a52f2db0d457ac32975dc31a296180b62a17cf71bad342731f20c4875030abd510cf4a9f0510551091b78b73146d444c"
        + "e8678031ca1d24794f67",
      plaintext: "474554202f3438363720485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0x1303, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "a718a76f2a54ceeedb8cce5c94bc35d52e8189dc5202303c29d4e92d921cef68f78fb42bf46efa4ae4389cc1e482272f"
        + "400942e9f1a1a8aacbaf3ed191f2d5e58a",
      plaintext: "474554202f3438363720485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0x1304, encryptThenMAC: false, side: .client, sequence: 0, contentType: 23,
      payload: "e317669a3bd4e2c401718c7123eb3dea1c5fd80041b1a3719c0f492e8bc34c36dbedb231ee246c98f69c680edb7e2b9f"
        + "1f597a3245186b259955",
      plaintext: "474554202f3438363820485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0x1304, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "0096afed8016048cf882979d60be5d9e5b7f3eb8b2a7777b7d9bbe2fc3d0286e2489cd017bc76e4f4aaf99059545fcee"
        + "f92093c77add73c0ed8cf24786b398ebe5",
      plaintext: "474554202f3438363820485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0x1305, encryptThenMAC: false, side: .client, sequence: 0, contentType: 23,
      payload: "e317669a3bd4e2c400718c7123eb3dea1c5fd80041b1a3719c0f492e8bc34c36dbedb231ee246c98f69c88b7cef3d642"
        + "497e",
      plaintext: "474554202f3438363920485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0x1305, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "0096afed8016048cf982979d60be5d9e5b7f3eb8b2a7777b7d9bbe2fc3d0286e2489cd017bc76e4f4aaf99059545fcee"
        + "f9edd980a2268c0482",
      plaintext: "474554202f3438363920485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC02F, encryptThenMAC: false, side: .client, sequence: 1, contentType: 23,
      payload: "49f40c3ee37d9614c0939ef471fb13bc8b79c7574bf65dea7532fefedcc3ae8513e5f3d990341be08eff0aa91fbb8932"
        + "acc455f9bc4a7e2c3a8869d8c6d6333b238c",
      plaintext: "474554202f343931393920485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC02F, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "45c806f58c7cf21229be4fa0d4c47e8e51fa5946dd34b6734640517dfbc48fd96db5ad1c542f29e4f184ffbbfabe3917"
        + "016d555a51115294be968eaa3f27a675bcdd",
      plaintext: "474554202f343931393920485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC030, encryptThenMAC: false, side: .client, sequence: 1, contentType: 23,
      payload: "7dfa894f9296fcf3e1dbd345c448425f3e6e882f0e63d6e60b6d4efa8154012765035e7db25c2eb7c79b51c2d6120903"
        + "cd5bfd6aecb9155c67989035a1af3ab12439",
      plaintext: "474554202f343932303020485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC030, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "3c08409990ac970d80bce03baf90264d2fb76a1f94f010a5c55d2e375ff8ebe660746d9a6495979dae14136e1b107a6c"
        + "c27be99b29c7e8e1284477928a18c6c41c91",
      plaintext: "474554202f343932303020485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC09E, encryptThenMAC: false, side: .client, sequence: 1, contentType: 23,
      payload: "edb3b843120181e9710757b89156f314a8bb48a7724bf9379971aae160a7de350e9524f2c91216f184ab7d3aaf3efde1"
        + "a8f7e96d80970eeed3a05e70606816ab3af0",
      plaintext: "474554202f343933313020485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC09E, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "376107dbdaf6c5f35c3f3a51cd7d133c73b6b7f0009a0a0befbe580f86a3eb261b3a1e3c62aa39e5a400b4c078edfc7b"
        + "91dce05aaa8ec590e82ab9a9325bf2229e67",
      plaintext: "474554202f343933313020485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC0AD, encryptThenMAC: false, side: .client, sequence: 1, contentType: 23,
      payload: "c86497ee219b01dd4035a430224e5745caf349dd1f9f24f3a0a2170e4193226123ea30c161c5e6d060cd7363c4a3db35"
        + "28339bf9bb65bcef8d64dd0c45345274bf79",
      plaintext: "474554202f343933323520485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC0AD, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "92f19f4954f4fea9ffeaaa2f8f5d0013cd28fbd15fa08fa6fb88d3e81ee8f908f3919d9b68b90b44f4719afe8493bf55"
        + "d0e8120bc7ad5002ebd356aa3e7d3cfa24d3",
      plaintext: "474554202f343933323520485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC0AE, encryptThenMAC: false, side: .client, sequence: 1, contentType: 23,
      payload: "4ed9182375882b2059f8925df6fb0ed066935fb72d41b01c21dfbfb9457966223652dba51e3b083afe3f0b75f237d2fd"
        + "b31ce27ec3cdeeb2bd2a",
      plaintext: "474554202f343933323620485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC0AE, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "0daadb23cff9193ff104ebf18761ef7aa5a99741dcfbf070247c485068852ab46cc42c3cb2226daed38bb3871b2facc0"
        + "ddd805eeeca299d6977f",
      plaintext: "474554202f343933323620485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC0A1, encryptThenMAC: false, side: .client, sequence: 1, contentType: 23,
      payload: "3e70384495e04c5dbad2e8b11bac46c5563e318790ab2a52deef37b8c324eab37d3aa79bafe01e4f775a36a6193fcaba"
        + "0db1b718d14d98773858",
      plaintext: "474554202f343933313320485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC0A1, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "5ed352226d1637c208d4eae258d1f83a072014a19df956e1f9b6a774cf4b29dd581990f9b23b1942ddd822224a33e020"
        + "d561d22245b2c53d550c",
      plaintext: "474554202f343933313320485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xD005, encryptThenMAC: false, side: .client, sequence: 1, contentType: 23,
      payload: "248f1d3ccc4405ddfd1a2618dd5ffc187c016a587951f68692e82be717fc973bc463f66851439d3c6d3e61260c130503"
        + "677dc502b97483512e506d73ddbea5bed435",
      plaintext: "474554202f353332353320485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xD005, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "2ea1fafab4bf1c4677a7e05eb953f40ab553adae1610d53f8b28ea4b24ac745f9531f520cc3e83a53cb523aff25b6635"
        + "6266900b275130fd2b19e76d451f78bf9483",
      plaintext: "474554202f353332353320485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC0B3, encryptThenMAC: false, side: .client, sequence: 1, contentType: 23,
      payload: "964d947086207882f3da0f98d0a4b556c1c1c4e07c474c2e19b42c61f5b83f897f7a812914d2f0d60389a1cdb97c30fa"
        + "f810f67fdb68ed738387115d70e16d82f0da",
      plaintext: "474554202f343933333120485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC0B3, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "914478bee8c75b432f103f0dc1518668934302de02d2e8cbc44670e8874eede0678cf1a89026185decaeeb4d3f5f7cd1"
        + "e782a8dd461d4548de959ceffd575fe3ed99",
      plaintext: "474554202f343933333120485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xD003, encryptThenMAC: false, side: .client, sequence: 1, contentType: 23,
      payload: "09ae2b122e3fe87a902074dbf5a11561e65403a07a5b053ba2bca397f1bd933ae783c62daf23229a0fef313d900467f3"
        + "38e9bfd5f5110941ae20",
      plaintext: "474554202f353332353120485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xD003, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "c7ecf5a5370fc41b1a4a605aa741d2d089ccb61a106425fa11051f5e53024b5428575330bd9ef6b32e43b0bb173ce395"
        + "197f10499cf65b1fab7c",
      plaintext: "474554202f353332353120485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xCCA8, encryptThenMAC: false, side: .client, sequence: 1, contentType: 23,
      payload: "481486637128f5392cede16e2d5dfc00e584adf737f2c83c371efa30a4ab9d898201aefb421fbdc90314f0605f8a7564"
        + "0c74a9f07101ac908d49",
      plaintext: "474554202f353233393220485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xCCA8, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "8063bd8d79563a038ea0a537bbe3979d09f350cdd17d875e5b9685ff4f4a2e1ae670da12e94a0b01a61bc5ca98e56bf3"
        + "cdd16599437fdec97eaf",
      plaintext: "474554202f353233393220485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC013, encryptThenMAC: false, side: .client, sequence: 1, contentType: 23,
      payload: "4ddb723b2afb6c47c0b57894aab2c5c1b6828ff84456f7e6086497b80e73d5a6dc4e41e9e489d3f527a0fc4f37e3525c"
        + "462d79dd4e054f854ee0e43439ef2044efa64338d7c6e553e17142b23f3cabdc",
      plaintext: "474554202f343931373120485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC013, encryptThenMAC: true, side: .client, sequence: 1, contentType: 23,
      payload: "45b797ddb9126e5cca203112105f67646eea04ea490d80d4ed611da334919a9f7115c16a5d5fd000e7bc14f02f6867e1"
        + "f50df5018a4735feb0ce841531768bdfa28714c0b7512a5d1d54376c4408ab68c8e5bbde",
      plaintext: "474554202f343931373120485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC013, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "14faf6b200daf099dba5eeec33624f51ad90a79c41698a3127bad213cb2bb81b4b50be41305e1f51694e8001a6ea9a8d"
        + "836344272743da523ffab15d02289deb740bd0ea9a256bbb0a628962dc84a4451e30bb49df4a5506fa334a61339711e7"
        + "57071e3665d5b2bfb6f3153d8010dde80049ef0eac0c4f26fe62ce2d65bcc04a",
      plaintext: "474554202f343931373120485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC013, encryptThenMAC: true, side: .server, sequence: 4328719365, contentType: 23,
      payload: "24bfc5f04d82388e52927810f610b0bcb504fa5680b94199cc3c542fcd2e2cc89c52cccaf92a31d530ab569ffec18972"
        + "2c2af73ffbf8d3e3ee26214781bc169fef5de13a921bd5630fb4a0d831c199a2dbefbc61e17836e0a04bb09a296feccf"
        + "3ae0eaf978b2e5ff7ec122f65ba35626c6685dadc1a9bb44ca5509d5c2382675f3a6295c",
      plaintext: "474554202f343931373120485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC014, encryptThenMAC: false, side: .client, sequence: 1, contentType: 23,
      payload: "a11e0be9f14f3ca695e87a5311660c76c0cf7e97df653a7097421a4dac4c19ba4fa98f3751f7cec81c1725dbc84a5800"
        + "0485e088e19a2e56835a1da17e993f64038e974fb9ee12f4bb6e6b0db18f0f78",
      plaintext: "474554202f343931373220485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC014, encryptThenMAC: true, side: .client, sequence: 1, contentType: 23,
      payload: "28cdba9f5eefb99022ef537b596a16dc4ce6bda67d59a2933f79244a122fd68ba2e55b5eca751be5bb9758dc44b100bc"
        + "28957032e4059a9ea6566270f5b6bf3aed27342c61b4ddbdde76b28618ba37260ccb7825",
      plaintext: "474554202f343931373220485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC014, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "8a03ec1fe7d2561711b3302479fb2ff178dbee06c3722497d06786bb37cf7e4e56165b5bbbf0dfec699b11bff57188f8"
        + "0ad9a190bf0e33f1fc90a7d56b0d2ce9b442b9f5d0503c577e498dac88cb4028f39bd2b5c3c9bd2e9778900024793120"
        + "c995ce095107d35f25671c44714550eff1f0015be999f7748b3de22b7e17a209",
      plaintext: "474554202f343931373220485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC014, encryptThenMAC: true, side: .server, sequence: 4328719365, contentType: 23,
      payload: "1b7c19fecb1e1882d0e49c1a13635bce25c1bff6fca475783f3447bb83358376e84e6165c39c1a8c5cf26817dde64b5f"
        + "790db3cdcfb9a127a253cbc2dbb0c95d60d69be26748f1fe3c6946914e2f1432044d6075344bb1b277ac1f165c8dda3c"
        + "7bd2797143a0f53adf9abd006571ab58938ee6cdec7f64c0a7946c4fd858d2381aa6fe8b",
      plaintext: "474554202f343931373220485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC027, encryptThenMAC: false, side: .client, sequence: 1, contentType: 23,
      payload: "60772ba0372c52266d08e1b7f9d8c0439ee6d5cdd5e0b0a9fb661bbaa03f5bf45d6f949d7b982992ec0ca1e5b641fc32"
        + "63194171e7c03d504e75bccbf4990b28af02316626c06e371e0a6b2f5a5ebecefc14349ec9e41366c623f515b24099ce",
      plaintext: "474554202f343931393120485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC027, encryptThenMAC: true, side: .client, sequence: 1, contentType: 23,
      payload: "069de5723b479ff72c86cea0434229f1cf88e1b110fcac71053054cfe62680685af6a7d919d45ba31d40165e98f62544"
        + "1815ba8993d729b4e316d388ac28b5f6ae58d0bcc6f482df3ee501e41b940ada23e29239933ef8b8de389c372fde448a",
      plaintext: "474554202f343931393120485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC027, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "7d2bdb7d8d1ffc7f186692bf3224d7a07c1cd0a820ff02a8c1a27421b4a8ae01d2f0ceac5ff68399fd8851096d73a694"
        + "5bfc8e07d114a9513d53e7aad1c4df399458eb1feaeb886dd31237323223155d86fc8f24eba48c423e64e9df66f4302d"
        + "ee834e8e6cd78816063dad80733632fb2eff2c9d22e5a3206b43723873105f09188c6a5a3ef06f7840334744192cdcc4",
      plaintext: "474554202f343931393120485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC027, encryptThenMAC: true, side: .server, sequence: 4328719365, contentType: 23,
      payload: "c20092430ee2490918da8936c342a421421eb8206fa377b2318176ce5d8e8f7646cca23cc0cc0cdbdc039d95e38c78fa"
        + "ebc405c8470ce367913b63367dc5f6202a93f6eab6c3f97817ba92fee05691402eaf4f31c605dc72e4af23dabbeea126"
        + "904a3671052b1c585806e60e337b59ea60899425525956cf854965ed0772e049dd17e46e904d400da234420b094cf623",
      plaintext: "474554202f343931393120485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0x003D, encryptThenMAC: false, side: .client, sequence: 1, contentType: 23,
      payload: "9c564686fea59211200e0e3e1942b6df48d0816dc16344efc69f62d354a3b57fc321b6588555a8e36d3fb31ad7aeefaa"
        + "ef64dd426dda21eb8ceddbda4729520de27e197e1ec11b2e2af30726f853dd59ac4d06c1d53d29e18d98951c5590c66a",
      plaintext: "474554202f363120485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0x003D, encryptThenMAC: true, side: .client, sequence: 1, contentType: 23,
      payload: "840876db40b967a9b7065353308957493d848c81bcee8ee11a5da419597d40149ff94ae1550edb3f2eb5bf5135d86ef4"
        + "e14fe4fffa5d59b4fdb36a93a2bff871d09dfebf7a150450eac1ffcea66575a5356cbc2ee8b7511df2507cb00134ae0a",
      plaintext: "474554202f363120485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0x003D, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "e4dedb3caaa2e474ecde57e21852f2fb3fde3f5dbcdc6feb47b347c3b930c0c999d3742a76a032a15dbde5d886acb432"
        + "e4143ee3ce6166c5f7ef164a04da75d8d9e24b43a24d230730ace89842217f904895fe8fc5a87c2ecb421209ff4f444c"
        + "fe826b6775da710c6618a6f95e06bc7b9e02141c40ece1bace4d52919f55630b84cc5108f3db1666dc70b240c1bbe0a8",
      plaintext: "474554202f363120485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0x003D, encryptThenMAC: true, side: .server, sequence: 4328719365, contentType: 23,
      payload: "003540d61a6a001078f6b5c9ed6e678daa16c85c9142aea4aba91be99c4dd00a4738aec2ed45ca9b4073281ed07ef646"
        + "9e69014a84852ebe861a82ed987a086c297551a449ed62e65e092698bd0a2afa99ef1b68fba6e2308b40c81de9adc55d"
        + "452df129f4d70d2981f1af6c088029b644c632943f9907724ab71e4e9d26e4efca1771f739665c50fe6fdbabf9508a75",
      plaintext: "474554202f363120485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC028, encryptThenMAC: false, side: .client, sequence: 1, contentType: 23,
      payload: "669bb67bbbb47f1ffdcdb249497afac32f1a991f2418036a4c34f1bf04b96357b52936abfc164735add5d4d742aa44bf"
        + "0a219b82f62307cb03dcd8f339cc24655c01e32746029f1aeef8da7ae579036ea2f38594963f97196a70b9716221145c"
        + "102dd8c4a88709739988cd06e01c7f9d",
      plaintext: "474554202f343931393220485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC028, encryptThenMAC: true, side: .client, sequence: 1, contentType: 23,
      payload: "133056cb329066a5f4f02e65c005355e5287220bf462fa4137fee502b218ae470a8824533d03a7773ba029728aa73702"
        + "a5a418f41ad1e250a9676f66e5a60d34a79ee9d9b3c15a41bfcb9823435c40c1d611b6a80e719293661aa2f365761326"
        + "8b096ab2d669555f8d8966bf2a3917dc",
      plaintext: "474554202f343931393220485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC028, encryptThenMAC: false, side: .server, sequence: 4328719365, contentType: 23,
      payload: "c70ba20d9fc4f3cce61f4bd5b90a69910a3daa0298b9e6e06ff15d53c3a8fe7eb111b1d421fd2f114d6f21e38f8cbd90"
        + "9d3f0e5fcde62da501357de2159a88583c41fd2a2406e251e0d49c9286dbf3971523963a7ace77d6853de8e2701b47dc"
        + "58fac1b7149b28efc24bead6e955c0989d1044c9d6c2035b5e8d54276b1a541ad10bd51a673023fab9e5376ee4dedba2"
        + "0457f54abf035e63b5179cc1ae44b6ba",
      plaintext: "474554202f343931393220485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
    RecordVector(
      suite: 0xC028, encryptThenMAC: true, side: .server, sequence: 4328719365, contentType: 23,
      payload: "92270d2cb6d39d078c7824132d99b36a9735fe132f9c7dc55fc7cae5d7be072910df4ee1c050faf960b5437a0b44283c"
        + "12d4c00765c4d689a20fdc5a3d8fd33cf742e1ddec8f3ce6f9c41af48fc8b505963e9716be1f60e4bfe4de81438946b6"
        + "f661d0132561cced2bd9bbf74daa7a80684aa4f5abbe4c65b6ba391b9fcdd31159d148bc97b579ea1e246686a81000d2"
        + "71a373e2f15e775e63d33a29aa0e7007",
      plaintext: "474554202f343931393220485454502f312e310d0a486f73743a206578616d706c652e636f6d0d0a0d0a"),
  ]
}
